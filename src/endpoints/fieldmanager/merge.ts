/**
 * Merging an applied configuration into the live value, and taking items out of a value. Results
 * share what is unchanged with their arguments: nobody may write to them before copying.
 * Upstream: structured-merge-diff/typed/merge.go and remove.go.
 */
import type { FieldSet } from "./field-set.ts";
import { ItemError, itemElement } from "./list-item.ts";
import {
  type MergeList,
  type MergeMap,
  type MergeType,
  memberType,
  NOTHING,
  type Part,
  partOf,
} from "./merge-type.ts";
import { elementText, fieldElement } from "./path-element.ts";
import { elementOrUndefined, scalarError, TypedValueError } from "./typed-value.ts";
import { isEmptyMap, isMap, type Json, type JsonMap, memberOf, put } from "./value.ts";

interface Walk {
  readonly path: string[];
  readonly errors: string[];
}

/**
 * The live value `left` with everything the configuration `right` says. Lists keep the live order
 * unless the configuration orders their common items otherwise. Throws TypedValueError.
 */
export function mergeTyped(type: MergeType, left: Json, right: Json): Json {
  const walk: Walk = { path: [], errors: [] };
  const merged = mergeValue(walk, type, left, right);
  if (walk.errors.length > 0) throw new TypedValueError(walk.errors);
  return merged;
}

function report(walk: Walk, message: string): void {
  const path = walk.path.map(elementText).join("");
  walk.errors.push(path === "" ? message : `${path}: ${message}`);
}

function mergeValue(walk: Walk, type: MergeType, left: Json, right: Json): Json {
  if (right === undefined) return left;
  const leftPart = left === undefined ? undefined : partOf(type, left);
  const rightPart = partOf(type, right);
  // The live part comes first, and what the configuration's part says then stands.
  if (leftPart !== undefined && leftPart !== rightPart) {
    const kept = mergePart(walk, type, leftPart, left, right);
    return mergePart(walk, type, rightPart, left, right) ?? kept;
  }
  return mergePart(walk, type, rightPart, left, right);
}

function mergePart(walk: Walk, type: MergeType, part: Part, left: Json, right: Json): Json {
  if (part === "map" && type.map) return mergeMap(walk, type.map, left, right);
  if (part === "list" && type.list) return mergeList(walk, type.list, left, right);
  const leftError = left === undefined ? undefined : scalarError(type, left);
  const rightError = scalarError(type, right);
  if (leftError !== undefined && rightError !== undefined) {
    report(walk, `lhs: ${leftError}`);
    report(walk, `rhs: ${rightError}`);
    return undefined;
  }
  return right;
}

function mergeMap(walk: Walk, map: MergeMap, left: Json, right: Json): Json {
  const lefts = isMap(left) && !isEmptyMap(left) ? left : undefined;
  const rights = isMap(right) && !isEmptyMap(right) ? right : undefined;
  if (map.atomic || (lefts === undefined && rights === undefined)) return right;
  if (rights === undefined) return lefts;
  const out: JsonMap = {};
  let isSame = lefts !== undefined;
  for (const name in lefts) {
    const theirs = memberOf(rights, name);
    const merged =
      theirs === undefined ? lefts[name] : mergeMember(walk, map, name, lefts[name], theirs);
    if (merged !== lefts[name]) isSame = false;
    if (merged !== undefined) put(out, name, merged);
  }
  for (const name in rights) {
    if (lefts !== undefined && memberOf(lefts, name) !== undefined) continue;
    const merged = mergeMember(walk, map, name, undefined, rights[name]);
    isSame = false;
    if (merged !== undefined) put(out, name, merged);
  }
  if (isSame) return lefts;
  return isEmptyMap(out) ? undefined : out;
}

function mergeMember(walk: Walk, map: MergeMap, name: string, left: Json, right: Json): Json {
  walk.path.push(fieldElement(name));
  const merged = mergeValue(walk, memberType(map, name) ?? NOTHING, left, right);
  walk.path.pop();
  return merged;
}

function mergeList(walk: Walk, list: MergeList, left: Json, right: Json): Json {
  const lefts = Array.isArray(left) ? (left as Json[]) : [];
  const rights = Array.isArray(right) ? (right as Json[]) : [];
  if (!list.associative || (lefts.length === 0 && rights.length === 0)) return right;
  if (rights.length === 0) return lefts;
  const errorsCount = walk.errors.length;
  const theirs = indexItems(walk, list, rights, false);
  const ours = indexItems(walk, list, lefts, true);
  if (walk.errors.length > errorsCount) return undefined;
  const out = new ListMerge(walk, list, ours, theirs).run();
  return out.length === 0 ? undefined : out;
}

interface Indexed {
  /** Elements in order, repeated where items are. */
  readonly elements: readonly string[];
  readonly items: readonly Json[];
  /** The item of each element; null where several items share it: they are not merged into. */
  readonly byElement: ReadonlyMap<string, Json>;
}

function indexItems(
  walk: Walk,
  list: MergeList,
  items: readonly Json[],
  allowDuplicates: boolean,
): Indexed {
  const elements: string[] = [];
  const byElement = new Map<string, Json>();
  for (let i = 0; i < items.length; i++) {
    let element: string;
    try {
      element = itemElement(list, items[i]);
    } catch (error) {
      if (!(error instanceof ItemError)) throw error;
      report(walk, `element ${i}: ${error.message}`);
      continue;
    }
    const isRepeated = byElement.has(element);
    if (isRepeated && !allowDuplicates) {
      report(walk, `duplicate entries for key ${elementText(element)}`);
      continue;
    }
    byElement.set(element, isRepeated ? null : items[i]);
    elements.push(element);
  }
  return { elements, items, byElement };
}

/**
 * Interleaves two lists: items of one list only keep their neighbours, items of both come in the
 * configuration's order.
 */
class ListMerge {
  readonly #walk: Walk;
  readonly #list: MergeList;
  readonly #ours: Indexed;
  readonly #theirs: Indexed;
  readonly #out: Json[] = [];
  readonly #merged = new Set<string>();
  /** Elements of both lists in the configuration's order, and which of them is due. */
  readonly #shared: readonly string[];
  #due = 0;

  constructor(walk: Walk, list: MergeList, ours: Indexed, theirs: Indexed) {
    this.#walk = walk;
    this.#list = list;
    this.#ours = ours;
    this.#theirs = theirs;
    this.#shared = theirs.elements.filter((element) => ours.byElement.has(element));
  }

  run(): Json[] {
    const { elements: ours } = this.#ours;
    const { elements: theirs, byElement: theirItems } = this.#theirs;
    let i = 0;
    let j = 0;
    while (i < ours.length || j < theirs.length) {
      const our = ours[i];
      const their = theirs[j];
      if (our !== undefined && our === their) {
        this.#take(our);
        this.#due += 1;
        i += 1;
        j += 1;
        continue;
      }
      const due = this.#shared[this.#due];
      if (our !== undefined && their !== undefined) {
        // An item of both lists whose turn is not yet: it comes with the configuration's.
        if (theirItems.has(our) && due !== undefined && due !== our) {
          i += 1;
          continue;
        }
      }
      if (our !== undefined) {
        if (!theirItems.has(our)) {
          this.#push(our, this.#ours.items[i], undefined);
          i += 1;
          continue;
        }
        if (this.#merged.has(our)) i += 1;
      }
      if (their !== undefined) {
        this.#take(their);
        j += 1;
        if (due === their) this.#due += 1;
      }
    }
    return this.#out;
  }

  /** Takes the configuration's item, merged into the live one where there is exactly one. */
  #take(element: string): void {
    this.#merged.add(element);
    const our = this.#ours.byElement.get(element);
    this.#push(element, our, this.#theirs.byElement.get(element));
  }

  #push(element: string, left: Json, right: Json): void {
    this.#walk.path.push(element);
    const merged = mergeValue(this.#walk, this.#list.elem, left, right);
    this.#walk.path.pop();
    if (merged !== undefined) this.#out.push(merged);
  }
}

/** The value without the fields and items of the set; undefined when nothing is left. */
export function removeItems(type: MergeType, value: Json, toRemove: FieldSet): Json {
  if (toRemove.isEmpty) return value;
  switch (partOf(type, value)) {
    case "map":
      return type.map && isMap(value) ? removeFromMap(type.map, value, toRemove) : undefined;
    case "list":
      return type.list && Array.isArray(value)
        ? removeFromList(type.list, value, toRemove)
        : undefined;
    default:
      return value;
  }
}

/** What stays of a container whose content was removed, while it itself was not. */
function emptied(value: Json): Json {
  if (Array.isArray(value)) return [];
  return isMap(value) ? {} : null;
}

function removeFromMap(map: MergeMap, value: JsonMap, toRemove: FieldSet): Json {
  if (isEmptyMap(value) || map.atomic) return undefined;
  const out: JsonMap = {};
  for (const name of Object.keys(value)) {
    const node = toRemove.entries.get(fieldElement(name));
    if (node?.member === true) continue;
    const member = value[name];
    if (node?.children === undefined) put(out, name, member);
    else {
      const left = removeItems(memberType(map, name) ?? NOTHING, member, node.children);
      put(out, name, left ?? emptied(member));
    }
  }
  return isEmptyMap(out) ? undefined : out;
}

function removeFromList(list: MergeList, items: readonly Json[], toRemove: FieldSet): Json {
  if (items.length === 0 || !list.associative) return undefined;
  const out: Json[] = [];
  for (const item of items) {
    const element = elementOrUndefined(list, item);
    const node = element === undefined ? undefined : toRemove.entries.get(element);
    if (node?.member === true) continue;
    out.push(
      node?.children === undefined
        ? item
        : (removeItems(list.elem, item, node.children) ?? emptied(item)),
    );
  }
  return out.length === 0 ? undefined : out;
}
