/**
 * The JSON upstream's field errors print for structs. Validation there runs on internal types, which
 * have no JSON tags: every field is printed, under its Go name, zero or not. Types of apimachinery
 * (metav1) have tags and print as in the API.
 */
import type {
  FieldSchema,
  StructSchema,
  TypeSchema,
} from "../../apimachinery/runtime/type-schema.ts";
import { goJson } from "../../apimachinery/validation/field.ts";
import { findStruct } from "../schemas.ts";

const META = "k8s.io/apimachinery/";

/** `value` of the struct `goName` (a name of the types table) as upstream prints it. */
export function goInternalJson(value: unknown, goName: string): string {
  const schema = findStruct(goName);
  if (value === undefined || value === null || schema === undefined) return goJson(value ?? null);
  return goJson(internalOf(value, schema));
}

function internalOf(value: unknown, type: TypeSchema): unknown {
  if (type.kind === "struct") return structOf(value, type);
  if (type.kind === "list") {
    if (!Array.isArray(value)) return null;
    return value.map((item: unknown) => internalOf(item, type.elem));
  }
  if (type.kind === "map") {
    if (typeof value !== "object" || value === null) return null;
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([key, item]) => [key, internalOf(item, type.value)]));
  }
  return value;
}

function structOf(value: unknown, schema: StructSchema): unknown {
  const object = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (schema.name.startsWith(META)) return object;
  const out: Record<string, unknown> = {};
  for (const field of schema.fields) out[field.go] = fieldOf(object[field.json], field);
  return out;
}

function fieldOf(value: unknown, { type, pointer }: FieldSchema): unknown {
  if (value !== undefined) return internalOf(value, type);
  if (pointer) return null;
  switch (type.kind) {
    case "string":
      return "";
    case "bool":
      return false;
    case "int":
    case "float":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "struct":
      return structOf({}, type);
    default:
      return null;
  }
}
