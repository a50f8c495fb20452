/** The B+ tree of sorted-btree under one name: its CommonJS default hides twice below ESM. */
import * as module from "sorted-btree";

type TreeClass = typeof import("sorted-btree").default;

const outer = module.default as unknown as { readonly default?: TreeClass };
const Class = outer.default ?? (outer as unknown as TreeClass);

export type OrderedMap<V> = InstanceType<typeof Class<string, V>>;

/** An empty map ordered by UTF-16 units: etcd's byte order for keys without surrogates. */
export function createOrderedMap<V>(): OrderedMap<V> {
  return new Class<string, V>(undefined, compareKeys);
}

function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
