/** protobufjs types built from the types table: an independent reader and writer of the wire form. */
import protobufjs from "protobufjs";
import type {
  FieldSchema,
  StructSchema,
  TypeSchema,
} from "../../../src/apimachinery/runtime/type-schema.ts";

const root = new protobufjs.Root();
const message = (name: string, fields: readonly (readonly [string, number, string])[]) => {
  const type = new protobufjs.Type(name);
  for (const [field, number, kind] of fields) type.add(new protobufjs.Field(field, number, kind));
  root.add(type);
};
message("Quantity", [["string", 1, "string"]]);
message("IntOrString", [
  ["type", 1, "int64"],
  ["intVal", 2, "int32"],
  ["strVal", 3, "string"],
]);
message("Timestamp", [
  ["seconds", 1, "int64"],
  ["nanos", 2, "int32"],
]);
message("Duration", [["duration", 1, "int64"]]);
message("Raw", [["raw", 1, "bytes"]]);

const WELL_KNOWN: Readonly<Record<string, string>> = {
  string: "string",
  bool: "bool",
  bytes: "bytes",
  float: "double",
  quantity: "Quantity",
  intOrString: "IntOrString",
  time: "Timestamp",
  microTime: "Timestamp",
  duration: "Duration",
  raw: "Raw",
  fieldsV1: "Raw",
  json: "Raw",
};

const idOf = (text: string) => text.replace(/[^A-Za-z0-9]/g, "_");

function kindOf(type: TypeSchema): string {
  if (type.kind === "struct") return protobufType(type).name;
  if (type.kind === "int") return `${type.unsigned === true ? "u" : ""}int${type.bits}`;
  return WELL_KNOWN[type.kind] ?? "bytes";
}

function addFields(type: protobufjs.Type, fields: readonly FieldSchema[], depth: number): void {
  const groups = new Map<number, FieldSchema[]>();
  for (const field of fields) {
    const through = field.inlined[depth];
    if (through !== undefined) groups.set(through, [...(groups.get(through) ?? []), field]);
    else if (field.number !== undefined) type.add(protobufField(field, field.number));
  }
  for (const [number, group] of groups) {
    const name = `${type.name}_${number}`;
    const nested = new protobufjs.Type(name);
    root.add(nested);
    addFields(nested, group, depth + 1);
    type.add(new protobufjs.Field(`inline${number}`, number, name));
  }
}

function protobufField({ json, type }: FieldSchema, number: number): protobufjs.Field {
  const name = `f_${idOf(json)}`;
  if (type.kind === "map") {
    const value = kindOf(type.value);
    return new protobufjs.MapField(name, number, "string", value) as unknown as protobufjs.Field;
  }
  if (type.kind === "list") {
    const field = new protobufjs.Field(name, number, kindOf(type.elem), "repeated");
    return field.setOption("packed", false) as protobufjs.Field;
  }
  return new protobufjs.Field(name, number, kindOf(type));
}

/** The type of a struct; nested ones join the same root. */
export function protobufType(schema: StructSchema): protobufjs.Type {
  const name = idOf(schema.name);
  const known = root.get(name);
  if (known instanceof protobufjs.Type) return known;
  const type = new protobufjs.Type(name);
  root.add(type);
  addFields(type, schema.fields, 0);
  return type;
}
