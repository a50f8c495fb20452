/**
 * Protobuf as gogo/protobuf writes it for Kubernetes' types: fields by number, explicit zeros of
 * fields that are no pointers, maps sorted by key. A message is written from its end to its start,
 * so that lengths are known when they are written.
 */

import { parseDuration } from "./duration.ts";
import type { GroupVersionKind } from "./gvk.ts";
import { apiVersionOf } from "./gvk.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { encodeJsonValue, sortedKeys } from "./json-encode.ts";
import { parseMicroTime, parseTime } from "./time.ts";
import type { FieldSchema, JsonSchema, StructSchema, TypeSchema } from "./type-schema.ts";

/** What an encoded object starts with. */
export const PROTOBUF_PREFIX = Buffer.from("k8s\0", "latin1");

/** Whether bytes begin as an encoded object does. */
export function isProtobuf(bytes: Uint8Array): boolean {
  return PROTOBUF_PREFIX.every((byte, i) => bytes[i] === byte);
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const INITIAL_BYTES = 16 * 1024;
/** A writer that grew beyond this is not kept for the next message. */
const KEPT_BYTES_MAX = 1024 * 1024;

/** Grows downwards; `start` is the first byte written. */
class BackwardWriter {
  buffer = Buffer.allocUnsafe(INITIAL_BYTES);
  start = INITIAL_BYTES;

  #reserve(bytes: number): void {
    if (this.start >= bytes) return;
    const used = this.buffer.length - this.start;
    const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, used + bytes));
    this.buffer.copy(larger, larger.length - used, this.start);
    this.start = larger.length - used;
    this.buffer = larger;
  }

  /** Bytes written so far: the difference of two marks is a message's length. */
  mark(): number {
    return this.buffer.length - this.start;
  }

  varint(value: number): void {
    this.#reserve(10);
    if (value < 0) {
      this.bigVarint(BigInt(value));
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length += 1;
    this.start -= length;
    let position = this.start;
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[position++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[position] = rest;
  }

  bigVarint(value: bigint): void {
    this.#reserve(10);
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.start -= bytes.length;
    this.buffer.set(bytes, this.start);
  }

  integer(value: JsonValue): void {
    if (typeof value === "bigint") this.bigVarint(value);
    else this.varint(Number(value));
  }

  double(value: number): void {
    this.#reserve(8);
    this.start -= 8;
    this.buffer.writeDoubleLE(value, this.start);
  }

  /** UTF-8 without its length. */
  text(text: string): void {
    const { length } = text;
    if (length < 48) {
      this.#reserve(length);
      let position = this.start - length;
      let i = 0;
      for (; i < length; i++) {
        const code = text.charCodeAt(i);
        if (code >= 0x80) break;
        this.buffer[position++] = code;
      }
      if (i === length) {
        this.start -= length;
        return;
      }
    }
    const bytes = Buffer.byteLength(text);
    this.#reserve(bytes);
    this.start -= bytes;
    this.buffer.write(text, this.start, "utf8");
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.start -= bytes.length;
    this.buffer.set(bytes, this.start);
  }

  tag(number: number, wire: number): void {
    this.varint(number * 8 + wire);
  }

  /** Ends a length-delimited field whose content was written since `mark`. */
  delimit(number: number, mark: number): void {
    this.varint(this.mark() - mark);
    this.tag(number, BYTES);
  }

  textField(number: number, text: string): void {
    const mark = this.mark();
    this.text(text);
    this.delimit(number, mark);
  }

  take(): Buffer {
    const result = Buffer.from(this.buffer.subarray(this.start));
    if (this.buffer.length > KEPT_BYTES_MAX) this.buffer = Buffer.allocUnsafe(INITIAL_BYTES);
    this.start = this.buffer.length;
    return result;
  }
}

/** Writes a value without tag; for messages, their content. */
type Write = (writer: BackwardWriter, value: JsonValue) => void;

/** One writer serves all: encoding never yields. An error leaves it dirty, so it is reset first. */
const shared = new BackwardWriter();

/**
 * The object with Kubernetes' envelope: `k8s\0` and a runtime.Unknown that names the kind. Throws
 * when a time or duration in the object is not in its canonical form.
 */
export function encodeProtobuf(
  object: JsonObject,
  schema: StructSchema,
  gvk: GroupVersionKind,
): Buffer {
  const writer = shared;
  writer.start = writer.buffer.length;
  writer.textField(4, "");
  writer.textField(3, "");
  const raw = writer.mark();
  messageWriter(schema)(writer, object);
  writer.delimit(2, raw);
  const typeMeta = writer.mark();
  writer.textField(2, gvk.kind);
  writer.textField(1, apiVersionOf(gvk));
  writer.delimit(1, typeMeta);
  writer.bytes(PROTOBUF_PREFIX);
  return writer.take();
}

/** The bare message, as it stands in a list or in the envelope's raw field. */
export function encodeProtobufMessage(object: JsonObject, schema: StructSchema): Buffer {
  shared.start = shared.buffer.length;
  messageWriter(schema)(shared, object);
  return shared.take();
}

const writers = new WeakMap<StructSchema, Write>();

function messageWriter(schema: StructSchema): Write {
  const known = writers.get(schema);
  if (known !== undefined) return known;
  let compiled: Write | undefined;
  const write: Write = (writer, value) => {
    compiled ??= compileFields(schema.fields, 0);
    compiled(writer, value);
  };
  writers.set(schema, write);
  return write;
}

type FieldWrite = (writer: BackwardWriter, object: JsonObject) => void;

/** Fields of one message; those inlined deeper than `depth` make a message of their own. */
function compileFields(fields: readonly FieldSchema[], depth: number): Write {
  const nested = new Map<number, FieldSchema[]>();
  const entries: { number: number; write: FieldWrite }[] = [];
  for (const field of fields) {
    const through = field.inlined[depth];
    if (through !== undefined) {
      const group = nested.get(through) ?? [];
      group.push(field);
      nested.set(through, group);
    } else if (field.number !== undefined) {
      entries.push({ number: field.number, write: fieldWriter(field, field.number) });
    }
  }
  for (const [number, group] of nested) {
    const content = compileFields(group, depth + 1);
    const write: FieldWrite = (writer, object) => {
      const mark = writer.mark();
      content(writer, object);
      writer.delimit(number, mark);
    };
    entries.push({ number, write });
  }
  const backwards = entries.sort((a, b) => b.number - a.number).map((entry) => entry.write);
  return (writer, value) => {
    for (const write of backwards) write(writer, value as JsonObject);
  };
}

const ZEROS: Readonly<Record<string, JsonValue>> = {
  string: "",
  bool: false,
  int: 0,
  float: 0,
  intOrString: 0,
  quantity: "0",
  duration: "0s",
};

function fieldWriter(field: FieldSchema, number: number): FieldWrite {
  const { type, json } = field;
  if (type.kind === "list" && type.wrapped !== true) return listWriter(json, number, type.elem);
  if (type.kind === "map") return mapWriter(json, number, type.value);
  const write = taggedWriter(number, type);
  // Without a pointer, Go has always a value, and gogo writes it. Absent bytes, raw and time differ.
  const zero = field.pointer ? undefined : zeroMessage(type);
  return (writer, object) => {
    const value = object[json] ?? zero;
    if (value !== undefined) write(writer, value);
  };
}

function zeroMessage(type: TypeSchema): JsonValue | undefined {
  switch (type.kind) {
    case "struct":
      return {};
    case "time":
    case "microTime":
    case "raw":
    case "fieldsV1":
    case "json":
      return null;
    default:
      return ZEROS[type.kind];
  }
}

function listWriter(json: string, number: number, elem: TypeSchema): FieldWrite {
  const write = taggedWriter(number, elem);
  return (writer, object) => {
    const list = object[json];
    if (!Array.isArray(list)) return;
    for (let i = list.length - 1; i >= 0; i--) write(writer, list[i] ?? zeroMessage(elem) ?? null);
  };
}

function mapWriter(json: string, number: number, valueType: TypeSchema): FieldWrite {
  const write = taggedWriter(2, valueType);
  return (writer, object) => {
    const map = object[json];
    if (map === undefined || map === null) return;
    const keys = sortedKeys(map as JsonObject);
    for (let i = keys.length - 1; i >= 0; i--) {
      const key = keys[i] ?? "";
      const mark = writer.mark();
      write(writer, (map as JsonObject)[key] ?? zeroMessage(valueType) ?? null);
      writer.textField(1, key);
      writer.delimit(number, mark);
    }
  };
}

function taggedWriter(number: number, type: TypeSchema): Write {
  switch (type.kind) {
    case "bool":
      return (writer, value) => {
        writer.varint(value === true ? 1 : 0);
        writer.tag(number, VARINT);
      };
    case "int":
      return (writer, value) => {
        writer.integer(value);
        writer.tag(number, VARINT);
      };
    case "float":
      return (writer, value) => {
        writer.double(Number(value));
        writer.tag(number, FIXED64);
      };
    case "string":
      return (writer, value) => writer.textField(number, value as string);
    default: {
      const content = contentWriter(type);
      return (writer, value) => {
        const mark = writer.mark();
        content(writer, value);
        writer.delimit(number, mark);
      };
    }
  }
}

function contentWriter(type: TypeSchema): Write {
  switch (type.kind) {
    case "struct":
      return messageWriter(type);
    case "list":
      return (writer, value) => listWriter("items", 1, type.elem)(writer, { items: value });
    case "bytes":
      return (writer, value) => writer.bytes(Buffer.from(value as string, "base64"));
    case "quantity":
      return (writer, value) => writer.textField(1, value as string);
    case "intOrString":
      return writeIntOrString;
    case "time":
      return (writer, value) => writeInstant(writer, value, "time");
    case "microTime":
      return (writer, value) => writeInstant(writer, value, "microTime");
    case "duration":
      return (writer, value) => {
        writer.bigVarint(parseDuration(value as string));
        writer.tag(1, VARINT);
      };
    case "json":
      return type.object === undefined ? writeRaw : unionWriter(type, type.object);
    default:
      return writeRaw;
  }
}

/** Set while a message is written whose raw fields are bytes, as base64, and not JSON. */
let rawIsBytes = false;

/**
 * A bare message whose RawExtension fields hold base64 of bytes to be written as they are: the
 * WatchEvent of a protobuf watch carries a whole encoded object.
 */
export function encodeRawProtobuf(object: JsonObject, schema: StructSchema): Buffer {
  rawIsBytes = true;
  try {
    return encodeProtobufMessage(object, schema);
  } finally {
    rawIsBytes = false;
  }
}

/** RawExtension, FieldsV1 and apiextensions JSON: their text in field 1; nothing when nil. */
function writeRaw(writer: BackwardWriter, value: JsonValue): void {
  if (value === null) return;
  if (rawIsBytes && typeof value === "string") {
    const mark = writer.mark();
    writer.bytes(Buffer.from(value, "base64"));
    writer.delimit(1, mark);
  } else writer.textField(1, rawText(value));
}

/** As a client writes it, without Go's HTML escapes. */
function rawText(value: JsonValue): string {
  try {
    return JSON.stringify(value);
  } catch {
    // JSON.stringify refuses bigint.
    return encodeJsonValue(value);
  }
}

function writeIntOrString(writer: BackwardWriter, value: JsonValue): void {
  const isText = typeof value === "string";
  writer.textField(3, isText ? value : "");
  writer.varint(isText ? 0 : Number(value));
  writer.tag(2, VARINT);
  writer.varint(isText ? 1 : 0);
  writer.tag(1, VARINT);
}

function writeInstant(writer: BackwardWriter, value: JsonValue, kind: "time" | "microTime"): void {
  if (value === null) return;
  const instant = kind === "time" ? parseTime(value as string) : parseMicroTime(value as string);
  writer.varint(kind === "time" ? 0 : instant.nanos);
  writer.tag(2, VARINT);
  writer.varint(instant.seconds);
  writer.tag(1, VARINT);
}

/** JSONSchemaPropsOrBool {allows, schema}, ...OrArray {schema, schemas}, ...OrStringArray. */
function unionWriter({ goName = "" }: JsonSchema, object: StructSchema): Write {
  const schemaWriter = messageWriter(object);
  const isOrBool = goName.endsWith("OrBool");
  const schemaNumber = isOrBool ? 2 : 1;
  const elems = listWriter("list", 2, goName.endsWith("OrArray") ? object : { kind: "string" });
  return (writer, value) => {
    if (Array.isArray(value)) elems(writer, { list: value });
    else if (typeof value === "object" && value !== null) {
      const mark = writer.mark();
      schemaWriter(writer, value);
      writer.delimit(schemaNumber, mark);
    }
    if (!isOrBool) return;
    writer.varint(value === false || value === null ? 0 : 1);
    writer.tag(1, VARINT);
  };
}
