/**
 * Drops from a custom resource what its schema does not name.
 * Upstream: apiextensions-apiserver/pkg/apiserver/schema/pruning/algorithm.go.
 */
import { cloneJson } from "../../apimachinery/runtime/clone.ts";
import type { JsonObject, JsonValue } from "../../apimachinery/runtime/json.ts";
import { additionalSchema, isEmbedded, itemsSchema, propertyOf, type Schema } from "./schema.ts";

/** What every object has besides its schema. */
const META_FIELDS = new Set(["apiVersion", "kind", "metadata"]);

/** Told the path of each member that was dropped. */
export type OnPruned = (path: string) => void;

/** Prunes a whole object in place. */
export function pruneObject(object: JsonObject, schema: Schema, onPruned?: OnPruned): void {
  const root = { ...schema, "x-kubernetes-embedded-resource": true };
  pruneValue(object, root, "", onPruned);
}

/** The value without what its schema does not know; the value stays as it is. */
export function pruned(value: JsonValue, schema: Schema): JsonValue {
  const copy = cloneJson(value);
  pruneValue(copy, schema, "", undefined);
  return copy;
}

function pruneValue(
  value: JsonValue,
  schema: Schema | undefined,
  path: string,
  onPruned: OnPruned | undefined,
): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    const items = schema && itemsSchema(schema);
    const keepsAll = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
    if (items === undefined && keepsAll) return;
    for (const [i, item] of value.entries()) pruneValue(item, items, `${path}[${i}]`, onPruned);
    return;
  }
  pruneMap(value, schema, path, onPruned);
}

function pruneMap(
  value: JsonObject,
  schema: Schema | undefined,
  path: string,
  onPruned: OnPruned | undefined,
): void {
  const hasTypeMeta = schema !== undefined && isEmbedded(schema);
  const keepsAll = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
  const allowsOthers = schema?.additionalProperties !== undefined;
  const additional = schema && additionalSchema(schema);
  for (const key of Object.keys(value)) {
    if (hasTypeMeta && META_FIELDS.has(key)) continue;
    const member = value[key];
    const at = path === "" ? key : `${path}.${key}`;
    const own = schema && propertyOf(schema, key);
    if (own !== undefined) pruneValue(member ?? null, own, at, onPruned);
    else if (allowsOthers && !(keepsAll && additional === undefined)) {
      pruneValue(member ?? null, additional, at, onPruned);
    } else if (!keepsAll) {
      onPruned?.(at);
      delete value[key];
    }
  }
}
