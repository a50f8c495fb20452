/**
 * The values that CEL expressions compute with. An int is a bigint, a double a number; lists and
 * maps are read through CelList and CelMap, so that JSON is wrapped only where it is looked at.
 * Upstream: cel-go common/types; apiserver/pkg/cel/common/values.go.
 */
import type { CelType } from "./types.ts";
import { runtimeName } from "./types.ts";

export type CelValue =
  | bigint
  | number
  | string
  | boolean
  | null
  | Uint8Array
  | CelUint
  | CelDuration
  | CelTimestamp
  | CelOptional
  | CelTypeValue
  | CelList
  | CelMap
  | CelOpaque;

/** An evaluation that failed; the message is what clients see. */
export class CelError extends Error {
  /** The expression ran out of its budget: no operator absorbs this. */
  readonly fatal: boolean;
  constructor(message: string, fatal = false) {
    const limit = Error.stackTraceLimit;
    // Failing is ordinary for an expression (a missing key); a stack costs more than the rest.
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = limit;
    this.name = "CelError";
    this.fatal = fatal;
  }
}

const NO_OVERLOAD = "no such overload";

/** The error of a function that knows none of its arguments' types. */
export function noOverload(name?: string): CelError {
  return new CelError(name === undefined ? NO_OVERLOAD : `${NO_OVERLOAD}: ${name}`);
}

/** Whether an error is noOverload's without a name. */
export function isNoOverload(thrown: unknown): boolean {
  return thrown instanceof CelError && thrown.message === NO_OVERLOAD;
}

export class CelUint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

export class CelDuration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** A moment: nanoseconds since 1970, and the offset from UTC it was written with. */
export class CelTimestamp {
  readonly nanos: bigint;
  readonly offsetMinutes: number;
  constructor(nanos: bigint, offsetMinutes = 0) {
    this.nanos = nanos;
    this.offsetMinutes = offsetMinutes;
  }
}

export class CelOptional {
  static readonly none = new CelOptional(undefined);
  /** Undefined: there is no value. */
  readonly value: CelValue | undefined;
  constructor(value: CelValue | undefined) {
    this.value = value;
  }
}

/** A type as a value: `type(x)`, `string`. */
export class CelTypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A value that functions alone can look into: a quantity, an address, an authorizer. */
export abstract class CelOpaque {
  abstract readonly type: CelType;
  abstract equals(other: CelOpaque): boolean;
  /** Its size, for the cost of functions over it. */
  get size(): number {
    return 1;
  }
}

export abstract class CelList {
  abstract readonly size: number;
  /** The element at `index`, which is within the size. */
  abstract at(index: number): CelValue;
  /** Sets and maps among lists compare without order. */
  equals(other: CelList): boolean {
    if (other.size !== this.size) return false;
    for (let index = 0; index < this.size; index++) {
      if (!equal(this.at(index), other.at(index))) return false;
    }
    return true;
  }
  concat(other: CelList): CelList {
    return new ArrayList([...this, ...other]);
  }
  *[Symbol.iterator](): Generator<CelValue> {
    for (let index = 0; index < this.size; index++) yield this.at(index);
  }
}

export class ArrayList extends CelList {
  readonly values: CelValue[];
  constructor(values: CelValue[]) {
    super();
    this.values = values;
  }
  get size(): number {
    return this.values.length;
  }
  at(index: number): CelValue {
    return this.values[index] ?? null;
  }
}

export abstract class CelMap {
  abstract readonly size: number;
  /** The value of a key, or undefined. */
  abstract get(key: CelValue): CelValue | undefined;
  abstract keys(): Iterable<CelValue>;
  /** Whether fields are declared: their absence is told in other words. */
  get type(): CelType {
    return { kind: "map", key: { kind: "dyn" }, value: { kind: "dyn" } };
  }
  equals(other: CelMap): boolean {
    if (other.size !== this.size) return false;
    for (const key of this.keys()) {
      const mine = this.get(key);
      const theirs = other.get(key);
      if (mine === undefined || theirs === undefined || !equal(mine, theirs)) return false;
    }
    return true;
  }
}

/** Keys are told apart by kind and value; an int, a uint and a double of one value are one key. */
function keyOf(key: CelValue): string | number | bigint | boolean | undefined {
  if (typeof key === "string" || typeof key === "boolean" || typeof key === "bigint") return key;
  if (key instanceof CelUint) return key.value;
  if (typeof key === "number") return Number.isInteger(key) ? BigInt(key) : key;
  return undefined;
}

/** A map made by an expression. */
export class ValueMap extends CelMap {
  readonly #entries = new Map<string | number | bigint | boolean, readonly [CelValue, CelValue]>();
  get size(): number {
    return this.#entries.size;
  }
  get(key: CelValue): CelValue | undefined {
    const known = keyOf(key);
    return known === undefined ? undefined : this.#entries.get(known)?.[1];
  }
  /** Adds an entry, or changes that of the key. */
  set(key: CelValue, value: CelValue): void {
    const known = keyOf(key);
    if (known === undefined) throw new CelError(`unsupported key type: ${typeNameOf(key)}`);
    this.#entries.set(known, [key, value]);
  }
  *keys(): Generator<CelValue> {
    for (const [key] of this.#entries.values()) yield key;
  }
}

/** The run-time type's name: `int`, `google.protobuf.Timestamp`, `kubernetes.Quantity`. */
export function typeNameOf(value: CelValue): string {
  switch (typeof value) {
    case "bigint":
      return "int";
    case "number":
      return "double";
    case "string":
      return "string";
    case "boolean":
      return "bool";
    default:
      return objectTypeName(value);
  }
}

function objectTypeName(value: Exclude<CelValue, bigint | number | string | boolean>): string {
  if (value === null) return "null_type";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof CelUint) return "uint";
  if (value instanceof CelDuration) return "google.protobuf.Duration";
  if (value instanceof CelTimestamp) return "google.protobuf.Timestamp";
  if (value instanceof CelOptional) return "optional_type";
  if (value instanceof CelTypeValue) return "type";
  if (value instanceof CelList) return "list";
  return runtimeName(value.type);
}

function numeric(value: CelValue): bigint | number | undefined {
  if (typeof value === "bigint" || typeof value === "number") return value;
  return value instanceof CelUint ? value.value : undefined;
}

/** CEL's `==`: numbers compare by value, values of different types are unequal. */
export function equal(left: CelValue, right: CelValue): boolean {
  if (left === right) return !(typeof left === "number" && Number.isNaN(left));
  if (typeof left === "string" || typeof left === "boolean" || left === null) return false;
  const number = numeric(left);
  if (number !== undefined) {
    const other = numeric(right);
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint and a number compare exactly so.
    return other !== undefined && number == other;
  }
  return equalObjects(left, right);
}

function equalObjects(left: CelValue, right: CelValue): boolean {
  if (left instanceof CelList) return right instanceof CelList && left.equals(right);
  if (left instanceof CelMap) return right instanceof CelMap && left.equals(right);
  if (left instanceof Uint8Array) {
    return right instanceof Uint8Array && Buffer.compare(left, right) === 0;
  }
  if (left instanceof CelDuration) {
    return right instanceof CelDuration && left.nanos === right.nanos;
  }
  if (left instanceof CelTimestamp) {
    return right instanceof CelTimestamp && left.nanos === right.nanos;
  }
  if (left instanceof CelTypeValue) {
    return right instanceof CelTypeValue && left.name === right.name;
  }
  if (left instanceof CelOptional) {
    if (!(right instanceof CelOptional)) return false;
    if (left.value === undefined || right.value === undefined) return left.value === right.value;
    return equal(left.value, right.value);
  }
  return left instanceof CelOpaque && right instanceof CelOpaque && left.equals(right);
}

/**
 * Negative, zero or positive as `left` is before, with or behind `right`. Throws CelError for
 * values that have no order between them.
 */
export function compare(left: CelValue, right: CelValue): number {
  const number = numeric(left);
  if (number !== undefined) {
    const other = numeric(right);
    if (other === undefined) throw noOverload();
    if (Number.isNaN(number) || Number.isNaN(other)) {
      throw new CelError("NaN values cannot be ordered");
    }
    return number < other ? -1 : Number(number > other);
  }
  if (typeof left === "string" && typeof right === "string") return compareText(left, right);
  if (typeof left === "boolean" && typeof right === "boolean") return Number(left) - Number(right);
  if (left instanceof Uint8Array && right instanceof Uint8Array) return Buffer.compare(left, right);
  const bothTimes = left instanceof CelTimestamp && right instanceof CelTimestamp;
  const bothDurations = left instanceof CelDuration && right instanceof CelDuration;
  if (bothTimes || bothDurations) {
    return left.nanos < right.nanos ? -1 : Number(left.nanos > right.nanos);
  }
  throw noOverload();
}

/** The order of UTF-8, which is that of code points and not of JavaScript's units. */
export function compareText(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    const surrogateA = a >= 0xd800 && a <= 0xdfff;
    const surrogateB = b >= 0xd800 && b <= 0xdfff;
    if (surrogateA !== surrogateB) return surrogateA ? 1 : -1;
    return a - b;
  }
  return left.length - right.length;
}

/** How many code points a string has: CEL's size of it. */
export function textSize(text: string): number {
  let size = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdbff) {
      size--;
      index++;
    }
  }
  return size;
}

/** The size that costs are counted with: elements, characters, bytes; 1 for all else. */
export function costSize(value: CelValue): number {
  if (typeof value === "string") return textSize(value);
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelOptional && value.value !== undefined) return costSize(value.value);
  if (value instanceof CelList || value instanceof CelMap || value instanceof CelOpaque) {
    return value.size;
  }
  return 1;
}
