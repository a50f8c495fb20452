/**
 * Fields a strategy ignores for ownership: what an endpoint resets, its writers do not own.
 * Upstream: rest.ResetFieldsStrategy and fieldpath.Filter.
 */
import { FieldSet, LEAF, type SetNode } from "./field-set.ts";
import type { FieldFilter } from "./updater.ts";

/** One path of field names; `*` in an include pattern stands for any element. */
export type FieldPath = readonly string[];

/** Ignores these fields and everything below them: `[["status"]]`. */
export function excludeFields(...paths: readonly FieldPath[]): FieldFilter {
  const excluded = FieldSet.ofPaths(...paths.map((path) => path.map((name) => `f:${name}`)));
  return (set) => set.recursiveDifference(excluded);
}

/** Ignores everything but what lies on or below these paths. */
export function includeFields(...patterns: readonly FieldPath[]): FieldFilter {
  return (set) => matching(set, patterns);
}

function matching(set: FieldSet, patterns: readonly FieldPath[]): FieldSet {
  if (patterns.some((pattern) => pattern.length === 0)) return set;
  const entries = new Map<string, SetNode>();
  for (const [element, { member, children }] of set.entries) {
    const rest = patterns
      .filter(([head]) => head === "*" || `f:${head}` === element)
      .map((pattern) => pattern.slice(1));
    if (rest.length === 0) continue;
    const below = children === undefined ? FieldSet.empty : matching(children, rest);
    if (!below.isEmpty) entries.set(element, { member, children: below });
    else if (member) entries.set(element, LEAF);
  }
  return FieldSet.of(entries);
}
