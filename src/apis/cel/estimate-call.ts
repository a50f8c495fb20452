/**
 * What calls of functions can cost, by the sizes of their arguments.
 * Upstream: cel-go checker/cost.go, ext/lists.go; apiserver/pkg/cel/library/cost.go.
 */
import type { CelNode } from "./ast.ts";
import { add, type Estimate, exactly, MOST, multiply, scale, UNKNOWN_SIZE } from "./estimates.ts";
import {
  CHECK_COST,
  LIST_COST,
  MESSAGE_COST,
  PATTERN_FACTOR,
  STRING_FACTOR,
} from "./runtime-cost.ts";
import type { CelType } from "./types.ts";

/** An argument, or the target, of a call. */
export interface EstimatedNode {
  readonly node: CelNode;
  readonly type: CelType;
  readonly size: Estimate | undefined;
  /** The size that the schema allows an element of it. */
  readonly elementSize: () => Estimate | undefined;
}

interface Call {
  readonly id: string;
  readonly on: EstimatedNode | undefined;
  readonly args: readonly EstimatedNode[];
}

/** `size`: of the result, where it has one. */
export interface CallEstimate {
  readonly cost: Estimate;
  readonly size: Estimate | undefined;
}

type Estimator = (call: Call) => CallEstimate | undefined;

const sizeOf = (node: EstimatedNode | undefined): Estimate => node?.size ?? UNKNOWN_SIZE;
const scan = (size: Estimate, factor = STRING_FACTOR): Estimate => scale(size, factor);
const only = (cost: Estimate): CallEstimate => ({ cost, size: undefined });
const fixed =
  (cost: number): Estimator =>
  () =>
    only(exactly(cost));

/** The bound of a call by function and overload; undefined: it is counted otherwise. */
export function estimateCall(
  name: string,
  id: string,
  on: EstimatedNode | undefined,
  args: readonly EstimatedNode[],
): CallEstimate | undefined {
  const call: Call = { id, on, args };
  if (id.endsWith("_sort") && id.startsWith("list_")) return sorted(on, id);
  if (id.endsWith("_sortByAssociatedKeys")) return sorted(args[0], id);
  const byOverload = Object.hasOwn(BY_OVERLOAD, id) ? BY_OVERLOAD[id] : undefined;
  const byFunction = Object.hasOwn(BY_FUNCTION, name) ? BY_FUNCTION[name] : undefined;
  return byOverload?.(call) ?? byFunction?.(call);
}

function named(names: string, estimator: Estimator): Record<string, Estimator> {
  return Object.fromEntries(names.split(" ").map((name) => [name, estimator]));
}

const scanArgument: Estimator = ({ args: [first] }) => only(scan(sizeOf(first)));

/** Walks the target once; the result is as long. */
const scanTarget: Estimator = ({ on }) => {
  if (on === undefined) return undefined;
  const size = sizeOf(on);
  return { cost: scan(size), size };
};

const scanTwice: Estimator = ({ args: [first] }) => only(scan(sizeOf(first), 2 * STRING_FACTOR));

function search({ on, args: [pattern] }: Call): Estimate {
  const text = scan(add(sizeOf(on), exactly(1)));
  return multiply(text, scale(sizeOf(pattern), PATTERN_FACTOR));
}

/** Compares all elements with one or with their neighbours. */
const overElements: Estimator = ({ on }) => {
  if (on === undefined) return undefined;
  if (on.type.kind !== "list") return only(scan(sizeOf(on)));
  const { kind } = on.type.elem;
  const isText = kind === "string" || kind === "bytes";
  const each = isText ? add(exactly(1), scan(on.elementSize() ?? UNKNOWN_SIZE)) : exactly(1);
  return only(multiply(sizeOf(on), each));
};

/** How often and with how much replace() can make a string longer or shorter. */
const replaced: Estimator = ({ on, args: [old, by] }) => {
  if (on === undefined || by === undefined) return undefined;
  const [text, from, to] = [sizeOf(on), sizeOf(old), sizeOf(by)];
  const most = longest(text.max, from.min, to.max);
  const least = shortest(text.min, from.max, to.min);
  const times = { min: least.times, max: most.times };
  const kept = { min: least.kept, max: most.kept };
  const size = add(multiply(times, to), kept);
  return { cost: scan(text, 2 * STRING_FACTOR), size };
};

function longest(text: number, from: number, to: number): { times: number; kept: number } {
  if (from === 0) return { times: Math.min(MOST, text + 1), kept: text };
  if (to <= from) return { times: 0, kept: text };
  return { times: Math.ceil(text / from), kept: 0 };
}

function shortest(text: number, from: number, to: number): { times: number; kept: number } {
  if (from === 0) return { times: Math.min(MOST, text + 1), kept: text };
  if (from <= to) return { times: 0, kept: text };
  return { times: Math.ceil(text / from), kept: 0 };
}

const splitted: Estimator = ({ on, args }) => {
  if (on === undefined) return undefined;
  const text = sizeOf(on);
  const limit = literalInt(args[1]);
  const max = limit ?? text.max;
  return { cost: scan(text, 2 * STRING_FACTOR), size: { min: 0, max } };
};

/** A literal int; a negative one is what uint64 makes of it. */
function literalInt(node: EstimatedNode | undefined): number | undefined {
  if (node?.node.kind !== "literal" || typeof node.node.value !== "bigint") return undefined;
  const value = Number(node.node.value);
  return value < 0 ? MOST : value;
}

const joined: Estimator = ({ on, args: [separator] }) => {
  if (on === undefined) return undefined;
  const list = sizeOf(on);
  let size = { min: 0, max: 0 };
  if (on.type.kind === "list") size = multiply(list, on.elementSize() ?? UNKNOWN_SIZE);
  if (separator !== undefined) {
    const count = { min: Math.max(0, list.min - 1), max: Math.max(0, list.max - 1) };
    size = add(size, multiply(sizeOf(separator), count));
  }
  return { cost: scan(size), size };
};

const found: Estimator = (call) => {
  if (call.on === undefined || call.args.length === 0) return undefined;
  return { cost: search(call), size: { min: 0, max: sizeOf(call.on).max } };
};

/** An address has 4 or 16 bytes. */
const ADDRESS = { min: 4, max: 16 };

function contains({ id, args: [other] }: Call, block: boolean): CallEstimate {
  let cost = scan(add(ADDRESS, ADDRESS));
  if (block) cost = add(add(cost, scan(ADDRESS)), exactly(1));
  if (id.endsWith("_string")) cost = add(cost, scan(sizeOf(other)));
  return only(cost);
}

const selector: Estimator = ({ args: [text] }) => {
  const length = sizeOf(text);
  const requirements = scale(scale(length, 0.5), LIST_COST + MESSAGE_COST);
  return only(add(add(exactly(LIST_COST), scan(length)), requirements));
};

const OPAQUE_EQUALITY = new Set(["net.IP", "net.CIDR"]);

/** Equality of values that are compared in one step. */
const equality: Estimator = ({ args: [left, right] }) => {
  const type = left?.type;
  if (type === undefined || right?.type !== type) return undefined;
  if (type.kind === "opaque" && OPAQUE_EQUALITY.has(type.name)) return only(exactly(1));
  if (type.kind !== "object" || !type.name.startsWith("kubernetes.")) return undefined;
  if (type.name === "kubernetes.NamedFormat") return only(scan({ min: 1, max: 64 }));
  if (type.name === "kubernetes.URL") {
    return only(scan({ min: 1, max: right?.size?.max ?? 1 }));
  }
  return only(exactly(1));
};

const BY_FUNCTION: Readonly<Record<string, Estimator>> = {
  check: fixed(CHECK_COST),
  ...named("fieldSelector labelSelector", selector),
  ...named("isSorted sum max min indexOf lastIndexOf", overElements),
  ...named("url jsonpatch.escapeKey", ({ args: [first] }) => {
    return { cost: scan(sizeOf(first)), size: sizeOf(first) };
  }),
  ...named("lowerAscii upperAscii substring trim", scanTarget),
  replace: replaced,
  split: splitted,
  join: joined,
  ...named("find findAll", found),
  ...named("cidr isIP isCIDR quantity isQuantity semver isSemver", scanArgument),
  ip: (call) => (call.id === "cidr_ip" ? only(exactly(1)) : scanArgument(call)),
  "ip.isCanonical": scanTwice,
  containsIP: (call) => contains(call, false),
  containsCIDR: (call) => contains(call, true),
  validate: ({ args: [text] }) => only(scale(scan(sizeOf(text)), 128 * PATTERN_FACTOR)),
  "_==_": equality,
};

/** Comparisons of texts look at no more than the shorter one. */
const compared: Estimator = ({ args: [left, right] }) => {
  const max = Math.min(sizeOf(left).max, sizeOf(right).max);
  return only(scan({ min: max > 0 ? 1 : 0, max }));
};

function madeList(factor: number, size: Estimate): CallEstimate {
  return { cost: add(add(scale(size, factor), exactly(1)), exactly(LIST_COST)), size };
}

function sorted(list: EstimatedNode | undefined, id: string): CallEstimate {
  const size = sizeOf(list);
  const isText = id.startsWith("list_string") || id.startsWith("list_bytes");
  return madeList(isText ? 2 + STRING_FACTOR : 2, multiply(size, size));
}

/** Each element of one list with each of the other. */
function pairs({ args: [left, right] }: Call, factor: number): CallEstimate {
  const size = multiply(sizeOf(left), sizeOf(right));
  return only(add(scale(size, factor), exactly(1)));
}

const COMPARISONS = ["less", "greater", "less_equals", "greater_equals"].flatMap((name) => [
  `${name}_string`,
  `${name}_bytes`,
]);

const BY_OVERLOAD: Readonly<Record<string, Estimator>> = {
  string_format: ({ on }) => (on === undefined ? undefined : only(scan(sizeOf(on)))),
  string_to_bytes: ({ args: [text] }) => {
    const { min, max } = sizeOf(text);
    return { cost: scan({ min, max }), size: { min, max: Math.min(MOST, max * 4) } };
  },
  bytes_to_string: ({ args: [bytes] }) => {
    const { min, max } = sizeOf(bytes);
    return { cost: scan({ min, max }), size: { min: Math.floor(min / 4), max } };
  },
  strings_quote: ({ args: [text] }) => {
    const { min, max } = sizeOf(text);
    return { cost: scan({ min, max }), size: { min: min + 2, max: Math.min(MOST, max * 2 + 2) } };
  },
  ...named("starts_with_string ends_with_string", scanArgument),
  in_list: ({ args: [, list] }) => only(sizeOf(list)),
  matches_string: (call) => (call.on === undefined ? undefined : only(search(call))),
  contains_string: ({ on, args: [part] }) => {
    return on === undefined ? undefined : only(multiply(scan(sizeOf(on)), scan(sizeOf(part))));
  },
  equals: (call) => equality(call) ?? compared(call),
  not_equals: compared,
  ...named(COMPARISONS.join(" "), compared),
  ...named("list_sets_contains_list list_sets_intersects_list", (call) => pairs(call, 1)),
  list_sets_equivalent_list: (call) => pairs(call, 2),
  list_slice: ({ on, args: [from, to] }) => {
    const count = (literalInt(to) ?? sizeOf(on).max) - (literalInt(from) ?? 0);
    // Upstream's subtraction has no sign.
    return madeList(1, exactly(count < 0 ? MOST : count));
  },
  lists_range: ({ args: [count] }) => madeList(1, exactly(literalInt(count) ?? MOST)),
  list_reverse: ({ on }) => madeList(1, sizeOf(on)),
  list_flatten: ({ on }) => madeList(1, sizeOf(on)),
  list_flatten_int: ({ on, args: [depth] }) => madeList(literalInt(depth) ?? MOST, sizeOf(on)),
  list_distinct: ({ on }) => madeList(2, multiply(sizeOf(on), sizeOf(on))),
};
