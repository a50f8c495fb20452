/**
 * Fits the values of a document to the fields of a type as the converter of unstructured objects
 * does, for strategic patches and applied configurations: integers wrap around, and what does not
 * fit is refused in its words. Upstream: apimachinery/pkg/runtime/converter.go.
 */
import { DecodeError } from "./decode-error.ts";
import { shortTypeName } from "./go-text.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { setOwn } from "./json-reader.ts";
import type { StructSchema, TypeSchema } from "./type-schema.ts";

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT32 = 2147483647;

/**
 * The document with fitting values; unknown members and types with decoders of their own are left
 * to decodeJson. Throws DecodeError for the first field, in Go's order, whose value does not fit.
 */
export function fromUnstructured(document: JsonValue, schema: StructSchema): JsonValue {
  return converted(document, schema);
}

/** A DecodeError's message as the converter tells it: it hands base64 to the decoder of JSON. */
export function converterText(message: string): string {
  return message.startsWith("illegal base64") ? `error decoding from json: ${message}` : message;
}

function converted(value: JsonValue, type: TypeSchema): JsonValue {
  if (value === null) return null;
  switch (type.kind) {
    case "struct":
      return structOf(value, type);
    case "list":
      if (!Array.isArray(value)) throw refused(`cannot restore slice from ${kindOf(value)}`);
      return value.map((item) => converted(item, type.elem));
    case "map":
      return mapOf(value, type.value);
    case "string":
      if (typeof value === "string") return value;
      if (kindOf(value) !== "int64") throw refused("unrecognized type: string");
      throw refused(`cannot convert int64 to ${shortTypeName(type.goName ?? "string")}`);
    case "bool":
      if (typeof value !== "boolean") throw refused("unrecognized type: bool");
      return value;
    case "int":
      return intOf(value, type.bits);
    case "float":
      if (!isNumber(value)) throw refused(`unrecognized type: float${type.bits}`);
      return value;
    case "intOrString":
      if (!isNumber(value) || Math.abs(Number(value)) <= MAX_INT32) return value;
      throw refused(`json: cannot unmarshal number ${value} into Go value of type int32`);
    default:
      return value;
  }
}

function structOf(value: JsonValue, schema: StructSchema): JsonValue {
  if (!isJsonObject(value)) throw refused(`cannot restore struct from: ${kindOf(value)}`);
  const out: JsonObject = {};
  for (const { json, type } of schema.fields) {
    const member = Object.hasOwn(value, json) ? value[json] : undefined;
    if (member !== undefined) out[json] = converted(member, type);
  }
  for (const name of Object.keys(value)) {
    if (schema.byJson.has(name)) continue;
    setOwn<JsonValue | undefined>(out, name, value[name]);
  }
  return out;
}

function mapOf(value: JsonValue, type: TypeSchema): JsonValue {
  if (!isJsonObject(value)) throw refused(`cannot restore map from ${kindOf(value)}`);
  const out: JsonObject = {};
  for (const name of Object.keys(value)) {
    setOwn<JsonValue | undefined>(out, name, converted(value[name] ?? null, type));
  }
  return out;
}

/** Go's conversions of integers keep the low bits; a float beyond int64 becomes its least value. */
function intOf(value: JsonValue, bits: 32 | 64): JsonValue {
  if (!isNumber(value)) throw refused(`unrecognized type: int${bits}`);
  if (typeof value === "number" && !Number.isInteger(value)) {
    throw refused(`cannot convert float64 to int${bits}`);
  }
  const whole = BigInt(value);
  const inRange = whole <= MAX_INT64 && whole >= MIN_INT64;
  const wrapped = BigInt.asIntN(bits, inRange ? whole : MIN_INT64);
  return Number.isSafeInteger(Number(wrapped)) ? Number(wrapped) : wrapped;
}

function refused(message: string): DecodeError {
  return new DecodeError("type", message);
}

const isNumber = (value: JsonValue): value is number | bigint =>
  typeof value === "number" || typeof value === "bigint";

/** Go's kind of an unstructured value. */
function kindOf(value: JsonValue): string {
  if (Array.isArray(value)) return "slice";
  if (typeof value === "object") return "map";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  return typeof value === "number" && !Number.isInteger(value) ? "float64" : "int64";
}
