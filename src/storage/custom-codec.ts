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
const compiled = new WeakMap<CustomResourceCodec, Map<string, CustomObjects>>();

/** The objects of one version; undefined for a version that the definition no longer has. */
function objectsOf(
  custom: CustomResourceCodec,
  apiVersion: string,
  kind: string,
): CustomObjects | undefined {
  let versions = compiled.get(custom);
  if (versions === undefined) {
    versions = new Map();
    compiled.set(custom, versions);
  }
  const known = versions.get(apiVersion);
  if (known !== undefined || !Object.hasOwn(custom.schemas, apiVersion)) return known;
  const text = custom.schemas[apiVersion];
  const schema = text === undefined ? undefined : (JSON.parse(text) as Schema);
  const made = customObjects({ apiVersion, kind, schema });
  versions.set(apiVersion, made);
  return made;
}

/** The object of a value, as plain JSON. Throws on anything else. */
export function parseCustom(value: Uint8Array): JsonObject {
  const object = new JsonReader(textOf(value)).readAny();
  if (typeof object !== "object" || object === null || Array.isArray(object)) {
    throw new SyntaxError("the value is no object");
  }
  return object;
}

/**
 * JSON as the version serves it, but for the revision: pruned and defaulted as the version it is
 * stored in, then pruned as the one asked for. Throws on a value that is no object.
 */
export function customServed(value: Uint8Array, config: StorageConfig): Uint8Array {
  const { custom, apiVersion, kind } = config;
  const object = parseCustom(value);
  object["metadata"] ??= {};
  if (custom === undefined) return Buffer.from(encodeCustom(object));
  const stored = String(object["apiVersion"] ?? "");
  const read = objectsOf(custom, stored, kind);
  read?.coerce(object, undefined, true);
  read?.setDefaults(object);
  return Buffer.from(encodeCustom(converted(object, stored, config, apiVersion)));
}

/** Only apiVersion differs between versions, and what their schemas keep. */
function converted(
  object: JsonObject,
  from: string,
  { custom, kind }: StorageConfig,
  to: string,
): JsonObject {
  if (from === to || custom === undefined) return object;
  object["apiVersion"] = to;
  return objectsOf(custom, to, kind)?.coerce(object, undefined, true) ?? object;
}

/** The store's value of an object's JSON, with the newline that Go's encoder ends objects with. */
export function customStored(json: Uint8Array, config: StorageConfig): Uint8Array {
  const { custom, apiVersion } = config;
  if (custom !== undefined && custom.storedAs !== apiVersion && custom.webhook === undefined) {
    const object = converted(parseCustom(json), apiVersion, config, custom.storedAs);
    return Buffer.from(`${encodeCustom(object)}\n`);
  }
  const out = Buffer.allocUnsafe(json.length + 1);
  out.set(json);
  out[json.length] = NEWLINE;
  return out;
}
