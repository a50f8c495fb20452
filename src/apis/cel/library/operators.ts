/**
 * Operators and size(). `&&`, `||`, `?:`, `==`, indexing and the folds' own functions are planned
 * apart; their overloads here are for the checker. Upstream: cel-go common/stdlib/standard.go.
 */
import { member, type Overload, overload } from "../environment.ts";
import { durationOf, timestampOf } from "../time.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  INT,
  listOf,
  mapOf,
  optionalOf,
  param,
  STRING,
  TIMESTAMP,
  UINT,
} from "../types.ts";
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelOptional,
  CelTimestamp,
  CelUint,
  type CelValue,
  compare,
  equal,
  noOverload,
  textSize,
} from "../values.ts";

const A = param("A");
const B = param("B");
const LIST_A = listOf(A);
const MAP_AB = mapOf(A, B);
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

function int(value: bigint): bigint {
  if (value > INT_MAX || value < -INT_MAX - 1n) throw new CelError("integer overflow");
  return value;
}

function uint(value: bigint): CelUint {
  if (value > UINT_MAX || value < 0n) throw new CelError("unsigned integer overflow");
  return new CelUint(value);
}

/** `left + right`. Throws CelError on overflow, or when the two do not go together. */
export function add(left: CelValue, right: CelValue): CelValue {
  if (typeof left === "bigint" && typeof right === "bigint") return int(left + right);
  if (typeof left === "string" && typeof right === "string") return left + right;
  if (typeof left === "number" && typeof right === "number") return left + right;
  if (left instanceof CelList && right instanceof CelList) return left.concat(right);
  if (left instanceof CelUint && right instanceof CelUint) return uint(left.value + right.value);
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return Buffer.concat([left, right]);
  }
  if (left instanceof CelDuration) {
    if (right instanceof CelDuration) return durationOf(left.nanos + right.nanos);
    if (right instanceof CelTimestamp) return add(right, left);
  }
  if (left instanceof CelTimestamp && right instanceof CelDuration) {
    return timestampOf(left.nanos + right.nanos, left.offsetMinutes);
  }
  throw noOverload();
}

function subtract(left: CelValue, right: CelValue): CelValue {
  if (typeof left === "bigint" && typeof right === "bigint") return int(left - right);
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (left instanceof CelUint && right instanceof CelUint) return uint(left.value - right.value);
  if (left instanceof CelTimestamp) {
    if (right instanceof CelTimestamp) return durationOf(left.nanos - right.nanos);
    if (right instanceof CelDuration) {
      return timestampOf(left.nanos - right.nanos, left.offsetMinutes);
    }
  }
  if (left instanceof CelDuration && right instanceof CelDuration) {
    return durationOf(left.nanos - right.nanos);
  }
  throw noOverload();
}

function multiply(left: CelValue, right: CelValue): CelValue {
  if (typeof left === "bigint" && typeof right === "bigint") return int(left * right);
  if (typeof left === "number" && typeof right === "number") return left * right;
  if (left instanceof CelUint && right instanceof CelUint) return uint(left.value * right.value);
  throw noOverload();
}

function divide(left: CelValue, right: CelValue): CelValue {
  if (typeof left === "number" && typeof right === "number") return left / right;
  const byZero = right === 0n || (right instanceof CelUint && right.value === 0n);
  if (byZero) throw new CelError("division by zero");
  if (typeof left === "bigint" && typeof right === "bigint") return int(left / right);
  if (left instanceof CelUint && right instanceof CelUint) return uint(left.value / right.value);
  throw noOverload();
}

function modulo(left: CelValue, right: CelValue): CelValue {
  const byZero = right === 0n || (right instanceof CelUint && right.value === 0n);
  if (byZero) throw new CelError("modulus by zero");
  if (typeof left === "bigint" && typeof right === "bigint") return left % right;
  if (left instanceof CelUint && right instanceof CelUint) return uint(left.value % right.value);
  throw noOverload();
}

function negate(value: CelValue): CelValue {
  if (typeof value === "bigint") return int(-value);
  if (typeof value === "number") return -value;
  throw noOverload();
}

function not(value: CelValue): CelValue {
  if (typeof value === "boolean") return !value;
  throw noOverload();
}

/** `value in container`. Throws CelError when there is nothing to look in. */
export function contained(value: CelValue, container: CelValue): boolean {
  if (container instanceof CelMap) return container.get(value) !== undefined;
  if (!(container instanceof CelList)) throw noOverload();
  for (let index = 0; index < container.size; index++) {
    if (equal(value, container.at(index))) return true;
  }
  return false;
}

/** The element of a list or the value of a map; undefined when there is none. */
export function find(container: CelValue, key: CelValue): CelValue | undefined {
  if (container instanceof CelMap) return container.get(key);
  if (!(container instanceof CelList)) throw noOverload();
  const index = listIndex(key);
  return index < 0 || index >= container.size ? undefined : container.at(index);
}

function listIndex(key: CelValue): number {
  if (typeof key === "bigint") return Number(key);
  if (key instanceof CelUint) return Number(key.value);
  if (typeof key === "number" && Number.isInteger(key)) return key;
  throw new CelError(`unsupported index value ${String(key)} in list`);
}

function size(value: CelValue): CelValue {
  if (typeof value === "string") return BigInt(textSize(value));
  if (value instanceof Uint8Array) return BigInt(value.length);
  if (value instanceof CelList || value instanceof CelMap) return BigInt(value.size);
  throw noOverload();
}

/** Never called: the plan has an operation of its own. */
const planned = (): CelValue => {
  throw noOverload();
};

const NUMBERS: readonly (readonly [string, CelType])[] = [
  ["int64", INT],
  ["uint64", UINT],
  ["double", DOUBLE],
];

/** A relation over values of one type, and over numbers of two types. */
function relation(name: string, call: (left: CelValue, right: CelValue) => boolean): Overload[] {
  const same: [string, CelType][] = [
    ["bool", BOOL],
    ["string", STRING],
    ["bytes", BYTES],
    ["timestamp", TIMESTAMP],
    ["duration", DURATION],
  ];
  const rows = same.map(([type, one]) => overload(`${name}_${type}`, [one, one], BOOL, call));
  for (const [left, leftType] of NUMBERS) {
    for (const [right, rightType] of NUMBERS) {
      const id = left === right ? `${name}_${left}` : `${name}_${left}_${right}`;
      rows.push(overload(id, [leftType, rightType], BOOL, call));
    }
  }
  return rows;
}

function arithmetic(
  name: string,
  types: readonly (readonly [string, CelType])[],
  call: (left: CelValue, right: CelValue) => CelValue,
): Overload[] {
  return types.map(([type, one]) => overload(`${name}_${type}`, [one, one], one, call));
}

const SIZES: readonly (readonly [string, CelType])[] = [
  ["bytes", BYTES],
  ["list", LIST_A],
  ["map", MAP_AB],
  ["string", STRING],
];

/** Declared in the order in which overloads are tried. */
export const OPERATORS: readonly (readonly [string, readonly Overload[]])[] = [
  ["_?_:_", [overload("conditional", [BOOL, A, A], A, planned)]],
  ["_&&_", [overload("logical_and", [BOOL, BOOL], BOOL, planned)]],
  ["_||_", [overload("logical_or", [BOOL, BOOL], BOOL, planned)]],
  ["!_", [overload("logical_not", [BOOL], BOOL, not)]],
  ["@not_strictly_false", [overload("not_strictly_false", [BOOL], BOOL, planned)]],
  ["_==_", [overload("equals", [A, A], BOOL, equal)]],
  ["_!=_", [overload("not_equals", [A, A], BOOL, (left, right) => !equal(left, right))]],
  [
    "_+_",
    [
      ...arithmetic("add", [["bytes", BYTES], ...NUMBERS, ["string", STRING]], add),
      overload("add_list", [LIST_A, LIST_A], LIST_A, add),
      overload("add_duration_duration", [DURATION, DURATION], DURATION, add),
      overload("add_duration_timestamp", [DURATION, TIMESTAMP], TIMESTAMP, add),
      overload("add_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP, add),
    ],
  ],
  [
    "_-_",
    [
      ...arithmetic("subtract", NUMBERS, subtract),
      overload("subtract_duration_duration", [DURATION, DURATION], DURATION, subtract),
      overload("subtract_timestamp_duration", [TIMESTAMP, DURATION], TIMESTAMP, subtract),
      overload("subtract_timestamp_timestamp", [TIMESTAMP, TIMESTAMP], DURATION, subtract),
    ],
  ],
  ["_*_", arithmetic("multiply", NUMBERS, multiply)],
  ["_/_", arithmetic("divide", NUMBERS, divide)],
  ["_%_", arithmetic("modulo", NUMBERS.slice(0, 2), modulo)],
  [
    "-_",
    [
      overload("negate_double", [DOUBLE], DOUBLE, negate),
      overload("negate_int64", [INT], INT, negate),
    ],
  ],
  ["_<_", relation("less", (left, right) => compare(left, right) < 0)],
  ["_<=_", relation("less_equals", (left, right) => compare(left, right) <= 0)],
  ["_>_", relation("greater", (left, right) => compare(left, right) > 0)],
  ["_>=_", relation("greater_equals", (left, right) => compare(left, right) >= 0)],
  [
    "@in",
    [
      overload("in_list", [A, LIST_A], BOOL, contained),
      overload("in_map", [A, MAP_AB], BOOL, contained),
    ],
  ],
  [
    "_[_]",
    [
      overload("index_list", [LIST_A, INT], A, planned),
      overload("index_map", [MAP_AB, A], B, planned),
      overload("optional_list_index_int", [optionalOf(LIST_A), INT], optionalOf(A), planned),
      overload("optional_map_index_value", [optionalOf(MAP_AB), A], optionalOf(B), planned),
    ],
  ],
  [
    "_[?_]",
    [
      overload("list_optindex_optional_int", [LIST_A, INT], optionalOf(A), planned),
      overload(
        "optional_list_optindex_optional_int",
        [optionalOf(LIST_A), INT],
        optionalOf(A),
        planned,
      ),
      overload("map_optindex_optional_value", [MAP_AB, A], optionalOf(B), planned),
      overload(
        "optional_map_optindex_optional_value",
        [optionalOf(MAP_AB), A],
        optionalOf(B),
        planned,
      ),
    ],
  ],
  [
    "size",
    SIZES.flatMap(([name, type]) => [
      overload(`size_${name}`, [type], INT, size),
      member(`${name}_size`, [type], INT, size),
    ]),
  ],
];

/** The value inside an optional. Throws CelError when there is none. */
export function unwrap(value: CelValue): CelValue {
  if (!(value instanceof CelOptional)) throw noOverload();
  if (value.value === undefined) throw new CelError("optional.none() dereference");
  return value.value;
}
