/**
 * Custom resources between the store's JSON and that of the version a cache is for: another version
 * is converted by its apiVersion alone, then pruned and defaulted by the schema, as on every read.
 * Conversion by a webhook comes before, in ObjectCodec.
 * Upstream: apiextensions-apiserver/pkg/apiserver/{conversion,customresource_handler.go}.
 */
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import { JsonReader, textOf } from "../apimachinery/runtime/json-reader.ts";
import {
  type CustomObjects,
  customObjects,
  encodeCustom,
} from "../apis/apiextensions/custom-object.ts";
import type { Schema } from "../apis/apiextensions/schema.ts";
import type { CustomResourceCodec, StorageConfig } from "./interfaces.ts";

const NEWLINE = 0x0a;
const compiled = new WeakMap<CustomResourceCodec, CustomObjects>();

function objectsOf({ custom, apiVersion, kind }: StorageConfig): CustomObjects | undefined {
  if (custom === undefined) return undefined;
  let found = compiled.get(custom);
  if (found === undefined) {
    const schema = custom.schema === undefined ? undefined : (JSON.parse(custom.schema) as Schema);
    found = customObjects({ apiVersion, kind, schema });
    compiled.set(custom, found);
  }
  return found;
}

/** The object of a value, as plain JSON. Throws on anything else. */
export function parseCustom(value: Uint8Array): JsonObject {
  const object = new JsonReader(textOf(value)).readAny();
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw new SyntaxError("the value is no object");
  }
  return object;
}

/** JSON as the version serves it, but for the revision. Throws on a value that is no object. */
export function customServed(value: Uint8Array, config: StorageConfig): Uint8Array {
  const object = parseCustom(value);
  object["apiVersion"] = config.apiVersion;
  const objects = objectsOf(config);
  const kept = objects?.coerce(object, undefined, true) ?? object;
  kept["metadata"] ??= {};
  objects?.setDefaults(kept);
  return Buffer.from(encodeCustom(kept));
}

/** The store's value of an object's JSON, with the newline that Go's encoder ends objects with. */
export function customStored(json: Uint8Array, { custom, apiVersion }: StorageConfig): Uint8Array {
  if (custom !== undefined && custom.storedAs !== apiVersion && custom.webhook === undefined) {
    const object = parseCustom(json);
    object["apiVersion"] = custom.storedAs;
    return Buffer.from(`${encodeCustom(object)}\n`);
  }
  const out = Buffer.allocUnsafe(json.length + 1);
  out.set(json);
  out[json.length] = NEWLINE;
  return out;
}
