/**
 * Strategic merge: a patch over an object of a known type. Objects are not written to; the result
 * shares what is unchanged. Upstream: apimachinery/pkg/util/strategicpatch/patch.go.
 */
import { unknownError } from "../../../apimachinery/api/errors.ts";
import type { TypeSchema } from "../../../apimachinery/runtime/type-schema.ts";
import {
  goText,
  goTypeOf,
  isMap,
  type Json,
  type JsonMap,
  memberOf,
  put,
} from "../../fieldmanager/value.ts";
import {
  badArgType,
  badPatchType,
  badPrimitiveList,
  badRetainKeys,
  badSetElementOrder,
  noListOfLists,
  noMergeKey,
  orderMismatch,
} from "./errors.ts";
import { identityOf, orderItems, serverOrderAfter } from "./list-order.ts";
import { goKindOf, lookupSlice, lookupStruct } from "./schema.ts";

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_FROM_LIST = "$deleteFromPrimitiveList";
const SET_ELEMENT_ORDER = "$setElementOrder";

/** The object after the patch. Throws StatusError: 400, 422, or 500 as upstream has it. */
export function mergeMap(original: JsonMap, patch: JsonMap, type: TypeSchema): JsonMap {
  const directive = memberOf(patch, DIRECTIVE);
  if (directive !== undefined) return byDirective(directive, patch);
  const out = retainKeys(original, patch);
  const handled = new Set<string>([RETAIN_KEYS]);
  orderLists(out, patch, type, handled);
  for (const name of Object.keys(patch)) {
    if (handled.has(name)) continue;
    const value = patch[name];
    if (name.startsWith(DELETE_FROM_LIST)) {
      deleteFromList(out, nameAfter(name, DELETE_FROM_LIST, badPrimitiveList), value, type);
    } else mergeMember(out, name, value, type);
  }
  return out;
}

/** A `$patch` stands for the whole map. */
function byDirective(directive: Json, patch: JsonMap): JsonMap {
  if (directive === "delete") return {};
  if (directive !== "replace") throw badPatchType(directive, patch);
  const { [DIRECTIVE]: _directive, ...rest } = patch;
  return rest;
}

/** A copy of the original with only the keys that the directive lists, if there is one. */
function retainKeys(original: JsonMap, patch: JsonMap): JsonMap {
  const keys = memberOf(patch, RETAIN_KEYS);
  if (keys === undefined) return { ...original };
  if (!Array.isArray(keys)) throw badRetainKeys();
  const retained = new Set<Json>(keys);
  for (const name of Object.keys(patch)) {
    const isDirective =
      name === RETAIN_KEYS ||
      name.startsWith(DELETE_FROM_LIST) ||
      name.startsWith(SET_ELEMENT_ORDER);
    if (isDirective || patch[name] === null) continue;
    if (!retained.has(name)) throw badRetainKeys();
  }
  const out: JsonMap = {};
  for (const name of Object.keys(original)) {
    if (retained.has(name)) put(out, name, original[name]);
  }
  return out;
}

function nameAfter(name: string, prefix: string, failure: () => Error): string {
  const slash = name.indexOf("/");
  if (slash === -1 || name.slice(0, slash) !== prefix) throw failure();
  return name.slice(slash + 1);
}

/** Merges and orders every list that has a `$setElementOrder`, and marks both as handled. */
function orderLists(out: JsonMap, patch: JsonMap, type: TypeSchema, handled: Set<string>): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(SET_ELEMENT_ORDER)) continue;
    handled.add(directive);
    const order = patch[directive];
    if (!Array.isArray(order)) throw badArgType("list", order);
    const name = nameAfter(directive, SET_ELEMENT_ORDER, badSetElementOrder);
    const original = memberOf(out, name);
    const items = memberOf(patch, name);
    if (original !== undefined && !Array.isArray(original)) throw badArgType("list", original);
    if (items !== undefined && !Array.isArray(items)) throw badArgType("list", items);
    const { type: elem, strategy, mergeKey } = lookupSlice(type, name);
    if (items !== undefined) checkOrder(items, order, mergeKey);
    if (original === undefined && items === undefined) continue;
    const merged = mergedList(original, items, elem, strategy, mergeKey);
    elementTypeOf(original ?? [], items ?? []);
    const isMerged = strategy === "merge" && mergeKey !== "" && original && items;
    const serverOrder = isMerged ? leftBehind(original, items, mergeKey) : (original ?? []);
    put(out, name, orderItems(merged, order, serverOrder, mergeKey));
    handled.add(name);
  }
}

/** What the merge of these lists leaves of the live one, see serverOrderAfter. */
function leftBehind(original: Json[], patch: Json[], mergeKey: string): readonly Json[] {
  const deleted = patch.filter((item) => isMap(item) && item[DIRECTIVE] === "delete");
  const isReplaced = patch.some((item) => isMap(item) && item[DIRECTIVE] === "replace");
  const added = isReplaced ? [] : patch.filter((item) => !hasDirective(item));
  const identities = deleted.map((item) => identityOf(item, mergeKey));
  return serverOrderAfter(original, identities, added, mergeKey);
}

function mergedList(
  original: Json[] | undefined,
  patch: Json[] | undefined,
  elem: TypeSchema,
  strategy: string,
  mergeKey: string,
): Json[] {
  if (patch === undefined) return original ?? [];
  if (original === undefined) return withoutDirectives(patch) as Json[];
  return strategy === "merge" ? mergeSlice(original, patch, elem, mergeKey, false) : patch;
}

/** The items of the patch must come in the order the directive gives, deletions aside. */
function checkOrder(patch: readonly Json[], order: readonly Json[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return;
  let i = 0;
  let j = 0;
  const items = mergeKey === "" ? patch : patch.filter((item) => !isDeletion(item));
  while (i < items.length && j < order.length) {
    if (hasDirective(items[i])) {
      i += 1;
      continue;
    }
    if (keyEquals(items[i], order[j], mergeKey)) i += 1;
    j += 1;
  }
  if (i < items.length && j >= order.length) throw orderMismatch(patch, order);
}

function isDeletion(item: Json): boolean {
  if (!isMap(item)) throw badArgType("map", item);
  return item[DIRECTIVE] === "delete";
}

const hasDirective = (item: Json) => isMap(item) && memberOf(item, DIRECTIVE) !== undefined;

function keyEquals(left: Json, right: Json, mergeKey: string): boolean {
  if (mergeKey === "") return left === right;
  for (const item of [left, right]) {
    if (!isMap(item)) throw badArgType("map", item);
    if (memberOf(item, mergeKey) === undefined) throw noMergeKey(item, mergeKey);
  }
  return identityOf(left, mergeKey) === identityOf(right, mergeKey);
}

function mergeMember(out: JsonMap, name: string, value: Json, type: TypeSchema): void {
  if (value === null || value === undefined) {
    delete out[name];
    return;
  }
  const original = memberOf(out, name);
  if (isMap(original) && isMap(value)) {
    const { type: below, strategy } = lookupStruct(type, name);
    put(out, name, strategy === "replace" ? value : mergeMap(original, value, below));
    return;
  }
  if (Array.isArray(original) && Array.isArray(value)) {
    const { type: elem, strategy, mergeKey } = lookupSlice(type, name);
    const merged =
      strategy === "merge" ? mergeSlice(original, value, elem, mergeKey, false) : value;
    put(out, name, merged);
    return;
  }
  const isOfOtherKind = original === undefined || goTypeOf(original) !== goTypeOf(value);
  const taken = withoutDirectives(isOfOtherKind ? withoutNulls(value) : value);
  if (taken === undefined) delete out[name];
  else put(out, name, taken);
}

function deleteFromList(out: JsonMap, name: string, value: Json, type: TypeSchema): void {
  if (value === null || value === undefined) {
    delete out[name];
    return;
  }
  const original = memberOf(out, name);
  if (original === undefined || goTypeOf(original) !== goTypeOf(value)) return;
  if (Array.isArray(original) && Array.isArray(value)) {
    const { type: elem, mergeKey } = lookupSlice(type, name);
    put(out, name, mergeSlice(original, value, elem, mergeKey, true));
  } else mergeMember(out, name, value, type);
}

/** Without null members of maps, at any depth. */
function withoutNulls(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isMap(value)) return value;
  const out: JsonMap = {};
  for (const name of Object.keys(value)) {
    if (value[name] !== null) put(out, name, withoutNulls(value[name]));
  }
  return out;
}

/** Without maps that carry a `$patch`; undefined for such a map itself. */
function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(withoutDirectives).filter((item) => item !== undefined);
  }
  if (!isMap(value)) return value;
  if (memberOf(value, DIRECTIVE) !== undefined) return undefined;
  const out: JsonMap = {};
  for (const name of Object.keys(value)) {
    const member = withoutDirectives(value[name]);
    if (member !== undefined) put(out, name, member);
  }
  return out;
}

/** All items must be of one type; lists of lists cannot merge. */
function elementTypeOf(...lists: readonly (readonly Json[])[]): string {
  let type: string | undefined;
  for (const item of lists.flat()) {
    const current = goTypeOf(item);
    if (type === undefined) {
      if (current === "[]interface {}") throw noListOfLists();
      type = current;
    } else if (current !== type) {
      throw unknownError(`list element types are not identical: ${goText(lists)}`);
    }
  }
  if (type === undefined) throw unknownError("no elements in any of the given slices");
  return type;
}

function mergeSlice(
  original: readonly Json[],
  patch: readonly Json[],
  elem: TypeSchema,
  mergeKey: string,
  isDeleteList: boolean,
): Json[] {
  if (original.length === 0 && patch.length === 0) return [];
  const isOfMaps = elementTypeOf(original, patch) === "map[string]interface {}";
  if (!isOfMaps) {
    if (isDeleteList) {
      const gone = new Set(patch);
      return original.filter((item) => !gone.has(item));
    }
    const merged = [...new Set([...original, ...patch])];
    return orderItems(merged, patch, original, mergeKey);
  }
  if (mergeKey === "") {
    throw unknownError(`cannot merge lists without merge key for ${goKindOf(elem)}`);
  }
  const [live, items] = applySpecials(original as JsonMap[], patch as JsonMap[], mergeKey);
  const merged = mergeItems(live, items, elem, mergeKey);
  return orderItems(merged, items, live, mergeKey);
}

/** Takes `$patch` items out of the patch, and what they delete or replace out of the list. */
function applySpecials(
  original: readonly JsonMap[],
  patch: readonly JsonMap[],
  mergeKey: string,
): [JsonMap[], JsonMap[]] {
  const plain: JsonMap[] = [];
  const deleted = new Set<Json>();
  let replace = false;
  for (const item of patch) {
    const directive = memberOf(item, DIRECTIVE);
    if (directive === undefined) plain.push(item);
    else if (directive === "delete") {
      const value = memberOf(item, mergeKey);
      if (value === undefined) throw noMergeKey(item, mergeKey);
      deleted.add(value);
    } else if (directive === "replace") replace = true;
    else if (directive === "merge") {
      throw unknownError("merging lists cannot yet be specified in the patch");
    } else throw badPatchType(directive, item);
  }
  if (replace) return [plain, []];
  const live = original.filter((item) => {
    const value = memberOf(item, mergeKey);
    return value === undefined || !deleted.has(value);
  });
  return [live, plain];
}

function mergeItems(
  original: readonly JsonMap[],
  patch: readonly JsonMap[],
  elem: TypeSchema,
  mergeKey: string,
): Json[] {
  const out: JsonMap[] = [...original];
  const positions = new Map<Json, number>();
  for (let i = 0; i < out.length; i++) {
    const identity = identityOf(out[i], mergeKey);
    if (identity !== undefined && !positions.has(identity)) positions.set(identity, i);
  }
  for (const item of patch) {
    const identity = memberOf(item, mergeKey);
    if (identity === undefined) throw noMergeKey(item, mergeKey);
    const position = positions.get(identity);
    const found = position === undefined ? undefined : out[position];
    if (position === undefined || found === undefined) {
      positions.set(identity, out.length);
      out.push(item);
    } else out[position] = mergeMap(found, item, elem);
  }
  return out;
}
