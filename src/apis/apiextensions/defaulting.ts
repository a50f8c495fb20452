/**
 * Defaults of a custom resource's schema.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/defaulting.
 */
import { cloneJson } from "../../apimachinery/runtime/clone.ts";
import type { JsonValue } from "../../apimachinery/runtime/json.ts";
import { setOwn } from "../../apimachinery/runtime/json-reader.ts";
import { additionalSchema, itemsSchema, propertyOf, type Schema } from "./schema.ts";

const isNullByMistake = (value: JsonValue | undefined, schema: Schema | undefined) =>
  value === null && schema !== undefined && schema.nullable !== true;

/** Fills in defaults in place: where a member is missing, or null without being nullable. */
export function setSchemaDefaults(value: JsonValue, schema: Schema): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const items = itemsSchema(schema);
    if (items === undefined) return;
    for (const [i, item] of value.entries()) {
      if (isNullByMistake(item, items) && items.default !== undefined) {
        value[i] = copyOf(items.default);
      }
      setSchemaDefaults(value[i] ?? null, items);
    }
    return;
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined) continue;
    const isMissing = !Object.hasOwn(value, name) || value[name] === undefined;
    if (isMissing || isNullByMistake(value[name], property)) {
      setOwn<JsonValue | undefined>(value, name, copyOf(property.default));
    }
  }
  const additional = additionalSchema(schema);
  for (const name of Object.keys(value)) {
    const own = propertyOf(schema, name);
    if (own === undefined && additional?.default !== undefined) {
      if (isNullByMistake(value[name], additional)) value[name] = copyOf(additional.default);
    }
    const of = own ?? additional;
    if (of !== undefined) setSchemaDefaults(value[name] ?? null, of);
  }
}

function copyOf(value: unknown): JsonValue {
  return cloneJson(value) as JsonValue;
}

/** Drops nulls that are neither nullable nor replaced by a default, in place. */
export function pruneNullsWithoutDefaults(value: JsonValue, schema: Schema): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const items = itemsSchema(schema);
    if (items === undefined) return;
    for (const item of value) pruneNullsWithoutDefaults(item, items);
    return;
  }
  const additional = additionalSchema(schema);
  for (const name of Object.keys(value)) {
    const of = propertyOf(schema, name) ?? additional;
    if (of === undefined) continue;
    if (isNullByMistake(value[name], of) && of.default === undefined) delete value[name];
    else pruneNullsWithoutDefaults(value[name] ?? null, of);
  }
}
