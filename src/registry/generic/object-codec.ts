/**
 * Objects between the store's bytes and JavaScript. Bytes from our own cache are trusted: they are
 * JSON of the storage version, as encodeJson wrote it, so JSON.parse will do unless a number needs
 * more than 53 bits.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import { decodeJson } from "../../apimachinery/runtime/json-decode.ts";
import { encodeJson } from "../../apimachinery/runtime/json-encode.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import type { Stored } from "../../storage/interfaces.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** Sixteen digits in a row after a colon may be more than a double holds. */
const LONG_NUMBER = /[:[,-]\d{16}/;

/** The stored object, `metadata.resourceVersion` set. A fresh copy: change it freely. */
export function decodeStored<T extends KubeObject>(stored: Stored, schema: StructSchema): T {
  const text = decoder.decode(stored.json);
  if (LONG_NUMBER.test(text)) {
    return decodeJson(stored.json, schema, { strict: "Ignore" }).object as unknown as T;
  }
  return JSON.parse(text) as T;
}

/** JSON bytes of a storage-version object for the store: resourceVersion and selfLink left out. */
export function encodeForStorage(object: KubeObject, schema: StructSchema): Uint8Array {
  const metadata = { ...object.metadata };
  delete metadata.resourceVersion;
  delete metadata.selfLink;
  return encodeObject({ ...object, metadata }, schema);
}

/** JSON bytes in Go's form, as a client gets them, without the trailing newline. */
export function encodeObject(object: KubeObject, schema: StructSchema): Uint8Array {
  return encoder.encode(encodeJson(object as JsonObject, schema));
}
