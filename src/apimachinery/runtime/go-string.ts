/**
 * How a value of a known type shows in the text of an Invalid error: the JSON of upstream's internal
 * struct, which has Go's field names and prints every field, except that metav1 types keep the JSON
 * form they have on the wire.
 */

import type { JsonObject, JsonValue } from "./json.ts";
import { encodeJsonValue, encodeString, sortedKeys, structEncoder } from "./json-encode.ts";
import type { FieldSchema, StructSchema, TypeSchema } from "./type-schema.ts";

const META_PACKAGE = "k8s.io/apimachinery/pkg/apis/meta/v1.";

/** The text of `value`; an absent value prints as Go's zero value of the type. */
export function goString(value: JsonValue | undefined, type: TypeSchema): string {
  switch (type.kind) {
    case "struct":
      return structText((value ?? {}) as JsonObject, type);
    case "list": {
      if (!Array.isArray(value)) return "null";
      return `[${value.map((elem) => goString(elem, type.elem)).join(",")}]`;
    }
    case "map": {
      if (typeof value !== "object" || value === null) return "null";
      const map = value as JsonObject;
      const members = sortedKeys(map).map(
        (key) => `${encodeString(key)}:${goString(map[key], type.value)}`,
      );
      return `{${members.join(",")}}`;
    }
    default:
      return value === undefined || value === null ? zeroText(type) : encodeJsonValue(value);
  }
}

function zeroText(type: TypeSchema): string {
  switch (type.kind) {
    case "string":
      return '""';
    case "bool":
      return "false";
    case "int":
    case "float":
    case "intOrString":
      return "0";
    case "quantity":
      return '"0"';
    case "duration":
      return '"0s"';
    default:
      return "null";
  }
}

function structText(object: JsonObject, schema: StructSchema): string {
  if (schema.name.startsWith(META_PACKAGE)) return structEncoder(schema)(object);
  const members = schema.fields.flatMap((field) => memberTexts(object, field));
  return `{${members.join(",")}}`;
}

function memberTexts(object: JsonObject, field: FieldSchema): string[] {
  const value = object[field.json];
  // The internal struct embeds TypeMeta and ObjectMeta: their fields stand in the outer object.
  if (field.embedded?.[0] === "TypeMeta") {
    return value === undefined ? [] : [`${encodeString(field.json)}:${encodeJsonValue(value)}`];
  }
  const isMetadata = field.go === "ObjectMeta" || field.go === "ListMeta";
  if (isMetadata && field.type.kind === "struct") {
    const inner = structEncoder(field.type)((value ?? {}) as JsonObject).slice(1, -1);
    return inner === "" ? [] : [inner];
  }
  const text = field.pointer && value === undefined ? "null" : goString(value, field.type);
  return [`${encodeString(field.go)}:${text}`];
}
