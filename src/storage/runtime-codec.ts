/**
 * The codec of stored objects in TypeScript, from the types' tables: the native codec's slow twin
 * and its oracle. Reads protobuf and JSON whatever the media type, as upstream does; YAML too old
 * to matter is not read.
 */
import { parseApiVersion } from "../apimachinery/runtime/gvk.ts";
import { decodeJson } from "../apimachinery/runtime/json-decode.ts";
import { encodeJson } from "../apimachinery/runtime/json-encode.ts";
import { decodeProtobuf, encodeProtobuf, isProtobuf } from "../apimachinery/runtime/protobuf.ts";
import type { StructSchema } from "../apimachinery/runtime/type-schema.ts";
import { jsonCodec, type StoredCodec, setResourceVersion } from "./codec.ts";
import type { StorageConfig } from "./interfaces.ts";

type Modernize = (stored: Uint8Array, config: StorageConfig) => Uint8Array;

export type StructOf = (goName: string) => StructSchema;

/** Custom resources (no Go name) pass through as JSON; `modernize` as the native codec's. */
export function createRuntimeCodec(structOf: StructOf, modernize?: Modernize): StoredCodec {
  return {
    toStored(json, config) {
      if (config.goName === "") return jsonCodec.toStored(json, config);
      const bare = setResourceVersion(json, undefined, config);
      if (config.mediaType === "json") return withNewline(bare);
      const schema = structOf(config.goName);
      const { object } = decodeJson(bare, schema, { strict: "Ignore" });
      return encodeProtobuf(object, schema, {
        group: "",
        version: "",
        ...parseApiVersion(config.apiVersion),
        kind: config.kind,
      });
    },
    toServed(stored, revision, config, outdated) {
      if (config.goName === "") return jsonCodec.toServed(stored, revision, config, outdated);
      const modern = modernize?.(stored, config) ?? stored;
      if (Buffer.compare(modern, stored) !== 0) outdated?.();
      const schema = structOf(config.goName);
      const object = isProtobuf(modern)
        ? decodeProtobuf(modern, schema).object
        : decodeJson(modern, schema, { strict: "Ignore" }).object;
      const text = encodeJson({ ...object, ...typeMetaOf(config) }, schema);
      return setResourceVersion(Buffer.from(text), revision, config);
    },
  };
}

function typeMetaOf(config: StorageConfig): { kind: string; apiVersion: string } {
  return { kind: config.kind, apiVersion: config.apiVersion };
}

/** Go's JSON serializer ends every object with a newline, in the store too. */
function withNewline(json: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(json.length + 1);
  out.set(json);
  out[json.length] = 0x0a;
  return out;
}
