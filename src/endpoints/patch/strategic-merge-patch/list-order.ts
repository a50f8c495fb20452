/**
 * The order of a merged list: items of the patch in the patch's order, items only the server has in
 * the server's, interleaved by the server's order as far as that decides.
 * Upstream: apimachinery/pkg/util/strategicpatch (normalizeElementOrder, mergeSortedSlice).
 */
import { isMap, type Json, memberOf } from "../../fieldmanager/value.ts";
import { badArgType, noMergeKey } from "./errors.ts";

/** What identifies an item: its merge key's value, or itself for scalars. */
export function identityOf(item: Json, mergeKey: string): Json {
  if (mergeKey === "") return item;
  return isMap(item) ? memberOf(item, mergeKey) : undefined;
}

/** Positions of items by identity; the first of equal ones counts. */
export function positionsOf(items: readonly Json[], mergeKey: string): Map<Json, number> {
  const positions = new Map<Json, number>();
  for (let i = 0; i < items.length; i++) {
    const identity = identityOf(items[i], mergeKey);
    if (!positions.has(identity)) positions.set(identity, i);
  }
  return positions;
}

/**
 * The live list as upstream's merge leaves it behind: deletions shift the items left in place, the
 * first new items fill the gap at the end, and what is left of the gap holds former last items.
 * `$setElementOrder` interleaves by this list, so clients can see it.
 */
export function serverOrderAfter(
  original: readonly Json[],
  deleted: readonly Json[],
  added: readonly Json[],
  mergeKey: string,
): readonly Json[] {
  if (deleted.length === 0) return original;
  const indexes = new Map<Json, number[]>();
  for (let i = 0; i < original.length; i++) {
    const identity = identityOf(original[i], mergeKey);
    const known = indexes.get(identity);
    if (known === undefined) indexes.set(identity, [i]);
    else known.push(i);
  }
  const gone = new Set<number>();
  const out: Json[] = [];
  let last = original.length - 1;
  let size = original.length;
  for (const identity of deleted) {
    for (const index of indexes.get(identity) ?? []) {
      if (gone.has(index)) continue;
      size -= 1;
      out[size] = original[last];
      gone.add(index);
      while (gone.has(last)) last -= 1;
    }
  }
  let next = 0;
  for (let i = 0; i < original.length; i++) if (!gone.has(i)) out[next++] = original[i];
  const present = positionsOf(out.slice(0, next), mergeKey);
  for (const item of added) {
    if (next >= original.length) break;
    const identity = identityOf(item, mergeKey);
    if (present.has(identity)) continue;
    present.set(identity, next);
    out[next++] = item;
  }
  return out;
}

/**
 * Orders `merged` by `patchOrder` (what the patch names) and `serverOrder` (the live list). Throws
 * when an item lacks its merge key.
 */
export function orderItems(
  merged: readonly Json[],
  patchOrder: readonly Json[],
  serverOrder: readonly Json[],
  mergeKey: string,
): Json[] {
  const patchPositions = positionsOf(patchOrder, mergeKey);
  const serverPositions = positionsOf(serverOrder, mergeKey);
  const fromPatch: Json[] = [];
  const serverOnly: Json[] = [];
  for (const item of merged) {
    if (mergeKey !== "") requireKey(item, mergeKey);
    const identity = identityOf(item, mergeKey);
    if (patchPositions.has(identity)) fromPatch.push(item);
    else serverOnly.push(item);
  }
  if (mergeKey !== "") {
    for (const item of patchOrder) requireKey(item, mergeKey);
    for (const item of serverOrder) requireKey(item, mergeKey);
  }
  sortBy(fromPatch, patchPositions, mergeKey);
  sortBy(serverOnly, serverPositions, mergeKey);
  return interleave(serverOnly, fromPatch, serverPositions, mergeKey);
}

function requireKey(item: Json, mergeKey: string): void {
  if (!isMap(item)) throw badArgType("map", item);
  if (memberOf(item, mergeKey) === undefined) throw noMergeKey(item, mergeKey);
}

/** Stable; an item without a position comes before those read so far, as upstream's sort has it. */
function sortBy(items: Json[], positions: ReadonlyMap<Json, number>, mergeKey: string): void {
  const positionOf = (item: Json) => positions.get(identityOf(item, mergeKey)) ?? -1;
  if (items.every((item) => positionOf(item) >= 0)) {
    items.sort((a, b) => positionOf(a) - positionOf(b));
    return;
  }
  const known = items.filter((item) => positionOf(item) >= 0);
  const unknown = items.filter((item) => positionOf(item) < 0).reverse();
  known.sort((a, b) => positionOf(a) - positionOf(b));
  items.length = 0;
  for (const item of unknown) items.push(item);
  for (const item of known) items.push(item);
}

function interleave(
  left: readonly Json[],
  right: readonly Json[],
  positions: ReadonlyMap<Json, number>,
  mergeKey: string,
): Json[] {
  const out: Json[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    const li = positions.get(identityOf(left[i], mergeKey));
    const rj = positions.get(identityOf(right[j], mergeKey));
    if (li !== undefined && rj !== undefined && li < rj) out.push(left[i++]);
    else out.push(right[j++]);
  }
  while (i < left.length) out.push(left[i++]);
  while (j < right.length) out.push(right[j++]);
  return out;
}
