/**
 * Items of sets are unique, and so are the keys of lists that are maps.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/listtype/validation.go.
 */
import { isJsonObject, type JsonValue } from "../../apimachinery/runtime/json.ts";
import { encodeSortedJson } from "../../apimachinery/runtime/json-encode.ts";
import { duplicate, type ErrorList, invalid, Path } from "../../apimachinery/validation/field.ts";
import { additionalSchema, itemsSchema, propertyOf, type Schema } from "./schema.ts";

/** Duplicates in `value` and below it. */
export function validateListTypes(value: JsonValue, schema: Schema, at?: Path): ErrorList {
  const errors: ErrorList = [];
  if (Array.isArray(value)) {
    const items = itemsSchema(schema);
    const path = at ?? Path.root("");
    errors.push(...duplicates(value, schema, path));
    if (items === undefined) return errors;
    for (const [i, item] of value.entries()) {
      errors.push(...validateListTypes(item, items, path.index(i)));
    }
    return errors;
  }
  if (!isJsonObject(value)) return errors;
  const additional = additionalSchema(schema);
  for (const [name, member] of Object.entries(value)) {
    const own = propertyOf(schema, name);
    const of = own ?? additional;
    if (of === undefined || member === undefined) continue;
    const path = at === undefined ? Path.root(name) : own ? at.child(name) : at.key(name);
    errors.push(...validateListTypes(member, of, path));
  }
  return errors;
}

function duplicates(items: readonly JsonValue[], schema: Schema, at: Path): ErrorList {
  const errors: ErrorList = [];
  const type = schema["x-kubernetes-list-type"];
  if (type !== "set" && type !== "map") return errors;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    if (type === "map" && !isJsonObject(item)) {
      if (item === null) continue;
      const detail = "must be an object for an array of list-type map";
      errors.push(invalid(at.index(i), item, detail));
      continue;
    }
    const shown = type === "map" ? keyOf(item, keys) : item;
    const text = encodeSortedJson(shown);
    if (seen.has(text)) errors.push(duplicate(at.index(i), shown));
    seen.add(text);
  }
  return errors;
}

function keyOf(item: JsonValue, keys: readonly string[]): JsonValue {
  const key: Record<string, JsonValue> = {};
  if (!isJsonObject(item)) return key;
  for (const name of keys) {
    const value = Object.hasOwn(item, name) ? item[name] : undefined;
    if (value !== undefined) key[name] = value;
  }
  return key;
}

/**
 * Finds what an item was in the `old` list: items of a list that is a map are known by their keys.
 * Undefined: items of this list cannot be told.
 */
export function oldItems(
  schema: Schema,
  old: JsonValue | undefined,
): ((item: JsonValue) => JsonValue | undefined) | undefined {
  if (!Array.isArray(old) || schema["x-kubernetes-list-type"] !== "map") return undefined;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const textOf = (item: JsonValue) =>
    isJsonObject(item) ? JSON.stringify(keys.map((key) => String(item[key]))) : "";
  const byKey = new Map(old.map((item) => [textOf(item), item]));
  return (item) => byKey.get(textOf(item));
}
