/**
 * What an applied configuration does not hold any more.
 * Upstream: structured-merge-diff/merge/update.go (prune).
 */
import { EMPTY, FieldSet, LEAF, type SetNode } from "./field-set.ts";
import { removeItems } from "./merge.ts";
import { type MergeType, memberType, NOTHING } from "./merge-type.ts";
import { fieldElement } from "./path-element.ts";
import { elementOrUndefined, toFieldSet } from "./typed-value.ts";
import { isMap, type Json, type JsonMap, memberOf } from "./value.ts";
import {
  convertOr,
  type Managers,
  type TypedObject,
  type UpdaterOptions,
  type VersionedSet,
} from "./versioned.ts";

/**
 * Removes what the manager applied last time, does not apply now, and nobody else owns. `managers`
 * holds what it applies now. Where all owners wrote in one version, that is decided on the sets.
 */
export function prune(
  options: UpdaterOptions,
  merged: TypedObject,
  managers: Managers,
  applying: string,
  last: VersionedSet | undefined,
): TypedObject {
  if (last === undefined || last.set.isEmpty) return merged;
  const now = managers.get(applying);
  // Nothing can be pruned when everything applied before is still applied.
  if (now?.apiVersion === last.apiVersion && last.set.isWithin(now.set)) return merged;
  const { apiVersion, type, value } = merged;
  const owners = [...managers.values()];
  if (last.apiVersion === apiVersion && owners.every((owner) => owner.apiVersion === apiVersion)) {
    const sets = owners.map(({ set }) => set);
    const gone = unowned({ type, value, last: last.set, owners: sets, taken: false, gone: false });
    return withValue(merged, removeItems(type, value, gone));
  }
  return pruneAcrossVersions(options, merged, managers, last, now?.apiVersion ?? last.apiVersion);
}

/** A place in the object, with what was applied there last time and what is owned there now. */
interface Place {
  readonly type: MergeType;
  readonly value: Json;
  readonly last: FieldSet;
  readonly owners: readonly FieldSet[];
  /** A field above was applied last time. */
  readonly taken: boolean;
  /** A field above goes. */
  readonly gone: boolean;
}

/**
 * The part of `last` that goes. A field that was applied is taken out unless somebody owns it, and
 * takes along what was applied below it; what nobody ever applied stays, unless its parent goes.
 */
function unowned(place: Place): FieldSet {
  const { type, last, owners } = place;
  const out = new Map<string, SetNode>();
  const valueAt = valuesOf(place);
  for (const [element, { member, children }] of last.entries) {
    const value = valueAt(element);
    const field = element.startsWith("f:") ? type.map?.fields.get(element.slice(2)) : undefined;
    const typeBelow = typeAt(type, element);
    if (value === undefined || (field !== undefined && !isNamed(typeBelow, value))) continue;
    // The fields of a struct that lead to a member count as members.
    const isMember = (node: SetNode) =>
      node.member || (field !== undefined && node.children !== undefined);
    const nodes = owners.flatMap((owner) => owner.entries.get(element) ?? []);
    const applied = isMember({ member, children });
    const taken = place.taken || applied;
    const isOwned = nodes.some(isMember) && (!field || staysNamed(typeBelow, value, nodes));
    const gone = place.gone || (taken && !isOwned);
    if (applied && gone) out.set(element, LEAF);
    else if (children !== undefined && value !== REPEATED) {
      const below = nodes.flatMap((node) => node.children ?? []);
      const rest = { type: typeBelow, value, last: children, owners: below, taken, gone };
      const removed = unowned(rest);
      if (!removed.isEmpty) out.set(element, { member: false, children: removed });
    }
  }
  return FieldSet.of(out);
}

/**
 * Whether a struct's field of this value has a path of its own: an empty list of items has none, nor
 * has what holds nothing but such lists.
 */
function isNamed({ map, list }: MergeType, value: Json): boolean {
  if (Array.isArray(value)) return list?.associative !== true || value.length > 0;
  if (!isMap(value) || map === undefined || map.atomic) return true;
  let isEmpty = true;
  for (const name in value) {
    isEmpty = false;
    const field = map.fields.get(name);
    if (field === undefined || isNamed(field.type, value[name])) return true;
  }
  return isEmpty;
}

/** The same once everything in it has gone that nobody owns. */
function staysNamed(type: MergeType, value: Json, owned: readonly SetNode[]): boolean {
  const { map, list } = type;
  if (Array.isArray(value)) {
    if (list?.associative !== true) return true;
    return value.some((item) => isOwnedAt(owned, elementOrUndefined(list, item) ?? "", false));
  }
  if (!isMap(value) || map === undefined || map.atomic) return true;
  let isEmpty = true;
  for (const name in value) {
    const field = map.fields.get(name);
    const element = fieldElement(name);
    const goes =
      (field === undefined || isNamed(field.type, value[name])) &&
      !isOwnedAt(owned, element, field !== undefined);
    if (goes) continue;
    isEmpty = false;
    if (field === undefined) return true;
    const below = owned.flatMap(({ children }) => children?.entries.get(element) ?? []);
    if (staysNamed(field.type, value[name], below)) return true;
  }
  return isEmpty;
}

/** Whether a set has the element as a member; a struct's field counts when it leads to one. */
function isOwnedAt(owned: readonly SetNode[], element: string, isField: boolean): boolean {
  return owned.some(({ children }) => {
    const node = children?.entries.get(element);
    return node !== undefined && (node.member || (isField && node.children !== undefined));
  });
}

/** Stands for items that share their element: they go together or stay as they are. */
const REPEATED = Symbol("repeated");

/** What an element stands for in the object; undefined where there is nothing. */
function valuesOf({ type, value }: Place): (element: string) => Json {
  if (isMap(value)) {
    return (element) => (element.startsWith("f:") ? memberOf(value, element.slice(2)) : undefined);
  }
  const { list } = type;
  if (!Array.isArray(value) || list === undefined) return () => undefined;
  const items = new Map<string, Json>();
  for (const item of value) {
    const element = elementOrUndefined(list, item);
    if (element !== undefined) items.set(element, items.has(element) ? REPEATED : item);
  }
  return (element) => items.get(element);
}

function typeAt({ map, list }: MergeType, element: string): MergeType {
  if (element.startsWith("f:")) {
    return (map && memberType(map, element.slice(2))) ?? NOTHING;
  }
  return (element.startsWith("k:") ? list?.elem : undefined) ?? NOTHING;
}

/** The same on objects, each owner's fields in the version it wrote, as upstream does it always. */
export function pruneAcrossVersions(
  options: UpdaterOptions,
  merged: TypedObject,
  managers: Managers,
  last: VersionedSet,
  apiVersion: string,
): TypedObject {
  const converted = convertOr(options, merged, last.apiVersion);
  if (converted === undefined) return merged;
  const { type } = converted;
  const lastSet = last.set.ensureNamedFieldsAreMembers(type);
  const all = namedFields(converted);
  let pruned = withValue(converted, removeItems(type, converted.value, lastSet));
  pruned = addBackOwned(options, converted, all, pruned, managers);
  pruned = addBackDangling(options, converted, all, pruned, lastSet);
  return convertOr(options, pruned, apiVersion) ?? merged;
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
