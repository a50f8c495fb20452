/**
 * What changed between two values of one type, as three sets of fields.
 * Upstream: structured-merge-diff/typed/compare.go.
 */
import { EMPTY, FieldSet, FieldSetBuilder, LEAF, type SetNode } from "./field-set.ts";
import {
  type MergeList,
  type MergeMap,
  type MergeType,
  memberType,
  NOTHING,
  type Part,
  partOf,
} from "./merge-type.ts";
import { fieldElement } from "./path-element.ts";
import { SetDraft } from "./set-draft.ts";
import { elementOrUndefined } from "./typed-value.ts";
import { equals, isMap, type Json, type JsonMap, memberOf } from "./value.ts";

/** No field is in more than one of the sets. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** A comparison in progress. `path` is where the walk stands. */
interface Walk {
  readonly path: string[];
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

/** Compares two values that conform to `type`, or allow duplicates at most. */
export function compare(type: MergeType, left: Json, right: Json): Comparison {
  const walk: Walk = {
    path: [],
    added: new FieldSetBuilder(),
    modified: new FieldSetBuilder(),
    removed: new FieldSetBuilder(),
  };
  visit(walk, type, left, right);
  return {
    added: walk.added.build(),
    modified: walk.modified.build(),
    removed: walk.removed.build(),
  };
}

/** Keeps what `filter` leaves of each set. */
export function filterComparison(
  { added, modified, removed }: Comparison,
  filter: ((set: FieldSet) => FieldSet) | undefined,
): Comparison {
  if (filter === undefined) return { added, modified, removed };
  return { added: filter(added), modified: filter(modified), removed: filter(removed) };
}

function visit(walk: Walk, type: MergeType, left: Json, right: Json): void {
  if (left === right) return;
  if (left === undefined) {
    walk.added.graft(walk.path, wholeOf(type, right));
    return;
  }
  if (right === undefined) {
    walk.removed.graft(walk.path, wholeOf(type, left));
    return;
  }
  const leftPart = partOf(type, left);
  const rightPart = partOf(type, right);
  if (leftPart !== rightPart) visitPart(walk, type, leftPart, left, right);
  visitPart(walk, type, rightPart, left, right);
}

function visitPart(walk: Walk, type: MergeType, part: Part, left: Json, right: Json): void {
  if (part === "map" && type.map) visitMap(walk, type.map, left, right);
  else if (part === "list" && type.list) visitList(walk, type.list, left, right);
  else visitLeaf(walk, left, right);
}

function visitLeaf(walk: Walk, left: Json, right: Json): void {
  if (!equals(left, right)) walk.modified.insert(walk.path);
}

function visitMap(walk: Walk, map: MergeMap, left: Json, right: Json): void {
  if (map.atomic) {
    visitLeaf(walk, left, right);
    return;
  }
  const lefts = isMap(left) ? left : undefined;
  const rights = isMap(right) ? right : undefined;
  let isEmpty = true;
  for (const name in lefts) {
    isEmpty = false;
    const theirs = rights === undefined ? undefined : memberOf(rights, name);
    visitMember(walk, map, name, lefts[name], theirs);
  }
  for (const name in rights) {
    isEmpty = false;
    if (lefts !== undefined && memberOf(lefts, name) !== undefined) continue;
    visitMember(walk, map, name, undefined, rights[name]);
  }
  // Both empty: a leaf, which tells empty from null.
  if (isEmpty) visitLeaf(walk, left, right);
}

function visitMember(walk: Walk, map: MergeMap, name: string, left: Json, right: Json): void {
  if (left === right) return;
  walk.path.push(fieldElement(name));
  visit(walk, memberType(map, name) ?? NOTHING, left, right);
  walk.path.pop();
}

function visitList(walk: Walk, list: MergeList, left: Json, right: Json): void {
  const lefts = Array.isArray(left) ? (left as Json[]) : [];
  const rights = Array.isArray(right) ? (right as Json[]) : [];
  if (!list.associative || (lefts.length === 0 && rights.length === 0)) {
    visitLeaf(walk, left, right);
    return;
  }
  // Grouping costs more than finding out that nothing changed.
  if (equals(lefts, rights)) return;
  const leftItems = groupItems(list, lefts);
  const rightItems = groupItems(list, rights);
  for (const [element, items] of leftItems) {
    visitItems(walk, list, element, items, rightItems.get(element) ?? []);
  }
  for (const [element, items] of rightItems) {
    if (!leftItems.has(element)) visitItems(walk, list, element, [], items);
  }
}

/** The items by path element; one that has no element is passed over. */
function groupItems(list: MergeList, items: readonly Json[]): Map<string, Json[]> {
  const groups = new Map<string, Json[]>();
  for (const item of items) {
    const element = elementOrUndefined(list, item);
    if (element === undefined) continue;
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [item]);
    else group.push(item);
  }
  return groups;
}

/** Items that share an element are compared as one leaf, before, after, or both. */
function visitItems(
  walk: Walk,
  list: MergeList,
  element: string,
  lefts: readonly Json[],
  rights: readonly Json[],
): void {
  walk.path.push(element);
  if (lefts.length <= 1 && rights.length <= 1) visit(walk, list.elem, lefts[0], rights[0]);
  else if (lefts.length >= 2 && rights.length >= 2) visitLeaf(walk, lefts, rights);
  else if (lefts.length >= 2) {
    if (rights.length > 0) visit(walk, list.elem, undefined, rights[0]);
    walk.removed.insert(walk.path);
  } else {
    if (lefts.length > 0) visit(walk, list.elem, lefts[0], undefined);
    walk.added.insert(walk.path);
  }
  walk.path.pop();
}

/** A value that is there on one side only: it and everything in it. */
function wholeOf(type: MergeType, value: Json): SetNode {
  const children = childrenOf(type, value);
  return children.isEmpty ? LEAF : { member: true, children };
}

function childrenOf(type: MergeType, value: Json): FieldSet {
  const part = partOf(type, value);
  if (part === "map" && type.map && isMap(value)) return wholeMap(type.map, value);
  if (part === "list" && type.list && Array.isArray(value)) return wholeList(type.list, value);
  return EMPTY;
}

function wholeMap(map: MergeMap, value: JsonMap): FieldSet {
  if (map.atomic) return EMPTY;
  const draft = new SetDraft("f:");
  for (const name of Object.keys(value)) {
    const member = value[name];
    if (member !== undefined) draft.add(name, wholeOf(memberType(map, name) ?? NOTHING, member));
  }
  return draft.build();
}

function wholeList(list: MergeList, items: readonly Json[]): FieldSet {
  if (!list.associative) return EMPTY;
  const draft = new SetDraft("");
  const seen = new Set<string>();
  for (const item of items) {
    const element = elementOrUndefined(list, item);
    if (element === undefined) continue;
    if (seen.has(element)) return wholeGroups(list, items);
    seen.add(element);
    draft.add(element, wholeOf(list.elem, item));
  }
  return draft.build();
}

/** A list where items share an element: those are owned as a whole. */
function wholeGroups(list: MergeList, items: readonly Json[]): FieldSet {
  const entries = new Map<string, SetNode>();
  for (const [element, group] of groupItems(list, items)) {
    entries.set(element, group.length > 1 ? LEAF : wholeOf(list.elem, group[0]));
  }
  return FieldSet.internedOf(entries);
}
