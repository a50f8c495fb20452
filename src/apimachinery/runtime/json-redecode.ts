/**
 * The typed object of a patched document without going through text: what decodeJson would make of
 * it, for documents that decode cleanly and mostly are what the server decoded before. Anything out
 * of the ordinary is left to decodeJson, which knows Go's results and texts.
 */
import { cloneJson } from "./clone.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "./json.ts";
import { decodeJsonValue, isZeroField } from "./json-decode.ts";
import { encodeJsonValue } from "./json-encode.ts";
import { setOwn } from "./json-reader.ts";
import type { FieldSchema, StructSchema, TypeSchema } from "./type-schema.ts";

/** Deeper documents are decodeJson's: it has the bound that upstream has. */
const DEPTH_MAX = 100;

/** Thrown to give up; never leaves this file. */
const NOT_PLAIN = Symbol("not plain");

/**
 * The object that decoding the document's JSON would give, sharing nothing with either argument.
 * `base` is a decoded or stored object of the same type that the document was made from: where the
 * two are equal, values are known to be canonical. Undefined when decoding would find errors,
 * unknown fields, or values this function leaves alone; then ask decodeJson.
 */
export function redecode(
  document: unknown,
  base: JsonObject,
  schema: StructSchema,
): JsonObject | undefined {
  if (!isJsonObject(document) || schema.unstructured !== undefined) return undefined;
  try {
    return structOf(document, base, schema, 0);
  } catch (error) {
    if (error === NOT_PLAIN) return undefined;
    throw error;
  }
}

function structOf(
  value: JsonObject,
  base: JsonValue | undefined,
  schema: StructSchema,
  depth: number,
): JsonObject {
  if (depth > DEPTH_MAX) throw NOT_PLAIN;
  const before = isJsonObject(base) ? base : undefined;
  const object: JsonObject = {};
  for (const name in value) {
    const member = value[name];
    const field = schema.byJson.get(name);
    if (field === undefined) throw NOT_PLAIN;
    if (member === null || member === undefined) {
      // A duration's decoder sees null as well.
      if (member === null && field.type.kind === "duration") throw NOT_PLAIN;
      continue;
    }
    const decoded = typedOf(member, before?.[name], field.type, depth + 1);
    if (!isDropped(decoded, field)) object[name] = decoded;
  }
  return object;
}

const isDropped = (value: JsonValue, field: FieldSchema) =>
  !field.pointer && isZeroField(value, field);

function typedOf(
  value: JsonValue,
  base: JsonValue | undefined,
  type: TypeSchema,
  depth: number,
): JsonValue {
  switch (type.kind) {
    case "struct":
      if (!isJsonObject(value)) throw NOT_PLAIN;
      return structOf(value, base, type, depth);
    case "list":
      if (!Array.isArray(value)) throw NOT_PLAIN;
      return listOf(value, base, type.elem, depth);
    case "map":
      if (!isJsonObject(value)) throw NOT_PLAIN;
      return mapOf(value, base, type.value, depth);
    case "string":
    case "bool":
      if (typeof value !== (type.kind === "bool" ? "boolean" : "string")) throw NOT_PLAIN;
      return value;
    case "int":
      return intOf(value, base, type);
    case "raw":
    case "json":
      // Their texts keep an order of members that only decodeJson gives them.
      if (typeof value === "object") throw NOT_PLAIN;
      return otherOf(value, base, type);
    default:
      return otherOf(value, base, type);
  }
}

function intOf(
  value: JsonValue,
  base: JsonValue | undefined,
  type: TypeSchema & { kind: "int" },
): JsonValue {
  const isSmall = typeof value === "number" && value === (value | 0) && !Object.is(value, -0);
  return isSmall && type.unsigned !== true ? value : otherOf(value, base, type);
}

function listOf(
  value: readonly JsonValue[],
  base: JsonValue | undefined,
  elem: TypeSchema,
  depth: number,
): JsonValue[] {
  const before = Array.isArray(base) ? base : undefined;
  const list: JsonValue[] = [];
  for (let i = 0; i < value.length; i++) {
    const item = value[i];
    if (item === null || item === undefined) throw NOT_PLAIN;
    list.push(typedOf(item, before?.[i], elem, depth + 1));
  }
  return list;
}

function mapOf(
  value: JsonObject,
  base: JsonValue | undefined,
  type: TypeSchema,
  depth: number,
): JsonObject {
  const before = isJsonObject(base) ? base : undefined;
  const map: JsonObject = {};
  for (const name in value) {
    const member = value[name];
    if (member === null || member === undefined) throw NOT_PLAIN;
    const old = before !== undefined && Object.hasOwn(before, name) ? before[name] : undefined;
    const decoded = typedOf(member, old, type, depth + 1);
    if (name === "__proto__") setOwn<JsonValue | undefined>(map, name, decoded);
    else map[name] = decoded;
  }
  return map;
}

/** Types whose values have a canonical form: kept where they are as before, decoded elsewhere. */
function otherOf(value: JsonValue, base: JsonValue | undefined, type: TypeSchema): JsonValue {
  if (value === base) {
    const isShared = typeof value !== "object" || Object.isFrozen(value);
    return isShared ? value : cloneJson(value);
  }
  const decoded = decodeJsonValue(encodeJsonValue(value), type);
  if (decoded === undefined) throw NOT_PLAIN;
  return decoded;
}
