/**
 * Decoding Kubernetes' protobuf into the same canonical objects that JSON gives: a zero of a field
 * that is no pointer is absent, unknown fields are passed. Never trusts a length: every read is
 * checked against the message's end.
 */
import { isUtf8 } from "node:buffer";
import { DecodeError } from "./decode-error.ts";
import { formatDuration } from "./duration.ts";
import type { GroupVersionKind } from "./gvk.ts";
import { parseApiVersion } from "./gvk.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { JsonReader, setOwn } from "./json-reader.ts";
import { PROTOBUF_PREFIX } from "./protobuf-encode.ts";
import { formatMicroTime, formatTime, isZeroInstant } from "./time.ts";
import type { FieldSchema, JsonSchema, StructSchema, TypeSchema } from "./type-schema.ts";
import { zeroOf } from "./zero-value.ts";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
/** Types that hold themselves nest as deep as the client likes; gogo has no limit, the stack has. */
const DEPTH_MAX = 500;

const truncated = () => new DecodeError("syntax", "unexpected EOF");

class Reader {
  readonly bytes: Buffer;
  position: number;
  /** The end of the message at hand. */
  end: number;
  depth = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.position = 0;
    this.end = bytes.length;
  }

  /** A varint as a number; what is beyond 2^53 loses digits, so only for tags and lengths. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.position >= this.end) throw truncated();
      const byte = this.bytes[this.position++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw new DecodeError("syntax", "proto: integer overflow");
  }

  /** A signed 64-bit varint: a number where that is exact. */
  integer(): number | bigint {
    const start = this.position;
    const value = this.varint();
    if (this.position - start < 8) return value;
    let exact = 0n;
    let shift = 0n;
    for (let i = start; i < this.position; i++) {
      exact |= BigInt((this.bytes[i] ?? 0) & 0x7f) << shift;
      shift += 7n;
    }
    const signed = BigInt.asIntN(64, exact);
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }

  /** The end of the length-delimited content that starts at the position. */
  delimited(): number {
    const length = this.varint();
    const end = this.position + length;
    if (end > this.end) throw truncated();
    return end;
  }

  text(): string {
    const end = this.delimited();
    const start = this.position;
    this.position = end;
    if (end - start < 32) {
      let text = "";
      for (let i = start; i < end; i++) {
        const byte = this.bytes[i] ?? 0;
        if (byte >= 0x80) return this.bytes.toString("utf8", start, end);
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return this.bytes.toString("utf8", start, end);
  }

  slice(): Buffer {
    const end = this.delimited();
    const content = this.bytes.subarray(this.position, end);
    this.position = end;
    return content;
  }

  double(): number {
    if (this.position + 8 > this.end) throw truncated();
    this.position += 8;
    return this.bytes.readDoubleLE(this.position - 8);
  }

  skip(wire: number, tag: { readonly number: number; readonly message: string }): void {
    if (wire === VARINT) this.varint();
    else if (wire === BYTES) this.position = this.delimited();
    else if (wire === FIXED64 || wire === FIXED32) {
      this.position += wire === FIXED64 ? 8 : 4;
      if (this.position > this.end) throw truncated();
    } else {
      const text = `proto: ${tag.message}: illegal tag ${tag.number} (wire type ${wire})`;
      throw new DecodeError("syntax", text);
    }
  }
}

/** Runs `onField` for each field of the message that ends at `end`. */
function readMessage(
  reader: Reader,
  end: number,
  message: string,
  onField: (number: number, wire: number) => boolean,
): void {
  const outerEnd = reader.end;
  reader.end = end;
  reader.depth += 1;
  if (reader.depth > DEPTH_MAX) throw new DecodeError("syntax", "exceeded max depth");
  while (reader.position < end) {
    const tag = reader.varint();
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (number <= 0 || wire === 4) {
      const text =
        wire === 4
          ? `proto: ${message}: wiretype end group for non-group`
          : `proto: ${message}: illegal tag ${number} (wire type ${wire})`;
      throw new DecodeError("syntax", text);
    }
    if (!onField(number, wire)) reader.skip(wire, { number, message });
  }
  reader.depth -= 1;
  reader.end = outerEnd;
}

/** The envelope's content: what kind it names, and the message. */
export interface Envelope {
  readonly apiVersion: string;
  readonly kind: string;
  readonly raw: Buffer;
}

/** Opens `k8s\0` + runtime.Unknown. Throws DecodeError `syntax` for what is no envelope. */
export function openEnvelope(body: Uint8Array): Envelope {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length === 0) throw new DecodeError("syntax", "empty data");
  if (!bytes.subarray(0, 4).equals(PROTOBUF_PREFIX)) {
    const text = `provided data does not appear to be a protobuf message, expected prefix [${[...PROTOBUF_PREFIX].join(" ")}]`;
    throw new DecodeError("syntax", text);
  }
  const reader = new Reader(bytes);
  reader.position = 4;
  const envelope = { apiVersion: "", kind: "", raw: bytes.subarray(0, 0) };
  readMessage(reader, bytes.length, "Unknown", (number, wire) => {
    if (wire !== BYTES) return false;
    if (number === 1) {
      readMessage(reader, reader.delimited(), "TypeMeta", (inner, innerWire) => {
        if (innerWire !== BYTES || inner > 2) return false;
        envelope[inner === 1 ? "apiVersion" : "kind"] = reader.text();
        return true;
      });
      return true;
    }
    if (number !== 2) return false;
    envelope.raw = reader.slice();
    return true;
  });
  return envelope;
}

/** What the envelope says the body is; empty texts when it does not say. */
export function interpretEnvelope(body: Uint8Array): { apiVersion: string; kind: string } {
  const { apiVersion, kind } = openEnvelope(body);
  return { apiVersion, kind };
}

/**
 * The object of a body with envelope, read by `schema`, or by the schema of the kind it names.
 * Throws DecodeError.
 */
export function decodeProtobuf(
  body: Uint8Array,
  schema: StructSchema | ((gvk: GroupVersionKind) => StructSchema | undefined),
): { object: JsonObject; gvk: GroupVersionKind } {
  const { apiVersion, kind, raw } = openEnvelope(body);
  const gvk = { group: "", version: "", ...parseApiVersion(apiVersion), kind };
  const struct = typeof schema === "function" ? schema(gvk) : schema;
  if (struct === undefined) {
    throw new DecodeError("type", `no kind "${kind}" is registered for version "${apiVersion}"`);
  }
  const object: JsonObject = {
    ...(kind === "" ? {} : { kind }),
    ...(apiVersion === "" ? {} : { apiVersion }),
  };
  decodeInto(new Reader(raw), raw.length, struct, object);
  return { object, gvk };
}

/** A bare message, as it stands in a list or in the envelope's raw field. */
export function decodeProtobufMessage(message: Uint8Array, schema: StructSchema): JsonObject {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const object: JsonObject = {};
  decodeInto(new Reader(bytes), bytes.length, schema, object);
  return object;
}

/** A message's fields by number: leaves, and the messages of inlined structs. */
interface Plan {
  readonly message: string;
  readonly fields: ReadonlyMap<number, FieldSchema>;
  readonly nested: ReadonlyMap<number, Plan>;
}

const plans = new WeakMap<StructSchema, Plan>();

function planOf(schema: StructSchema): Plan {
  let plan = plans.get(schema);
  if (plan === undefined) {
    plan = buildPlan(schema.fields, 0, schema.name.slice(schema.name.lastIndexOf(".") + 1));
    plans.set(schema, plan);
  }
  return plan;
}

function buildPlan(fields: readonly FieldSchema[], depth: number, message: string): Plan {
  const own = new Map<number, FieldSchema>();
  const groups = new Map<number, FieldSchema[]>();
  for (const field of fields) {
    const through = field.inlined[depth];
    if (through !== undefined) groups.set(through, [...(groups.get(through) ?? []), field]);
    else if (field.number !== undefined) own.set(field.number, field);
  }
  const nested = new Map<number, Plan>();
  for (const [number, group] of groups) {
    nested.set(number, buildPlan(group, depth + 1, group[0]?.embedded?.[depth] ?? message));
  }
  return { message, fields: own, nested };
}

function decodeInto(reader: Reader, end: number, schema: StructSchema, object: JsonObject): void {
  decodePlan(reader, end, planOf(schema), object);
}

function decodePlan(reader: Reader, end: number, plan: Plan, object: JsonObject): void {
  readMessage(reader, end, plan.message, (number, wire) => {
    const field = plan.fields.get(number);
    if (field !== undefined) {
      decodeField(reader, field, wire, object);
      return true;
    }
    const nested = plan.nested.get(number);
    if (nested === undefined || wire !== BYTES) return false;
    decodePlan(reader, reader.delimited(), nested, object);
    return true;
  });
}

function expectWire(wire: number, type: TypeSchema, field: FieldSchema): void {
  const expected =
    type.kind === "bool" || type.kind === "int" ? VARINT : type.kind === "float" ? FIXED64 : BYTES;
  if (wire === expected) return;
  throw new DecodeError("syntax", `proto: wrong wireType = ${wire} for field ${field.go}`);
}

function decodeField(reader: Reader, field: FieldSchema, wire: number, object: JsonObject): void {
  const { type, json } = field;
  if (type.kind === "list" && type.wrapped !== true) {
    const list = (object[json] ?? []) as JsonValue[];
    object[json] = list;
    if (wire === BYTES && (type.elem.kind === "int" || type.elem.kind === "bool")) {
      // A packed list of numbers, which gogo accepts too.
      const end = reader.delimited();
      while (reader.position < end) list.push(readValue(reader, type.elem) ?? 0);
      return;
    }
    expectWire(wire, type.elem, field);
    list.push(readValue(reader, type.elem) ?? null);
    return;
  }
  expectWire(wire, type, field);
  if (type.kind === "map") {
    const map = (object[json] ?? {}) as JsonObject;
    object[json] = map;
    decodeEntry(reader, type.value, field, map);
    return;
  }
  const value = readValue(reader, type, object[json]);
  if (value === undefined || (!field.pointer && isZero(value, type))) {
    delete object[json];
    return;
  }
  object[json] = value;
}

function isZero(value: JsonValue, type: TypeSchema): boolean {
  if (type.kind === "struct") {
    for (const _key in value as JsonObject) return false;
    return true;
  }
  if (type.kind === "quantity") return value === "0";
  if (type.kind === "duration") return value === "0s";
  return type.kind !== "bytes" && (value === "" || value === 0 || value === false);
}

function decodeEntry(reader: Reader, type: TypeSchema, field: FieldSchema, map: JsonObject): void {
  let key = "";
  let value: JsonValue | undefined;
  readMessage(reader, reader.delimited(), field.go, (number, wire) => {
    if (number === 1 && wire === BYTES) {
      key = reader.text();
      return true;
    }
    if (number !== 2) return false;
    expectWire(wire, type, field);
    value = readValue(reader, type);
    return true;
  });
  setOwn<JsonValue | undefined>(map, key, value ?? zeroOf(type));
}

/** A value behind its tag. `previous` is what an earlier field of the same number left. */
function readValue(reader: Reader, type: TypeSchema, previous?: JsonValue): JsonValue | undefined {
  switch (type.kind) {
    case "bool":
      return reader.varint() !== 0;
    case "int":
      return type.bits === 32
        ? Number(BigInt.asIntN(32, BigInt(reader.integer())))
        : reader.integer();
    case "float":
      return reader.double();
    case "string":
      return reader.text();
    case "bytes":
      return reader.slice().toString("base64");
    case "struct": {
      const object = (previous ?? {}) as JsonObject;
      decodeInto(reader, reader.delimited(), type, object);
      return object;
    }
    case "list": {
      const list: JsonValue[] = [];
      readMessage(reader, reader.delimited(), "items", (number, wire) => {
        if (number !== 1 || wire !== BYTES) return false;
        list.push(readValue(reader, type.elem) ?? null);
        return true;
      });
      return list;
    }
    case "map":
      return undefined;
    case "intOrString":
      return readIntOrString(reader);
    case "quantity":
      return readFirstText(reader, "Quantity") || "0";
    case "time":
    case "microTime":
      return readInstant(reader, type.kind);
    case "duration": {
      let nanos: number | bigint = 0;
      readMessage(reader, reader.delimited(), "Duration", (number, wire) => {
        if (number !== 1 || wire !== VARINT) return false;
        nanos = reader.integer();
        return true;
      });
      return formatDuration(BigInt(nanos));
    }
    case "json":
      return type.object === undefined ? readRaw(reader) : readUnion(reader, type, type.object);
    default:
      return readRaw(reader);
  }
}

function readFirstText(reader: Reader, message: string): string {
  let text = "";
  readMessage(reader, reader.delimited(), message, (number, wire) => {
    if (number !== 1 || wire !== BYTES) return false;
    text = reader.text();
    return true;
  });
  return text;
}

/** JSON text in field 1; undefined when there is none, or when it is no JSON. */
function readRaw(reader: Reader): JsonValue | undefined {
  let raw: Buffer | undefined;
  readMessage(reader, reader.delimited(), "RawExtension", (number, wire) => {
    if (number !== 1 || wire !== BYTES) return false;
    raw = reader.slice();
    return true;
  });
  if (raw === undefined || raw.length === 0 || !isUtf8(raw)) return undefined;
  const json = new JsonReader(raw.toString());
  const value = json.readAny();
  json.expectEnd();
  return value ?? undefined;
}

function readIntOrString(reader: Reader): JsonValue {
  let type = 0;
  let number: number | bigint = 0;
  let text = "";
  readMessage(reader, reader.delimited(), "IntOrString", (field, wire) => {
    if (field === 3 && wire === BYTES) text = reader.text();
    else if (field === 2 && wire === VARINT) number = reader.integer();
    else if (field === 1 && wire === VARINT) type = reader.varint();
    else return false;
    return true;
  });
  return type === 1 ? text : Number(BigInt.asIntN(32, BigInt(number)));
}

function readInstant(reader: Reader, kind: "time" | "microTime"): JsonValue | undefined {
  let seconds: number | undefined;
  let nanos = 0;
  readMessage(reader, reader.delimited(), "Timestamp", (number, wire) => {
    if (wire !== VARINT || number > 2) return false;
    if (number === 1) seconds = Number(reader.integer());
    else nanos = Number(BigInt.asIntN(32, BigInt(reader.integer())));
    return true;
  });
  // An empty message is Go's zero time.
  if (seconds === undefined && nanos === 0) return undefined;
  const instant = { seconds: seconds ?? 0, nanos: kind === "time" ? 0 : nanos };
  if (Math.abs(instant.seconds) > MAX_SECONDS) throw new DecodeError("type", "time out of range");
  if (isZeroInstant(instant)) return undefined;
  return kind === "time" ? formatTime(instant) : formatMicroTime(instant);
}
/** Years 0 to 9999, which JSON can print. */
const MAX_SECONDS = 253402300799;

function readUnion(
  reader: Reader,
  { goName = "" }: JsonSchema,
  object: StructSchema,
): JsonValue | undefined {
  const isOrBool = goName.endsWith("OrBool");
  let value: JsonValue | undefined;
  const list: JsonValue[] = [];
  readMessage(reader, reader.delimited(), goName, (number, wire) => {
    if (isOrBool && number === 1 && wire === VARINT) value ??= reader.varint() !== 0;
    else if (number === (isOrBool ? 2 : 1) && wire === BYTES) value = readValue(reader, object);
    else if (!isOrBool && number === 2 && wire === BYTES) {
      const elem: TypeSchema = goName.endsWith("OrArray") ? object : { kind: "string" };
      list.push(readValue(reader, elem) ?? null);
    } else return false;
    return true;
  });
  return list.length > 0 ? list : value;
}
