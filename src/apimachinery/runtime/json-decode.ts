/**
 * Decoding JSON into an object of a known type, with Go's results and error texts: encoding/json as
 * sigs.k8s.io/json bends it (case-sensitive names, strict errors beside the result).
 *
 * The object keeps known fields only and is canonical: a zero of a field that is no pointer is left
 * out, times and quantities have their printed form. So two equal Go values are equal here.
 */
import { canonicalQuantity, QuantityError } from "../quantity.ts";
import { canonicalBase64, corruptByte } from "./base64.ts";
import { DecodeError } from "./decode-error.ts";
import { formatDuration, parseDuration } from "./duration.ts";
import { knownFields } from "./fields-v1.ts";
import { goTypeName } from "./go-text.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import {
  type Context,
  describe,
  saveFatal,
  saveStrictError,
  saveTypeError,
} from "./json-decode-context.ts";
import { JsonReader, setOwn, textOf } from "./json-reader.ts";
import { type Decoded, decodeUnstructured } from "./json-unstructured.ts";
import { formatMicroTime, formatTime, isZeroInstant, parseMicroTime, parseTime } from "./time.ts";
import type { FieldSchema, JsonSchema, StructSchema, TypeSchema } from "./type-schema.ts";
import { zeroOf } from "./zero-value.ts";

/** `Strict` and `Warn` both collect strict errors; the caller refuses or warns. */
export type FieldValidation = "Strict" | "Warn" | "Ignore";

export type { Decoded } from "./json-unstructured.ts";

/** Fields, keys and places from the root to a struct: only types that hold themselves come near. */
const STEPS_MAX = 500;

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/**
 * Decodes a JSON body. Throws DecodeError: `syntax` with encoding/json's text, `type` for the value
 * that does not fit. Bound: the caller limits the body's size; nesting is limited to Go's 10000.
 */
export function decodeJson(
  body: Uint8Array | string,
  schema: StructSchema,
  { strict }: { readonly strict: FieldValidation },
): Decoded {
  const reader = new JsonReader(typeof body === "string" ? body : textOf(body));
  if (schema.unstructured !== undefined) {
    return decodeUnstructured(reader, schema.unstructured, strict !== "Ignore");
  }
  const context = contextOf(reader, strict !== "Ignore");
  const object = decodeAt(context, schema, undefined);
  reader.expectEnd();
  if (context.fatal !== undefined) throw context.fatal;
  if (context.saved !== undefined) throw context.saved;
  return { object: (object ?? {}) as JsonObject, strictErrors: context.strictErrors };
}

/**
 * One value of any type; undefined for null and for a value that does not fit or is not known as a
 * whole. `text` is JSON without errors of syntax.
 */
export function decodeJsonValue(text: string, type: TypeSchema): JsonValue | undefined {
  const context = contextOf(new JsonReader(text), true);
  const value = decodeAt(context, type, undefined);
  const isClean =
    context.fatal === undefined && context.saved === undefined && context.strictErrors.length === 0;
  return isClean ? value : undefined;
}

function contextOf(reader: JsonReader, strict: boolean): Context {
  return {
    reader,
    strict,
    strictErrors: [],
    path: [],
    outerDepth: 0,
    struct: undefined,
    saved: undefined,
    fatal: undefined,
  };
}

/**
 * The kind and apiVersion a body names; empty texts when it names none. It reads the whole body, so
 * that bad syntax is found here. Throws DecodeError `syntax` with upstream's prefix.
 * Upstream: apimachinery/pkg/runtime/serializer/json/meta.go.
 */
export function interpretTypeMeta(body: Uint8Array | string): { apiVersion: string; kind: string } {
  const reader = new JsonReader(typeof body === "string" ? body : textOf(body));
  const found = { apiVersion: "", kind: "" };
  let wrong: string | undefined;
  const mismatch = (value: string, target: string) => {
    wrong ??= `json: cannot unmarshal ${value} into Go ${target}`;
  };
  try {
    if (reader.peek() !== 0x7b) {
      const value = describe(reader);
      reader.skipValue();
      if (value !== "null") mismatch(value, `value of type ${TYPE_META_STRUCT}`);
    } else {
      reader.position += 1;
      if (!reader.closesWith(0x7d)) {
        do {
          const key = reader.readKey();
          const isMeta = key === "kind" || key === "apiVersion";
          if (!isMeta || reader.peek() !== 0x22) {
            const value = isMeta ? describe(reader) : "null";
            reader.skipValue();
            if (value !== "null") mismatch(value, `struct field .${key} of type string`);
          } else found[key] = reader.readString();
        } while (reader.hasNextMember());
      }
    }
    reader.expectEnd();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    wrong = error.message;
  }
  if (wrong === undefined) return found;
  throw new DecodeError("syntax", `couldn't get version/kind; json parse error: ${wrong}`);
}

const TYPE_META_STRUCT =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

/** Passes a value that does not fit and remembers the error. */
function refuse(context: Context, type: TypeSchema): undefined {
  const value = describe(context.reader);
  context.reader.skipValue();
  saveTypeError(context, value, goTypeName(type));
  return undefined;
}

/**
 * Decodes the value at the cursor. `previous` is what a duplicate key left: Go decodes into it.
 * Undefined is null, or a value that did not fit.
 */
function decodeAt(
  context: Context,
  type: TypeSchema,
  previous: JsonValue | undefined,
): JsonValue | undefined {
  const { reader } = context;
  const code = reader.peek();
  switch (type.kind) {
    case "struct":
      if (code === 0x7b) return decodeStruct(context, type, asObject(previous));
      break;
    case "string":
      if (code === 0x22) return reader.readString();
      break;
    case "bool":
      if (code === 0x74 || code === 0x66) return reader.readLiteral() === "true";
      break;
    case "int":
      if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return decodeInt(context, type);
      break;
    case "float":
      if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return decodeFloat(context, type);
      break;
    case "list":
      if (code === 0x5b) return decodeList(context, type.elem);
      break;
    case "map":
      if (code === 0x7b) return decodeMap(context, type.value, asObject(previous));
      break;
    case "bytes":
      if (code === 0x22) return decodeBytes(context);
      if (code === 0x5b) return decodeByteArray(context);
      break;
    default:
      return decodeSelf(context, type, code);
  }
  if (code === 0x6e) {
    reader.readLiteral();
    return undefined;
  }
  return refuse(context, type);
}

function asObject(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
}

/** A field with its place in the struct, which marks it as seen. */
interface FieldPlan {
  readonly field: FieldSchema;
  readonly index: number;
}

const plans = new WeakMap<StructSchema, ReadonlyMap<string, FieldPlan>>();

function planOf(schema: StructSchema): ReadonlyMap<string, FieldPlan> {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = new Map(schema.fields.map((field, index) => [field.json, { field, index }]));
    plans.set(schema, plan);
  }
  return plan;
}

/** The fields of one struct that were seen: two words of bits, and a set for the rare rest. */
class SeenFields {
  #low = 0;
  #high = 0;
  #rest: Set<number> | undefined;

  /** True when the field was there before. */
  add(index: number): boolean {
    if (index < 60) {
      const bit = 1 << (index % 30);
      const before = index < 30 ? this.#low : this.#high;
      if (index < 30) this.#low |= bit;
      else this.#high |= bit;
      return (before & bit) !== 0;
    }
    this.#rest ??= new Set();
    const has = this.#rest.has(index);
    this.#rest.add(index);
    return has;
  }
}

function decodeStruct(
  context: Context,
  schema: StructSchema,
  into: JsonObject | undefined,
): JsonObject {
  const { reader, path } = context;
  const object: JsonObject = into ?? {};
  // Types that hold themselves (JSONSchemaProps) nest as deep as the client likes.
  if (path.length + context.outerDepth > STEPS_MAX) {
    throw new DecodeError("syntax", "exceeded max depth");
  }
  reader.position += 1;
  if (reader.closesWith(0x7d)) return object;
  const outer = context.struct;
  const plan = planOf(schema);
  const seen = context.strict ? new SeenFields() : undefined;
  do {
    const key = reader.readKey();
    const found = plan.get(key);
    if (found === undefined) {
      if (context.strict) saveStrictError(context, "unknown", key);
      reader.skipValue();
      continue;
    }
    if (seen?.add(found.index) === true) saveStrictError(context, "duplicate", key);
    path.push(found.field);
    context.struct = schema;
    decodeField(context, found.field, object);
    path.pop();
    context.struct = outer;
  } while (reader.hasNextMember());
  return object;
}

function decodeField(context: Context, field: FieldSchema, object: JsonObject): void {
  const previous = object[field.json];
  const isNull = context.reader.peek() === 0x6e;
  const value = decodeAt(context, field.type, previous);
  if (value === undefined) {
    // null empties pointers, lists and maps; Go leaves other fields as they were.
    const empties = field.pointer || field.type.kind === "list" || field.type.kind === "map";
    if (isNull && empties && previous !== undefined) delete object[field.json];
    return;
  }
  if (!field.pointer && isZeroField(value, field)) {
    if (previous !== undefined) delete object[field.json];
    return;
  }
  object[field.json] = value;
}

/** Go's zero value of a field that is no pointer, in canonical form absent. */
export function isZeroField(value: JsonValue, field: FieldSchema): boolean {
  switch (field.type.kind) {
    case "string":
    case "bool":
    case "int":
    case "float":
      return value === "" || value === false || value === 0;
    case "intOrString":
      return value === 0;
    case "quantity":
      return value === "0";
    case "duration":
      return value === "0s";
    case "struct":
      return Object.keys(value as JsonObject).length === 0;
    // Empty lists and maps stay: Go tells them from absent ones, and some rules look at that.
    case "bytes":
      return field.omitempty && value === "";
    default:
      return false;
  }
}

function decodeList(context: Context, elem: TypeSchema): JsonValue[] {
  const { reader, path } = context;
  const list: JsonValue[] = [];
  reader.position += 1;
  if (reader.closesWith(0x5d)) return list;
  do {
    path.push(list.length);
    list.push(decodeAt(context, elem, undefined) ?? zeroOf(elem));
    path.pop();
  } while (reader.hasNextElement());
  return list;
}

function decodeMap(context: Context, value: TypeSchema, into: JsonObject | undefined): JsonObject {
  const { reader, path } = context;
  const map: JsonObject = into ?? {};
  reader.position += 1;
  if (reader.closesWith(0x7d)) return map;
  const seen = context.strict ? new Set<string>() : undefined;
  do {
    const key = reader.readKey();
    if (seen?.has(key) === true) saveStrictError(context, "duplicate", key);
    seen?.add(key);
    path.push(key);
    setOwn<JsonValue | undefined>(map, key, decodeAt(context, value, undefined) ?? zeroOf(value));
    path.pop();
  } while (reader.hasNextMember());
  return map;
}

function decodeInt(
  context: Context,
  type: TypeSchema & { kind: "int" },
): number | bigint | undefined {
  const literal = context.reader.readNumber();
  const value = Number(literal);
  const isInteger = Number.isInteger(value) && !/[.eE]/.test(literal);
  if (isInteger && type.bits === 32) {
    const [low, high] = type.unsigned === true ? [0, 0xffffffff] : [-0x80000000, 0x7fffffff];
    if (value >= low && value <= high) return value === 0 ? 0 : value;
  } else if (isInteger) {
    if (Number.isSafeInteger(value) && (value >= 0 || type.unsigned !== true))
      return value === 0 ? 0 : value;
    const exact = BigInt(literal);
    const [low, high] = type.unsigned === true ? [0n, UINT64_MAX] : [INT64_MIN, INT64_MAX];
    if (exact >= low && exact <= high) return exact;
  }
  saveTypeError(context, `number ${literal}`, goTypeName(type));
  return undefined;
}

function decodeFloat(context: Context, type: TypeSchema & { kind: "float" }): number | undefined {
  const literal = context.reader.readNumber();
  const value = Number(literal);
  if (Number.isFinite(value)) return value;
  saveTypeError(context, `number ${literal}`, goTypeName(type));
  return undefined;
}

function decodeBytes(context: Context): string | undefined {
  const text = context.reader.readString();
  const canonical = canonicalBase64(text);
  if (canonical !== undefined) return canonical;
  const message = `illegal base64 data at input byte ${corruptByte(text)}`;
  context.saved ??= new DecodeError("type", message);
  return undefined;
}

function decodeByteArray(context: Context): string {
  const list = decodeList(context, { kind: "int", bits: 32 });
  return Buffer.from(list.map((value) => Number(value) & 0xff)).toString("base64");
}

/** Types with an UnmarshalJSON of their own: their error ends the decoding. */
function decodeSelf(context: Context, type: TypeSchema, code: number): JsonValue | undefined {
  const { reader } = context;
  if (type.kind === "raw") return reader.readAny() ?? undefined;
  if (type.kind === "fieldsV1") return reader.readAny(knownFields) ?? undefined;
  if (type.kind === "json") return decodeJsonUnion(context, type, code);
  const start = reader.position;
  const value = describe(reader);
  const text = code === 0x22 ? reader.readString() : undefined;
  if (text === undefined) reader.skipValue();
  if (value === "null" && type.kind !== "duration") return undefined;
  try {
    if (type.kind === "intOrString") {
      return text ?? intOf(reader.text.slice(start, reader.position), value);
    }
    // A quantity reads the raw text, without undoing escapes.
    if (type.kind === "quantity") {
      const raw = reader.text.slice(start, reader.position).trim();
      return canonicalQuantity((code === 0x22 ? raw.slice(1, -1) : raw).trim());
    }
    if (value === "null") return formatDuration(parseDuration(""));
    if (text === undefined) throw intoGoValue(value, "string");
    return decodeTimeText(type.kind, text);
  } catch (error) {
    if (error instanceof QuantityError) saveFatal(context, new DecodeError("type", error.message));
    else if (error instanceof DecodeError) saveFatal(context, error);
    else throw error;
    return undefined;
  }
}

function intoGoValue(value: string, typeName: string): DecodeError {
  const message = `json: cannot unmarshal ${value} into Go value of type ${typeName}`;
  return new DecodeError("type", message, { value, typeName });
}

function intOf(literal: string, value: string): number {
  const number = Number(literal);
  if (value === "number" && /^-?\d+$/.test(literal) && number === (number | 0)) return number;
  const shown = value === "number" ? `number ${literal}` : value;
  throw intoGoValue(shown, "int32");
}

function decodeTimeText(kind: string, text: string): string | undefined {
  if (kind === "duration") return formatDuration(parseDuration(text));
  const instant = kind === "time" ? parseTime(text) : parseMicroTime(text);
  if (isZeroInstant(instant)) return undefined;
  return kind === "time" ? formatTime(instant) : formatMicroTime(instant);
}

/** apiextensions' JSON, and its unions of a schema with a bool, a list or strings. */
function decodeJsonUnion(context: Context, type: JsonSchema, code: number): JsonValue | undefined {
  const { reader } = context;
  const { object } = type;
  if (object === undefined) return reader.readAny() ?? undefined;
  if (code === 0x7b)
    return withoutStrictness(context, (inner) => decodeStruct(inner, object, undefined));
  if (type.goName?.endsWith("OrBool") === true) {
    const value = describe(reader);
    reader.skipValue();
    if (value === "bool") return reader.text[reader.position - 2] === "u";
    saveFatal(context, new DecodeError("type", "boolean or JSON schema expected"));
    return undefined;
  }
  if (code !== 0x5b) {
    reader.skipValue();
    return undefined;
  }
  const elem: TypeSchema = type.goName?.endsWith("OrArray") === true ? object : { kind: "string" };
  return withoutStrictness(context, (inner) => decodeList(inner, elem));
}

/** These types decode with a decoder of their own: no strict errors, no context in errors. */
function withoutStrictness<T>(context: Context, decode: (inner: Context) => T): T {
  const inner: Context = {
    ...context,
    strict: false,
    path: [],
    outerDepth: context.outerDepth + context.path.length,
    struct: undefined,
    saved: undefined,
  };
  const value = decode(inner);
  const error = inner.fatal ?? inner.saved;
  if (error !== undefined) saveFatal(context, error);
  return value;
}
