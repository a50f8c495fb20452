/** Matching of stored objects against a Scope, on the few values a selector can see. */
import type { FieldRequirement } from "../apimachinery/fields/selector.ts";
import { isEverything, labelsMatch } from "../apimachinery/labels/selector.ts";
import type { Scope, StorageConfig } from "./interfaces.ts";

/** What selectors can see of one object. */
export interface Selectable {
  readonly labels: Readonly<Record<string, string>>;
  /** By field path: metadata.name, metadata.namespace and the config's fieldPaths. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Reads labels and selectable fields out of an object's JSON. A missing field is "". */
export function selectableOf(json: Uint8Array, config: StorageConfig): Selectable {
  const object: unknown = JSON.parse(Buffer.from(json).toString("utf8"));
  const fields: Record<string, string> = Object.create(null);
  for (const path of ["metadata.name", "metadata.namespace", ...config.fieldPaths]) {
    fields[path] = scalarText(walk(object, path));
  }
  const labels: Record<string, string> = Object.create(null);
  const found = walk(object, "metadata.labels");
  if (isRecord(found)) for (const key of Object.keys(found)) labels[key] = scalarText(found[key]);
  return { labels, fields };
}

function walk(object: unknown, path: string): unknown {
  let at = object;
  for (const step of path.split(".")) at = isRecord(at) ? at[step] : undefined;
  return at;
}
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function scalarText(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : String(value);
}

/** Whether the scope asks for more than a namespace or a name, which the key answers. */
export function hasSelector(scope: Scope): boolean {
  if (scope.labels !== undefined && !isEverything(scope.labels)) return true;
  return (scope.fields?.requirements.length ?? 0) > 0;
}

/** Whether a key relative to the resource's prefix lies in the scope. */
export function keyInScope(name: string, scope: Scope): boolean {
  if (scope.namespace !== undefined && !name.startsWith(`${scope.namespace}/`)) return false;
  return scope.name === undefined || name.slice(name.lastIndexOf("/") + 1) === scope.name;
}

/** Whether an object matches the scope's selectors. */
export function matchesSelectors({ labels, fields }: Scope, object: Selectable): boolean {
  if (labels !== undefined && !labelsMatch(labels, object.labels)) return false;
  return (fields?.requirements ?? []).every((one) => matchesField(one, object.fields));
}

function matchesField(r: FieldRequirement, fields: Readonly<Record<string, string>>): boolean {
  const equal = (fields[r.field] ?? "") === r.value;
  return r.operator === "=" ? equal : !equal;
}
