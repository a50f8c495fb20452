/**
 * Functions over lists and sets. Upstream: cel-go ext/lists.go (version 3), ext/sets.go;
 * apiserver/pkg/cel/library/lists.go.
 */
import { type Implementation, member, type Overload, overload } from "../environment.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  param,
  runtimeName,
  STRING,
  TIMESTAMP,
  typeText,
  UINT,
} from "../types.ts";
import {
  ArrayList,
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelUint,
  type CelValue,
  compare,
  equal,
  noOverload,
  typeNameOf,
  ValueMap,
} from "../values.ts";
import { add } from "./operators.ts";

const T = param("T");
const LIST = listOf(T);
const COMPARABLE = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES];
/** A list that a function would make longer than this is refused before it is made. */
const RANGE_MAX = 1_000_000;

function elements(value: CelValue | undefined): CelList {
  if (value instanceof CelList) return value;
  throw noOverload();
}

function isSorted(value: CelValue): CelValue {
  const list = elements(value);
  for (let index = 1; index < list.size; index++) {
    if (compare(list.at(index - 1), list.at(index)) > 0) return false;
  }
  return true;
}

const ZEROS: readonly (readonly [CelType, CelValue])[] = [
  [INT, 0n],
  [UINT, new CelUint(0n)],
  [DOUBLE, 0],
  [DURATION, new CelDuration(0n)],
];

function sumFrom(zero: CelValue): Implementation {
  return (value) => [...elements(value)].reduce((sum, one) => add(sum, one), zero);
}

/** The element that stands first by the sign of comparisons. */
function extreme(name: string, sign: 1 | -1): Implementation {
  return (value) => {
    const [first, ...rest] = elements(value);
    if (first === undefined) throw new CelError(`${name} called on empty list`);
    return rest.reduce((best, one) => (Math.sign(compare(best, one)) === sign ? one : best), first);
  };
}

function indexIn(value: CelValue, wanted: CelValue, last: boolean): CelValue {
  const found = [...elements(value)];
  const same = (one: CelValue) => equal(one, wanted);
  return BigInt(last ? found.findLastIndex(same) : found.findIndex(same));
}

function slice(value: CelValue, from: CelValue, to: CelValue): CelValue {
  const list = elements(value);
  const [start, end] = [Number(from), Number(to)];
  const call = `cannot slice(${start}, ${end})`;
  if (start < 0 || end < 0) throw new CelError(`${call}, negative indexes not supported`);
  if (start > end) {
    throw new CelError(`${call}, start index must be less than or equal to end index`);
  }
  if (list.size < end) throw new CelError(`${call}, list is length ${list.size}`);
  return new ArrayList([...list].slice(start, end));
}

function flatten(value: CelValue, levels: CelValue = 1n): CelValue {
  if (typeof levels !== "bigint") throw noOverload();
  if (levels < 0n) throw new CelError("level must be non-negative");
  const out: CelValue[] = [];
  for (const one of elements(value)) {
    if (!(one instanceof CelList) || levels === 0n) out.push(one);
    else out.push(...elements(flatten(one, levels - 1n)));
  }
  return new ArrayList(out);
}

/** Sorts `value` by `keys`, which has a key for each of its elements. */
function sortBy(value: CelValue, keyList: CelValue): CelValue {
  const list = elements(value);
  const keys = [...elements(keyList)];
  if (list.size !== keys.length) {
    const sizes = `${list.size} and ${keys.length} elements respectively`;
    throw new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${sizes}`,
    );
  }
  const [first] = keys;
  if (first === undefined) return list;
  const comparable = COMPARABLE.some((type) => runtimeName(type) === typeNameOf(first));
  if (!comparable) throw new CelError("list elements must be comparable");
  if (keys.some((key) => typeNameOf(key) !== typeNameOf(first))) {
    throw new CelError("list elements must have the same type");
  }
  const order = keys.map((_key, index) => index);
  order.sort((left, right) => compare(keys[left] ?? null, keys[right] ?? null));
  return new ArrayList(order.map((index) => list.at(index)));
}

function range(count: CelValue): CelValue {
  const size = Number(count);
  if (size > RANGE_MAX) throw new CelError("operation cancelled: actual cost limit exceeded", true);
  return new ArrayList(Array.from({ length: Math.max(0, size) }, (_one, index) => BigInt(index)));
}

function distinct(value: CelValue): CelValue {
  const out: CelValue[] = [];
  for (const one of elements(value)) {
    if (!out.some((seen) => equal(seen, one))) out.push(one);
  }
  return new ArrayList(out);
}

function containsAll(list: CelValue, other: CelValue): boolean {
  const mine = [...elements(list)];
  return [...elements(other)].every((wanted) => mine.some((one) => equal(one, wanted)));
}

function intersects(list: CelValue, other: CelValue): boolean {
  const mine = [...elements(list)];
  return [...elements(other)].some((wanted) => mine.some((one) => equal(one, wanted)));
}

/** Adds an entry, or another map's entries, to a map that only the fold has. */
function mapInsert(map: CelValue, keyOrMap: CelValue, value?: CelValue): CelValue {
  if (!(map instanceof ValueMap)) throw noOverload();
  const entries: (readonly [CelValue, CelValue])[] = [];
  if (value !== undefined) entries.push([keyOrMap, value]);
  else if (keyOrMap instanceof CelMap) {
    for (const key of keyOrMap.keys()) entries.push([key, keyOrMap.get(key) ?? null]);
  }
  for (const [key, one] of entries) {
    if (map.get(key) !== undefined) {
      throw new CelError(`insert failed: key ${String(key)} already exists`);
    }
    map.set(key, one);
  }
  return map;
}

function overComparable(make: (name: string, type: CelType) => Overload): readonly Overload[] {
  return COMPARABLE.map((type) => make(typeText(type), type));
}

const K = param("K");
const V = param("V");
const MAP = mapOf(K, V);

export const LISTS: readonly (readonly [string, readonly Overload[]])[] = [
  [
    "isSorted",
    overComparable((name, type) =>
      member(`list_${name}_is_sorted_bool`, [listOf(type)], BOOL, isSorted),
    ),
  ],
  [
    "sum",
    ZEROS.map(([type, zero]) => {
      const name = typeText(type);
      return member(`list_${name}_sum_${name}`, [listOf(type)], type, sumFrom(zero));
    }),
  ],
  [
    "max",
    overComparable((name, type) =>
      member(`list_${name}_max_${name}`, [listOf(type)], type, extreme("max", -1)),
    ),
  ],
  [
    "min",
    overComparable((name, type) =>
      member(`list_${name}_min_${name}`, [listOf(type)], type, extreme("min", 1)),
    ),
  ],
  [
    "indexOf",
    [member("list_a_index_of_int", [LIST, T], INT, (list, one) => indexIn(list, one, false))],
  ],
  [
    "lastIndexOf",
    [member("list_a_last_index_of_int", [LIST, T], INT, (list, one) => indexIn(list, one, true))],
  ],
  ["slice", [member("list_slice", [LIST, INT, INT], LIST, slice)]],
  [
    "flatten",
    [
      member("list_flatten", [listOf(LIST)], LIST, (list) => flatten(list)),
      member("list_flatten_int", [listOf(DYN), INT], listOf(DYN), flatten),
    ],
  ],
  [
    "sort",
    overComparable((_name, type) =>
      member(`list_${runtimeName(type)}_sort`, [listOf(type)], listOf(type), (list) =>
        sortBy(list, list),
      ),
    ),
  ],
  [
    "@sortByAssociatedKeys",
    overComparable((_name, type) =>
      member(`list_${runtimeName(type)}_sortByAssociatedKeys`, [LIST, listOf(type)], LIST, sortBy),
    ),
  ],
  ["lists.range", [overload("lists_range", [INT], listOf(INT), range)]],
  [
    "reverse",
    [member("list_reverse", [LIST], LIST, (list) => new ArrayList([...elements(list)].reverse()))],
  ],
  ["distinct", [member("list_distinct", [LIST], LIST, distinct)]],
  ["sets.contains", [overload("list_sets_contains_list", [LIST, LIST], BOOL, containsAll)]],
  [
    "sets.equivalent",
    [
      overload("list_sets_equivalent_list", [LIST, LIST], BOOL, (list, other) => {
        return containsAll(list, other) && containsAll(other, list);
      }),
    ],
  ],
  ["sets.intersects", [overload("list_sets_intersects_list", [LIST, LIST], BOOL, intersects)]],
  [
    "cel.@mapInsert",
    [
      overload("@mapInsert_map_key_value", [MAP, K, V], MAP, mapInsert),
      overload("@mapInsert_map_map", [MAP, MAP], MAP, mapInsert),
    ],
  ],
];
