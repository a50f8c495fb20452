/** ConfigMaps. Upstream: ValidateConfigMap and ValidateConfigMapUpdate. */
import {
  type ErrorList,
  forbidden,
  invalid,
  Path,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import { byteLength, isConfigMapKey } from "../../../../apimachinery/validation/names.ts";
import { semanticDeepEqual } from "../../../../apimachinery/validation/object-meta.ts";
import type { ConfigMap } from "../types.ts";

/** Bytes of all values of a ConfigMap or a Secret. */
export const MAX_DATA_BYTES = 1024 * 1024;

const IMMUTABLE = "field is immutable when `immutable` is set";

/** The decoded length of base64 text, without decoding it. */
export function base64ByteLength(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return (text.length / 4) * 3 - padding;
}

export function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): ErrorList {
  const errors: ErrorList = [];
  let size = 0;
  for (const key in data) {
    const at = Path.root("data").key(key);
    for (const message of isConfigMapKey(key)) errors.push(invalid(at, key, message));
    if (Object.hasOwn(binaryData, key)) {
      errors.push(invalid(at, key, "duplicate of key present in binaryData"));
    }
    size += byteLength(data[key] ?? "");
  }
  for (const key in binaryData) {
    const at = Path.root("binaryData").key(key);
    for (const message of isConfigMapKey(key)) errors.push(invalid(at, key, message));
    size += base64ByteLength(binaryData[key] ?? "");
  }
  // Upstream's path for the whole object prints as brackets.
  if (size > MAX_DATA_BYTES) errors.push(tooLong("[]", MAX_DATA_BYTES));
  return errors;
}

export function validateConfigMapUpdate(object: ConfigMap, old: ConfigMap): ErrorList {
  const errors: ErrorList = [];
  if (old.immutable === true) {
    if (object.immutable !== true) errors.push(forbidden("immutable", IMMUTABLE));
    if (!semanticDeepEqual(object.data ?? {}, old.data ?? {})) {
      errors.push(forbidden("data", IMMUTABLE));
    }
    if (!semanticDeepEqual(object.binaryData ?? {}, old.binaryData ?? {})) {
      errors.push(forbidden("binaryData", IMMUTABLE));
    }
  }
  return [...errors, ...validateConfigMap(object)];
}
