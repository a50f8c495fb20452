// A type with every relationship structured-merge-diff knows; fixtures/merge.jsonl.gz is over it.
import {
  deduced,
  type MergeField,
  MergeMap,
  type MergeType,
  mergeType,
  untypedAtomic,
} from "../../../src/endpoints/fieldmanager/merge-type.ts";

const string = mergeType({ scalar: "string" });
const numeric = mergeType({ scalar: "numeric" });
const boolean = mergeType({ scalar: "boolean" });

export const setOf = (elem: MergeType): MergeType =>
  mergeType({ list: { elem, associative: true, keys: [], declaredKeys: [] } });
export const listOf = (elem: MergeType, ...keys: string[]): MergeType =>
  mergeType({ list: { elem, associative: keys.length > 0, keys, declaredKeys: keys } });
export const mapOf = (elem: MergeType, atomic = false): MergeType =>
  mergeType({ map: new MergeMap(() => new Map(), elem, atomic) });
export const structOf = (fields: () => Record<string, MergeField>): MergeType =>
  mergeType({ map: new MergeMap(() => new Map(Object.entries(fields())), undefined, false) });

const item = structOf(() => ({
  name: { type: string },
  port: { type: numeric, default: 80 },
  value: { type: string },
  inner: { type: setOf(string) },
  sub: { type: mapOf(string) },
}));

export const rootType: MergeType = structOf(() => ({
  list: { type: listOf(item, "name", "port") },
  set: { type: setOf(string) },
  nums: { type: setOf(numeric) },
  atomicList: { type: listOf(item) },
  map: { type: mapOf(string) },
  structs: { type: mapOf(item) },
  atomicMap: { type: mapOf(string, true) },
  struct: { type: item },
  self: { type: rootType },
  any: { type: deduced },
  anyAtomic: { type: untypedAtomic },
  num: { type: numeric },
  flag: { type: boolean },
}));
