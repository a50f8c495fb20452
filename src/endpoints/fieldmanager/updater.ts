/**
 * Who owns what after an update or an apply, and what the applied object becomes.
 * Upstream: structured-merge-diff/merge/update.go and conflict.go.
 */
import { unknownError } from "../../apimachinery/api/errors.ts";
import { type Comparison, compare, filterComparison } from "./compare.ts";
import { EMPTY, type FieldSet } from "./field-set.ts";
import { mergeTyped } from "./merge.ts";
import type { MergeType } from "./merge-type.ts";
import { prune } from "./prune.ts";
import { reconcileWithSchema } from "./reconcile.ts";
import { TypedValueError, toFieldSet } from "./typed-value.ts";
import { compareText, equals, type JsonMap } from "./value.ts";
import { convertOr, type Managers, type TypedObject, type UpdaterOptions } from "./versioned.ts";

export type {
  ConvertTyped,
  FieldFilter,
  Managers,
  TypedObject,
  UpdaterOptions,
  VersionedSet,
} from "./versioned.ts";

export interface Conflict {
  readonly manager: string;
  readonly path: readonly string[];
}

/** Fields that others own and that would change. Sorted by manager, then by path. */
export class Conflicts extends Error {
  override readonly name = "Conflicts";
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(`${conflicts.length} conflicts`);
    this.conflicts = conflicts;
  }
}

/** The owners after `live` was replaced by `next` on behalf of `manager`. */
export function updateManagers(
  options: UpdaterOptions,
  live: TypedObject,
  next: TypedObject,
  before: Managers,
  manager: string,
): Managers {
  const managers = reconcile(options, live, before);
  const comparison = transfer(options, live, next, managers, manager, true);
  const own = managers.get(manager)?.set ?? EMPTY;
  const { added, modified, removed } = comparison;
  const changed = own.difference(removed).union(modified).union(added);
  const set = options.ignoreFilters.get(next.apiVersion)?.(changed) ?? changed;
  if (set.isEmpty) managers.delete(manager);
  else managers.set(manager, { set, apiVersion: next.apiVersion, applied: false });
  return managers;
}

export interface Applied {
  /** The merged object, or undefined when it equals the live one. */
  readonly object: TypedObject | undefined;
  readonly managers: Managers;
}

/** Merges `config` into `live` on behalf of `manager`. Throws Conflicts and TypedValueError. */
export function applyConfig(
  options: UpdaterOptions,
  live: TypedObject,
  config: TypedObject,
  before: Managers,
  manager: string,
  force: boolean,
): Applied {
  const managers = reconcile(options, live, before);
  const value = mergeObjects(live, config);
  const merged: TypedObject = { ...live, value };
  const last = managers.get(manager);
  const mentioned = toFieldSet(config.type, config.value);
  const set = options.ignoreFilters.get(config.apiVersion)?.(mentioned) ?? mentioned;
  managers.set(manager, { set, apiVersion: config.apiVersion, applied: true });
  const pruned = prune(options, merged, managers, manager, last);
  transfer(options, live, pruned, managers, manager, force);
  const isSame = equals(live.value, pruned.value);
  return { object: isSame ? undefined : pruned, managers };
}

function mergeObjects(live: TypedObject, config: TypedObject): JsonMap {
  try {
    return (mergeTyped(config.type, live.value, config.value) ?? {}) as JsonMap;
  } catch (error) {
    if (!(error instanceof TypedValueError)) throw error;
    throw unknownError(`failed to merge config: ${error.message}`);
  }
}

/** A copy of the managers under today's schema, without those of versions not known any more. */
function reconcile(options: UpdaterOptions, live: TypedObject, managers: Managers): Managers {
  const types = new Map<string, MergeType | undefined>();
  const out: Managers = new Map();
  for (const [manager, owned] of managers) {
    const { apiVersion } = owned;
    if (!types.has(apiVersion)) types.set(apiVersion, convertOr(options, live, apiVersion)?.type);
    const type = types.get(apiVersion);
    if (type === undefined) continue;
    const set = reconcileWithSchema(type, owned.set);
    out.set(manager, set === owned.set ? owned : { ...owned, set });
  }
  return out;
}

/** Takes what changed from every other manager, or throws Conflicts when that takes force. */
function transfer(
  options: UpdaterOptions,
  live: TypedObject,
  next: TypedObject,
  managers: Managers,
  workflow: string,
  force: boolean,
): Comparison {
  const versions = new Map<string, Versioned>();
  const own = versionedComparison(options, live, next);
  versions.set(next.apiVersion, own);
  const conflicts = new Map<string, FieldSet>();
  const removals = new Map<string, FieldSet>();
  for (const [manager, { set, apiVersion }] of managers) {
    if (manager === workflow) continue;
    let version = versions.get(apiVersion);
    if (version === undefined) {
      const before = options.convert(live, apiVersion);
      const after = options.convert(next, apiVersion);
      if (before === undefined || after === undefined) {
        managers.delete(manager);
        continue;
      }
      version = versionedComparison(options, before, after);
      versions.set(apiVersion, version);
    }
    const taken = set.intersection(version.changed);
    if (!taken.isEmpty) conflicts.set(manager, taken);
    if (!version.comparison.removed.isEmpty) removals.set(manager, version.comparison.removed);
  }
  if (!force && conflicts.size > 0) throw conflictsOf(conflicts);
  for (const lost of [conflicts, removals]) {
    for (const [manager, fields] of lost) {
      const owned = managers.get(manager);
      if (owned === undefined) continue;
      const set = owned.set.difference(fields);
      if (set !== owned.set) managers.set(manager, { ...owned, set });
    }
  }
  for (const [manager, { set }] of managers) if (set.isEmpty) managers.delete(manager);
  return own.comparison;
}

interface Versioned {
  readonly comparison: Comparison;
  readonly changed: FieldSet;
}

function versionedComparison(
  options: UpdaterOptions,
  before: TypedObject,
  after: TypedObject,
): Versioned {
  const whole = compare(before.type, before.value, after.value);
  const comparison = filterComparison(whole, options.ignoreFilters.get(after.apiVersion));
  return { comparison, changed: comparison.modified.union(comparison.added) };
}

function conflictsOf(sets: ReadonlyMap<string, FieldSet>): Conflicts {
  const conflicts: Conflict[] = [];
  for (const manager of [...sets.keys()].sort(compareText)) {
    sets.get(manager)?.visit((path) => {
      conflicts.push({ manager, path });
    });
  }
  return new Conflicts(conflicts);
}
