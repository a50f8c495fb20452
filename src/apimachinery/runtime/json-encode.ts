/**
 * JSON as Go prints it: fields in the struct's order, omitempty, zero values of absent fields, map
 * keys sorted by bytes, `<`, `>` and `&` escaped. Upstream: encoding/json.
 */
import type { JsonObject, JsonValue } from "./json.ts";
import type { FieldSchema, JsonSchema, StructSchema, TypeSchema } from "./type-schema.ts";

type Encode = (value: JsonValue) => string;

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes these
const NEEDS_ESCAPE = /[\u0000-\u001f"\\<>&\u2028\u2029\ud800-\udfff]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes these
const ESCAPED = /[\u0000-\u001f"\\<>&\u2028\u2029]|\p{Surrogate}/gu;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A JSON string with Go's escapes, quotes included. */
export function encodeString(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  const escaped = text.replace(ESCAPED, (character) => {
    const short = SHORT[character];
    if (short !== undefined) return short;
    const code = character.charCodeAt(0);
    if (code >= 0xd800 && code <= 0xdfff) return "\\ufffd";
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}

/** A number as Go prints a float64 or an integer. NaN and infinities have no JSON: null. */
export function encodeNumber(value: number | bigint): string {
  if (typeof value === "bigint") return String(value);
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? String(value) : "null";
}

/** Sorted by the bytes of their UTF-8 form: above the basic plane, order differs from UTF-16. */
export function sortedKeys(object: JsonObject): string[] {
  const keys = Object.keys(object);
  if (keys.length < 2) return keys;
  keys.sort();
  return keys.some((key) => key > "\ud7ff") ? keys.sort(compareBytes) : keys;
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Where JSON.stringify and Go part: HTML escapes, and halves of surrogate pairs. */
const PARTS_FROM_GO = /[<>&\u2028\u2029]|\\ud/;

/** Any JSON value in the order its keys have. */
export function encodeJsonValue(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null) return encodeScalar(value);
  try {
    const text = JSON.stringify(value);
    if (!PARTS_FROM_GO.test(text)) return text;
  } catch {
    // JSON.stringify refuses bigint.
  }
  return encodeContainer(value);
}

function encodeScalar(value: string | number | bigint | boolean | null | undefined): string {
  if (typeof value === "string") return encodeString(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  return value === null || value === undefined ? "null" : encodeNumber(value);
}

function encodeContainer(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null) return encodeScalar(value);
  if (Array.isArray(value)) return `[${value.map(encodeContainer).join(",")}]`;
  const members: string[] = [];
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member !== undefined) members.push(`${encodeString(key)}:${encodeContainer(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** Any JSON value with its keys sorted, as Go prints a map[string]interface{}. */
export function encodeSortedJson(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null) return encodeJsonValue(value);
  if (Array.isArray(value)) return `[${value.map(encodeSortedJson).join(",")}]`;
  const members: string[] = [];
  for (const key of sortedKeys(value)) {
    const member = value[key];
    if (member !== undefined) members.push(`${encodeString(key)}:${encodeSortedJson(member)}`);
  }
  return `{${members.join(",")}}`;
}

/** An object of a known type, without a trailing newline. Unknown fields are left out. */
export function encodeJson(object: JsonObject, schema: StructSchema): string {
  return structEncoder(schema)(object);
}

const structEncoders = new WeakMap<StructSchema, Encode>();

/** The compiled encoder of a struct; the same function each time. */
export function structEncoder(schema: StructSchema): Encode {
  const known = structEncoders.get(schema);
  if (known !== undefined) return known;
  let compiled: Encode | undefined;
  // Structs may hold themselves: the body is compiled on first use.
  const encode: Encode = (value) => {
    compiled ??= compileStruct(schema);
    return compiled(value);
  };
  structEncoders.set(schema, encode);
  return encode;
}

interface FieldPlan {
  readonly name: string;
  /** `"name":` */
  readonly label: string;
  readonly encode: Encode;
  /** What an absent field prints; undefined when it prints nothing. Lazy: it may nest. */
  readonly absent: (() => string) | undefined;
  /** An empty string, list or map (or a zero scalar of a field that is no pointer) is left out. */
  readonly skipsEmpty: boolean;
  readonly skipsZero: boolean;
}

function compileStruct(schema: StructSchema): Encode {
  const { unstructured } = schema;
  if (unstructured !== undefined) return (value) => unstructured.encode(value as JsonObject);
  const plans = schema.fields.map(planOf);
  return (value) => {
    const object = value as JsonObject;
    let text = "";
    for (const plan of plans) {
      const member = object[plan.name];
      if (member === undefined || member === null) {
        if (plan.absent !== undefined)
          text += (text === "" ? "" : ",") + plan.label + plan.absent();
        continue;
      }
      if (plan.skipsEmpty && isEmpty(member)) continue;
      if (plan.skipsZero && (member === "" || member === 0 || member === false)) continue;
      text += (text === "" ? "" : ",") + plan.label + plan.encode(member);
    }
    return `{${text}}`;
  };
}

function isEmpty(value: JsonValue): boolean {
  if (typeof value === "string") return value === "";
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value !== "object" || value === null) return false;
  for (const _key in value) return false;
  return true;
}

const SCALARS = new Set(["string", "bool", "int", "float"]);
const COLLECTIONS = new Set(["list", "map", "bytes"]);

function planOf(field: FieldSchema): FieldPlan {
  const { kind } = field.type;
  const omits = field.omitempty || field.omitzero;
  // Go's omitempty has no say over structs: they print even when every field is zero.
  const isOmitted = field.pointer ? omits : omits && (SCALARS.has(kind) || COLLECTIONS.has(kind));
  const isZeroTime = field.omitzero && (kind === "time" || kind === "microTime");
  const zero = field.pointer ? () => "null" : zeroText(field.type);
  return {
    name: field.json,
    label: `${encodeString(field.json)}:`,
    encode: encoderOf(field.type),
    absent: isOmitted || isZeroTime ? undefined : zero,
    skipsEmpty: omits && !field.pointer && COLLECTIONS.has(kind),
    skipsZero: omits && !field.pointer && SCALARS.has(kind),
  };
}

function zeroText(type: TypeSchema): () => string {
  switch (type.kind) {
    case "string":
      return () => '""';
    case "bool":
      return () => "false";
    case "int":
    case "float":
    case "intOrString":
      return () => "0";
    case "quantity":
      return () => '"0"';
    case "duration":
      return () => '"0s"';
    case "struct": {
      const encode = structEncoder(type);
      return () => encode({});
    }
    case "json":
      return () => (type.goName?.endsWith("OrBool") === true ? "false" : "null");
    default:
      return () => "null";
  }
}

const encodeText: Encode = (value) => encodeString(value as string);

function encoderOf(type: TypeSchema): Encode {
  switch (type.kind) {
    case "struct":
      return structEncoder(type);
    case "list":
      return listEncoder(encoderOf(type.elem));
    case "map":
      return mapEncoder(encoderOf(type.value));
    case "bool":
      return (value) => (value === true ? "true" : "false");
    case "int":
    case "float":
      return (value) => encodeNumber(value as number | bigint);
    case "fieldsV1":
      return encodeFields;
    case "raw":
    case "intOrString":
      return encodeJsonValue;
    case "json":
      return jsonEncoder(type);
    default:
      return encodeText;
  }
}

/** Texts of sets of fields that the field manager has frozen, which many objects share. */
const frozenTexts = new WeakMap<object, string>();

function encodeFields(value: JsonValue): string {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value)) {
    return encodeJsonValue(value);
  }
  let text = frozenTexts.get(value);
  if (text === undefined) {
    text = encodeJsonValue(value);
    frozenTexts.set(value, text);
  }
  return text;
}

/** Set for the length of one encodeJsonAsStored(): encoding is synchronous. */
let emptyListsAreNil = false;

/**
 * As encodeJson, for an object that the store keeps as protobuf: that knows no empty list, so a
 * list without items comes back as null, and the answer to the write must already say so.
 */
export function encodeJsonAsStored(object: JsonObject, schema: StructSchema): string {
  emptyListsAreNil = true;
  try {
    return encodeJson(object, schema);
  } finally {
    emptyListsAreNil = false;
  }
}

function listEncoder(encode: Encode): Encode {
  return (value) => {
    const list = value as JsonValue[];
    if (list.length === 0) return emptyListsAreNil ? "null" : "[]";
    let text = "";
    for (let i = 0; i < list.length; i++) {
      const elem = list[i];
      if (i > 0) text += ",";
      text += elem === undefined || elem === null ? "null" : encode(elem);
    }
    return `[${text}]`;
  };
}

function mapEncoder(encode: Encode): Encode {
  return (value) => {
    const map = value as JsonObject;
    let text = "";
    for (const key of sortedKeys(map)) {
      const member = map[key];
      if (member === undefined) continue;
      if (text !== "") text += ",";
      text += `${encodeString(key)}:${member === null ? "null" : encode(member)}`;
    }
    return `{${text}}`;
  };
}

function jsonEncoder({ object }: JsonSchema): Encode {
  if (object === undefined) return encodeJsonValue;
  const encodeStruct = structEncoder(object);
  const encode: Encode = (value) => {
    if (Array.isArray(value)) return `[${value.map(encode).join(",")}]`;
    return typeof value === "object" && value !== null
      ? encodeStruct(value)
      : encodeJsonValue(value);
  };
  return encode;
}

/** Compact JSON, indented as Go's json.Indent does: empty containers stay on one line. */
export function indentJson(text: string, indent = "  "): string {
  let result = "";
  let depth = 0;
  let i = 0;
  const newline = () => `\n${indent.repeat(depth)}`;
  while (i < text.length) {
    const character = text[i] ?? "";
    if (character === '"') {
      const end = endOfString(text, i);
      result += text.slice(i, end);
      i = end;
      continue;
    }
    i += 1;
    if (character === "{" || character === "[") {
      const next = text[i];
      if (next === "}" || next === "]") {
        result += character + next;
        i += 1;
        continue;
      }
      depth += 1;
      result += character + newline();
    } else if (character === "}" || character === "]") {
      depth -= 1;
      result += newline() + character;
    } else if (character === ",") result += character + newline();
    else if (character === ":") result += ": ";
    else result += character;
  }
  return result;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}
