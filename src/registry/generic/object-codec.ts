/**
 * Objects between the store's bytes and JavaScript. Bytes from our own cache are trusted: they are
 * JSON of the storage version, as encodeJson wrote it, so JSON.parse will do unless a number needs
 * more than 53 bits.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { parseWithFields } from "../../apimachinery/runtime/fields-v1.ts";
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import { decodeJson } from "../../apimachinery/runtime/json-decode.ts";
import { encodeJson, encodeJsonAsStored } from "../../apimachinery/runtime/json-encode.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import type { Stored } from "../../storage/interfaces.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();
/** Sixteen digits in a row after a colon may be more than a double holds. */
const LONG_NUMBER = /[:[,-]\d{16}/;

/** The stored object, `metadata.resourceVersion` set. A fresh copy: change it freely, all but the frozen fieldsV1 of managed fields. */
export function decodeStored<T extends KubeObject>(stored: Stored, schema: StructSchema): T {
  return parseWithFields(decoder.decode(stored.json), (text) =>
    LONG_NUMBER.test(text)
      ? decodeJson(text, schema, { strict: "Ignore" }).object
      : JSON.parse(text),
  ) as T;
}

/**
 * JSON bytes of a storage-version object for the store: resourceVersion and selfLink left out.
 * `asProtobuf` (the default): as it comes back from a store that keeps protobuf, without empty lists.
 */
export function encodeForStorage(
  object: KubeObject,
  schema: StructSchema,
  asProtobuf = true,
): Uint8Array {
  const { metadata } = object;
  if (metadata === undefined) return encodeAsStored(object, schema, asProtobuf);
  const { resourceVersion, selfLink } = metadata;
  // Set aside while it is encoded: a copy without them would cost more than the rest.
  if (resourceVersion !== undefined) metadata.resourceVersion = undefined;
  if (selfLink !== undefined) metadata.selfLink = undefined;
  try {
    return encodeAsStored(object, schema, asProtobuf);
  } finally {
    if (resourceVersion !== undefined) metadata.resourceVersion = resourceVersion;
    if (selfLink !== undefined) metadata.selfLink = selfLink;
  }
}

/** JSON bytes as the store would give them back, resourceVersion included. */
export function encodeAsStored(
  object: KubeObject,
  schema: StructSchema,
  asProtobuf: boolean,
): Uint8Array {
  const encode = asProtobuf ? encodeJsonAsStored : encodeJson;
  return encoder.encode(encode(object as unknown as JsonObject, schema));
}
