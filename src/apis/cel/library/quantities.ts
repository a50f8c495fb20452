/**
 * Quantities and semantic versions.
 * Upstream: apiserver/pkg/cel/library/quantity.go, semverlib.go; blang/semver v4.
 */
import {
  addQuantity,
  compareQuantity,
  parseQuantity,
  type Quantity,
  QuantityError,
  quantityOf,
  quantitySign,
  subtractQuantity,
} from "../../../apimachinery/quantity.ts";
import { type Implementation, member, type Overload, overload } from "../environment.ts";
import { BOOL, DOUBLE, INT, receiverType, STRING } from "../types.ts";
import { CelError, CelOpaque, type CelValue, compareText, noOverload } from "../values.ts";
import { textArgument as text } from "./conversions.ts";

export const QUANTITY_TYPE = receiverType("kubernetes.Quantity");
const SEMVER_TYPE = receiverType("kubernetes.Semver");

class CelQuantity extends CelOpaque {
  readonly type = QUANTITY_TYPE;
  readonly quantity: Quantity;
  constructor(quantity: Quantity) {
    super();
    this.quantity = quantity;
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelQuantity && compareQuantity(this.quantity, other.quantity) === 0;
  }
}

function toQuantity(value: CelValue): CelQuantity {
  const raw = text(value);
  try {
    return new CelQuantity(parseQuantity(raw));
  } catch (thrown) {
    if (thrown instanceof QuantityError) throw new CelError(thrown.message);
    throw thrown;
  }
}

function quantity(value: CelValue | undefined): Quantity {
  if (value instanceof CelQuantity) return value.quantity;
  throw noOverload();
}

const INT_MAX = 2n ** 63n - 1n;

/** The quantity as an int64; undefined when it has a fraction or does not fit. */
function wholeNumber({ unscaled, exponent }: Quantity): bigint | undefined {
  const scale = 10n ** BigInt(Math.abs(exponent));
  if (exponent < 0 && unscaled % scale !== 0n) return undefined;
  const value = exponent < 0 ? unscaled / scale : unscaled * scale;
  return value > INT_MAX || value < -INT_MAX - 1n ? undefined : value;
}

function asInteger(value: CelValue): CelValue {
  const whole = wholeNumber(quantity(value));
  if (whole === undefined) throw new CelError("cannot convert value to integer");
  return whole;
}

/** Reads an int as the quantity functions that take one do. */
function quantityOrInt(value: CelValue): Quantity {
  return typeof value === "bigint" ? quantityOf(value, "DecimalExponent") : quantity(value);
}

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly pre: readonly string[];
}

class CelSemver extends CelOpaque {
  readonly type = SEMVER_TYPE;
  readonly version: Version;
  constructor(version: Version) {
    super();
    this.version = version;
  }
  equals(other: CelOpaque): boolean {
    return other instanceof CelSemver && compareVersions(this.version, other.version) === 0;
  }
}

const NUMBER = /^[0-9]+$/;
const IDENTIFIER = /^[0-9A-Za-z-]+$/;
const UINT64_MAX = 2n ** 64n - 1n;
const PART_NAMES = ["major", "minor", "patch"];

function semverNumber(part: string, name: string): bigint {
  const quoted = JSON.stringify(part);
  if (!NUMBER.test(part)) {
    throw new CelError(`Invalid character(s) found in ${name} number ${quoted}`);
  }
  if (part.length > 1 && part.startsWith("0")) {
    throw new CelError(
      `${name[0]?.toUpperCase()}${name.slice(1)} number must not contain leading zeroes ${quoted}`,
    );
  }
  const value = BigInt(part);
  if (value > UINT64_MAX) {
    throw new CelError(`strconv.ParseUint: parsing ${quoted}: value out of range`);
  }
  return value;
}

function parseSemver(raw: string): Version {
  if (raw === "") throw new CelError("Version string empty");
  const [major = "", minor, ...others] = raw.split(".");
  if (minor === undefined || others.length === 0) {
    throw new CelError("No Major.Minor.Patch elements found");
  }
  let patch = others.join(".");
  const plus = patch.indexOf("+");
  const build = plus < 0 ? undefined : patch.slice(plus + 1).split(".");
  if (plus >= 0) patch = patch.slice(0, plus);
  const dash = patch.indexOf("-");
  const pre = dash < 0 ? [] : patch.slice(dash + 1).split(".");
  if (dash >= 0) patch = patch.slice(0, dash);
  for (const one of pre) checkPrerelease(one);
  for (const one of build ?? []) {
    if (one === "") throw new CelError("Build meta data is empty");
    if (!IDENTIFIER.test(one)) {
      throw new CelError(`Invalid character(s) found in build meta data ${JSON.stringify(one)}`);
    }
  }
  const [a = 0n, b = 0n, c = 0n] = [major, minor, patch].map((part, index) =>
    semverNumber(part, PART_NAMES[index] ?? ""),
  );
  return { numbers: [a, b, c], pre };
}

function checkPrerelease(part: string): void {
  const quoted = JSON.stringify(part);
  if (part === "") throw new CelError("Prerelease is empty");
  if (!IDENTIFIER.test(part)) {
    throw new CelError(`Invalid character(s) found in prerelease ${quoted}`);
  }
  if (NUMBER.test(part) && part.length > 1 && part.startsWith("0")) {
    throw new CelError(`Numeric PreRelease version must not contain leading zeroes ${quoted}`);
  }
}

function compareVersions(left: Version, right: Version): number {
  for (const index of [0, 1, 2] as const) {
    const [a, b] = [left.numbers[index], right.numbers[index]];
    if (a !== b) return a < b ? -1 : 1;
  }
  if (left.pre.length === 0 || right.pre.length === 0) {
    return Number(left.pre.length === 0) - Number(right.pre.length === 0);
  }
  for (let index = 0; index < Math.min(left.pre.length, right.pre.length); index++) {
    const order = comparePrerelease(left.pre[index] ?? "", right.pre[index] ?? "");
    if (order !== 0) return order;
  }
  return Math.sign(left.pre.length - right.pre.length);
}

function comparePrerelease(left: string, right: string): number {
  const numbers = [NUMBER.test(left), NUMBER.test(right)];
  if (numbers[0] && numbers[1]) {
    const [a, b] = [BigInt(left), BigInt(right)];
    return a < b ? -1 : Number(a > b);
  }
  if (numbers[0] !== numbers[1]) return numbers[0] ? -1 : 1;
  return Math.sign(compareText(left, right));
}

/** Takes a v in front, leading zeros and missing parts, as normalizing asks for. */
function normalized(raw: string): string {
  const [major = "", minor, ...others] = raw.replace(/^v/, "").split(".");
  const parts = [major, minor, others.length === 0 ? undefined : others.join(".")]
    .filter((part) => part !== undefined)
    .map((part) => (part.length > 1 ? part.replace(/^0+(?=[0-9])/, "") : part));
  if (parts.length < 3 && /[+-]/.test(parts[parts.length - 1] ?? "")) {
    throw new CelError("short version cannot contain PreRelease/Build meta data");
  }
  while (parts.length < 3) parts.push("0");
  return parts.join(".");
}

function toSemver(value: CelValue, normalize: CelValue = false): CelSemver {
  const raw = text(value);
  return new CelSemver(parseSemver(normalize === true ? normalized(raw) : raw));
}

function version(value: CelValue | undefined): Version {
  if (value instanceof CelSemver) return value.version;
  throw noOverload();
}

/** Whether the text can be read by `read`. */
function isReadable(read: Implementation): Implementation {
  return (...args) => {
    try {
      read(...args);
      return true;
    } catch (thrown) {
      if (thrown instanceof CelError && typeof args[0] === "string") return false;
      throw thrown;
    }
  };
}

const Q = QUANTITY_TYPE;
const S = SEMVER_TYPE;

/** isGreaterThan, isLessThan and compareTo of one type. */
function ordering(name: string, type: typeof Q, order: (a: CelValue, b: CelValue) => number) {
  return [
    [
      "isGreaterThan",
      [member(`${name}_is_greater_than`, [type, type], BOOL, (a, b) => order(a, b) > 0)],
    ],
    ["isLessThan", [member(`${name}_is_less_than`, [type, type], BOOL, (a, b) => order(a, b) < 0)]],
    ["compareTo", [member(`${name}_compare_to`, [type, type], INT, (a, b) => BigInt(order(a, b)))]],
  ] as const;
}

function versionPart(name: string, index: 0 | 1 | 2) {
  const call: Implementation = (value) => BigInt.asIntN(64, version(value).numbers[index]);
  return [name, [member(`semver_${name}`, [S], INT, call)]] as const;
}

export const QUANTITIES: readonly (readonly [string, readonly Overload[]])[] = [
  ["quantity", [overload("string_to_quantity", [STRING], Q, toQuantity)]],
  ["isQuantity", [overload("is_quantity_string", [STRING], BOOL, isReadable(toQuantity))]],
  ["sign", [overload("quantity_sign", [Q], INT, (value) => BigInt(quantitySign(quantity(value))))]],
  ...ordering("quantity", Q, (a, b) => compareQuantity(quantity(a), quantity(b))),
  [
    "asApproximateFloat",
    [
      member("quantity_get_float", [Q], DOUBLE, (value) => {
        const { unscaled, exponent } = quantity(value);
        return Number(`${unscaled}e${exponent}`);
      }),
    ],
  ],
  ["asInteger", [member("quantity_get_int", [Q], INT, asInteger)]],
  [
    "isInteger",
    [
      member(
        "quantity_is_integer",
        [Q],
        BOOL,
        (value) => wholeNumber(quantity(value)) !== undefined,
      ),
    ],
  ],
  [
    "add",
    [Q, INT].map((type, index) =>
      member(index === 0 ? "quantity_add" : "quantity_add_int", [Q, type], Q, (a, b) => {
        return new CelQuantity(addQuantity(quantity(a), quantityOrInt(b)));
      }),
    ),
  ],
  [
    "sub",
    [Q, INT].map((type, index) =>
      member(index === 0 ? "quantity_sub" : "quantity_sub_int", [Q, type], Q, (a, b) => {
        return new CelQuantity(subtractQuantity(quantity(a), quantityOrInt(b)));
      }),
    ),
  ],
  [
    "semver",
    [
      overload("string_to_semver", [STRING], S, toSemver),
      overload("string_bool_to_semver", [STRING, BOOL], S, toSemver),
    ],
  ],
  [
    "isSemver",
    [
      overload("is_semver_string", [STRING], BOOL, isReadable(toSemver)),
      overload("is_semver_string_bool", [STRING, BOOL], BOOL, isReadable(toSemver)),
    ],
  ],
  ...ordering("semver", S, (a, b) => compareVersions(version(a), version(b))),
  versionPart("major", 0),
  versionPart("minor", 1),
  versionPart("patch", 2),
];
