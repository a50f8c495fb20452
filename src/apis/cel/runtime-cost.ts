/**
 * What a call costs, in upstream's units (one is about 50 ns there), from its arguments' sizes.
 * Upstream: cel-go interpreter/runtimecost.go, ext/lists.go; apiserver/pkg/cel/library/cost.go.
 */
import { CelFormat } from "./library/formats.ts";
import { CelList, CelMap, CelOpaque, type CelValue, costSize as size } from "./values.ts";

/** Of a call's arguments (the target first) and its result. */
export type CallCost = (args: readonly CelValue[], result: CelValue) => number;

/** Of one character of a string, of one of a pattern, and of making a list, map or message. */
export const STRING_FACTOR = 0.1;
export const PATTERN_FACTOR = 0.25;
export const LIST_COST = 10;
export const MAP_COST = 30;
export const MESSAGE_COST = 40;
/** Two questions to the authorizer exhaust an expression's budget. */
export const CHECK_COST = 350_000;
/** A selector's requirement: a list and a struct; one for every two characters. */
const REQUIREMENT_COST = LIST_COST + MESSAGE_COST;

const arg = (args: readonly CelValue[], index: number) => size(args[index] ?? null);
const scan = (length: number, factor = STRING_FACTOR) => Math.ceil(length * factor);

const fixed =
  (cost: number): CallCost =>
  () =>
    cost;
const scanFirst: CallCost = (args) => scan(arg(args, 0));
const scanTwice: CallCost = (args) => scan(arg(args, 0), 2 * STRING_FACTOR);
const scanShorter: CallCost = (args) => scan(Math.min(arg(args, 0), arg(args, 1)));
const scanBoth: CallCost = (args) => scan(arg(args, 0) + arg(args, 1));
const search: CallCost = (args) => scan(1 + arg(args, 0)) * scan(arg(args, 1), PATTERN_FACTOR);

/** Walking through a value, as a tree. */
function traversal(value: CelValue): number {
  if (typeof value === "string") return Math.floor(Buffer.byteLength(value) * STRING_FACTOR);
  if (value instanceof Uint8Array) return Math.floor(value.length * STRING_FACTOR);
  if (value instanceof CelList) {
    let cost = 0;
    for (const one of value) cost += traversal(one);
    return cost;
  }
  if (!(value instanceof CelMap)) return 1;
  let cost = 0;
  for (const key of value.keys()) cost += traversal(key) + traversal(value.get(key) ?? null);
  return cost;
}

function selector(args: readonly CelValue[]): number {
  const length = arg(args, 1);
  return LIST_COST + scan(length) + Math.ceil(Math.ceil(length * 0.5) * REQUIREMENT_COST);
}

function formatValidation([format, value = null]: readonly CelValue[]): number {
  const regexSize = format instanceof CelFormat ? format.regexSize : 0;
  return scan(1 + size(value)) * scan(regexSize, PATTERN_FACTOR);
}

/** By function name, whatever the overload. */
const BY_FUNCTION: Readonly<Record<string, CallCost>> = {
  check: fixed(CHECK_COST),
  fieldSelector: selector,
  labelSelector: selector,
  ...named("isSorted sum max min indexOf lastIndexOf", (args) => traversal(args[0] ?? null)),
  ...named("url lowerAscii upperAscii substring trim jsonpatch.escapeKey", scanFirst),
  ...named("cidr isIP isCIDR quantity isQuantity semver isSemver", scanFirst),
  ...named("replace split ip.isCanonical", scanTwice),
  ...named("find findAll", search),
  join: (_args, result) => scan(size(result), 2 * STRING_FACTOR),
  validate: formatValidation,
};

function named(names: string, cost: CallCost): Record<string, CallCost> {
  return Object.fromEntries(names.split(" ").map((name) => [name, cost]));
}

function madeList(factor: number, count: number): number {
  return Math.floor(count * factor) + 1 + LIST_COST;
}

/** Comparing all elements of a list with each other. */
function selfCompare(list: CelValue | undefined): number {
  const count = list instanceof CelList ? list.size : 0;
  const first = list instanceof CelList && count > 0 ? list.at(0) : undefined;
  const isText = typeof first === "string" || first instanceof Uint8Array;
  return madeList(isText ? 2 + STRING_FACTOR : 2, count * count);
}

const resultSize: CallCost = (_args, result) => madeList(1, size(result));
const flattened: CallCost = (args) => {
  return madeList(typeof args[1] === "bigint" ? Number(args[1]) : 1, arg(args, 0));
};

const pairs = (args: readonly CelValue[]) => arg(args, 0) * arg(args, 1);

function containsBlock(args: readonly CelValue[], parses: boolean): number {
  const cidr = arg(args, 0);
  const parsing = parses ? scan(arg(args, 1)) : 0;
  return scan(cidr + cidr) + scan(cidr) + 1 + parsing;
}

/** By overload. */
const BY_OVERLOAD: Readonly<Record<string, CallCost>> = {
  ...named("string_to_ip", scanFirst),
  ...named("starts_with_string ends_with_string string_to_bytes bytes_to_string", scanFirst),
  ...named("strings_quote string_format", scanFirst),
  in_list: (args) => arg(args, 1),
  ...named("less_string greater_string less_equals_string greater_equals_string", scanShorter),
  ...named("less_bytes greater_bytes less_equals_bytes greater_equals_bytes", scanShorter),
  equals: (args) => {
    return args[0] instanceof CelOpaque ? 1 : scanShorter(args, null);
  },
  not_equals: scanShorter,
  ...named("add_string add_bytes", scanBoth),
  matches_string: search,
  contains_string: (args) => scan(arg(args, 0)) * scan(arg(args, 1)),
  ...named("list_slice lists_range list_reverse", resultSize),
  ...named("list_flatten list_flatten_int", flattened),
  list_distinct: (args) => selfCompare(args[0]),
  ...named("list_sets_contains_list list_sets_intersects_list", (args) => 1 + pairs(args)),
  list_sets_equivalent_list: (args) => 1 + 2 * pairs(args),
  cidr_contains_ip_string: (args) => scan(2 * arg(args, 0)) + scan(arg(args, 1)),
  cidr_contains_ip_ip: (args) => scan(2 * arg(args, 0)),
  cidr_contains_cidr_string: (args) => containsBlock(args, true),
  cidr_contains_cidr: (args) => containsBlock(args, false),
};

/** How to count a call; `overload` is undefined where only the run decides which it is. */
export function callCost(name: string, overload: string | undefined): CallCost | 1 {
  if (overload?.endsWith("_sort")) return (args) => selfCompare(args[0]);
  if (overload?.endsWith("_sortByAssociatedKeys")) return (args) => selfCompare(args[1]);
  if (overload !== undefined && Object.hasOwn(BY_OVERLOAD, overload)) {
    return BY_OVERLOAD[overload] ?? 1;
  }
  return Object.hasOwn(BY_FUNCTION, name) ? (BY_FUNCTION[name] ?? 1) : 1;
}
