/**
 * Who owns what after an update or an apply, and what the applied object becomes.
 * Upstream: structured-merge-diff/merge/update.go and conflict.go.
 */
import { unknownError } from "../../apimachinery/api/errors.ts";
import { type Comparison, compare, filterComparison } from "./compare.ts";
import { EMPTY, type FieldSet } from "./field-set.ts";
import { mergeTyped, removeItems } from "./merge.ts";
import type { MergeType } from "./merge-type.ts";
import { reconcileWithSchema } from "./reconcile.ts";
import { TypedValueError, toFieldSet } from "./typed-value.ts";
import { compareText, equals, type JsonMap } from "./value.ts";

/** What one manager owns, in which version. */
export interface VersionedSet {
  readonly set: FieldSet;
  readonly apiVersion: string;
  readonly applied: boolean;
}
/** By manager identifier. */
export type Managers = Map<string, VersionedSet>;

/** A value in one version of its kind. */
export interface TypedObject {
  readonly apiVersion: string;
  readonly type: MergeType;
  readonly value: JsonMap;
}

/** Gives the object in another version; undefined when that version is not known (any more). */
export type ConvertTyped = (object: TypedObject, apiVersion: string) => TypedObject | undefined;

/** What is left of a set when fields a manager may not set are ignored. */
export type FieldFilter = (set: FieldSet) => FieldSet;

export interface UpdaterOptions {
  readonly convert: ConvertTyped;
  readonly ignoreFilters: ReadonlyMap<string, FieldFilter>;
}

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

const convertOr = (options: UpdaterOptions, object: TypedObject, apiVersion: string) =>
  object.apiVersion === apiVersion ? object : options.convert(object, apiVersion);

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

/** Removes what the manager applied last time, does not apply now, and nobody else owns. */
function prune(
  options: UpdaterOptions,
  merged: TypedObject,
  managers: Managers,
  applying: string,
  last: VersionedSet | undefined,
): TypedObject {
  if (last === undefined || last.set.isEmpty) return merged;
  // Nothing can be pruned when everything applied before is still applied, or gone already.
  const now = managers.get(applying);
  if (now?.apiVersion === last.apiVersion && last.set.isWithin(now.set)) return merged;
  const converted = convertOr(options, merged, last.apiVersion);
  if (converted === undefined) return merged;
  const { type } = converted;
  const lastSet = last.set.ensureNamedFieldsAreMembers(type);
  const all = namedFields(converted);
  let pruned = withValue(converted, removeItems(type, converted.value, lastSet));
  pruned = addBackOwned(options, converted, all, pruned, managers);
  pruned = addBackDangling(options, converted, all, pruned, lastSet);
  return convertOr(options, pruned, now?.apiVersion ?? last.apiVersion) ?? merged;
}

/** Every field and item of an object, with the fields that lead to them. */
const namedFields = ({ type, value }: TypedObject): FieldSet =>
  toFieldSet(type, value).ensureNamedFieldsAreMembers(type);

const withValue = (object: TypedObject, value: unknown): TypedObject => ({
  ...object,
  value: (value ?? {}) as JsonMap,
});

/** Puts back what others, or the manager's new configuration, own. `all` is of `merged`. */
function addBackOwned(
  options: UpdaterOptions,
  merged: TypedObject,
  all: FieldSet,
  pruned: TypedObject,
  managers: Managers,
): TypedObject {
  // The version that was pruned comes first: others may need fields of it to convert.
  const ownedIn = new Map<string, FieldSet>([[merged.apiVersion, EMPTY]]);
  for (const { set, apiVersion } of managers.values()) {
    ownedIn.set(apiVersion, (ownedIn.get(apiVersion) ?? EMPTY).union(set));
  }
  let result = pruned;
  for (const [apiVersion, owned] of ownedIn) {
    if (owned.isEmpty && apiVersion === merged.apiVersion) continue;
    const whole = convertOr(options, merged, apiVersion);
    const versioned = whole && convertOr(options, result, apiVersion);
    if (whole === undefined || versioned === undefined) continue;
    const { type } = whole;
    const kept = namedFields(versioned).union(owned.ensureNamedFieldsAreMembers(type));
    const everything = whole === merged ? all : namedFields(whole);
    result = withValue(whole, removeItems(type, whole.value, everything.difference(kept)));
  }
  return result;
}

/** Puts back what the manager had not applied last time: it is not for this manager to remove. */
function addBackDangling(
  options: UpdaterOptions,
  merged: TypedObject,
  all: FieldSet,
  pruned: TypedObject,
  lastSet: FieldSet,
): TypedObject {
  const versioned = convertOr(options, pruned, merged.apiVersion);
  if (versioned === undefined) return merged;
  const gone = all.difference(namedFields(versioned)).intersection(lastSet);
  return withValue(merged, removeItems(merged.type, merged.value, gone));
}
