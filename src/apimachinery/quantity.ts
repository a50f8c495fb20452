/**
 * resource.Quantity: a decimal number with a suffix. Exact: a bigint times a power of ten.
 * Upstream: apimachinery/pkg/api/resource.
 */

export type QuantityFormat = "DecimalExponent" | "BinarySI" | "DecimalSI";

/** The value is `unscaled` * 10^`exponent`. */
export interface Quantity {
  readonly unscaled: bigint;
  readonly exponent: number;
  readonly format: QuantityFormat;
  /** The client's text, where it already was canonical: it is printed again as it came. */
  readonly text?: string;
}

/** Why a text is no quantity; the messages are upstream's. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QuantityError";
  }
}

const FORMAT_WRONG =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_WRONG = "unable to parse numeric part of quantity";
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const DECIMAL_SUFFIXES: readonly (readonly [string, number])[] = [
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
];
const DECIMAL_EXPONENTS = new Map(DECIMAL_SUFFIXES);
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
/** A suffix beyond this has no int32 exponent upstream; it also bounds the powers computed here. */
const EXPONENT_DIGITS_MAX = 10;
/** Beyond these exponents every value rounds to one nano or saturates; keeps bigints small. */
const EXPONENT_MAX = 1000;

interface Suffix {
  readonly base: 2 | 10;
  readonly exponent: number;
  readonly format: QuantityFormat;
}

function interpretSuffix(suffix: string): Suffix | undefined {
  const decimal = DECIMAL_EXPONENTS.get(suffix);
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: "DecimalSI" };
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { base: 2, exponent: binary * 10, format: "BinarySI" };
  if (!/^[eE][+-]?\d+$/.test(suffix)) return undefined;
  const exponent = Number(suffix.slice(1));
  if (suffix.length > EXPONENT_DIGITS_MAX + 2 || Math.abs(exponent) > EXPONENT_MAX)
    return undefined;
  return { base: 10, exponent, format: "DecimalExponent" };
}

const DIGITS = /\d*/y;
const ZEROS = /0*/y;
const SUFFIX_LETTERS = /[eEinumkKMGTP]*/y;

/** What the pattern takes at the position; each takes all it can, so that nothing backtracks. */
function takeAt(pattern: RegExp, text: string, position: number): string {
  pattern.lastIndex = position;
  return pattern.exec(text)?.[0] ?? "";
}

/** The parts of a quantity's text; undefined when it has not their form. */
function splitQuantity(text: string) {
  const sign = text[0] === "-" || text[0] === "+" ? text[0] : "";
  let position = sign.length;
  const zeros = takeAt(ZEROS, text, position);
  position += zeros.length;
  const integer = takeAt(DIGITS, text, position);
  position += integer.length;
  let decimals = "";
  const hasDot = text[position] === ".";
  if (hasDot) {
    decimals = takeAt(DIGITS, text, position + 1);
    position += 1 + decimals.length;
  }
  const suffixStart = position;
  position += takeAt(SUFFIX_LETTERS, text, position).length;
  if (text[position] === "-" || text[position] === "+") position += 1;
  position += takeAt(DIGITS, text, position).length;
  if (position !== text.length) return undefined;
  // A lone sign is zero; a lone dot is no number.
  const hasNumber =
    zeros !== "" || integer !== "" || decimals !== "" || suffixStart === sign.length;
  return { negative: sign === "-", integer, decimals, hasNumber, suffix: text.slice(suffixStart) };
}

/** Longer texts cost more than linear time in bigint parsing; no real quantity comes near. */
const TEXT_LENGTH_MAX = 4096;

/** Parses a quantity. Throws QuantityError. */
export function parseQuantity(text: string): Quantity {
  if (text === "" || text.length > TEXT_LENGTH_MAX) throw new QuantityError(FORMAT_WRONG);
  if (text === "0") return { unscaled: 0n, exponent: 0, format: "DecimalSI", text };
  const parts = splitQuantity(text);
  if (parts === undefined) throw new QuantityError(FORMAT_WRONG);
  const suffix = interpretSuffix(parts.suffix);
  if (suffix === undefined) throw new QuantityError(SUFFIX_WRONG);
  if (!parts.hasNumber) throw new QuantityError(NUMERIC_WRONG);
  const { negative, decimals } = parts;
  const integer = parts.integer === "" ? "0" : parts.integer;
  const parsed: ParsedText = { text, negative, integer, decimals, suffix };
  return fastQuantity(parsed) ?? slowQuantity(parsed);
}

interface ParsedText {
  readonly text: string;
  readonly negative: boolean;
  readonly integer: string;
  readonly decimals: string;
  readonly suffix: Suffix;
}

/** Upstream's int64 path: it decides whether the client's own text is kept. */
function fastQuantity(parsed: ParsedText): Quantity | undefined {
  const { integer, decimals, suffix } = parsed;
  let precision = 18 - integer.length - decimals.length;
  let mantissa = 1n;
  let scale = suffix.exponent;
  if (suffix.format === "BinarySI") {
    scale = 0;
    if (decimals !== "") return undefined;
    mantissa = 1n << BigInt(suffix.exponent);
    precision = 15 - integer.length - Math.trunc((suffix.exponent * 3) / 10) - 1;
  }
  scale -= decimals.length;
  if (precision < 0 || scale < -9) return undefined;
  const shifted = integer + decimals;
  const value = BigInt(shifted);
  const product = value * mantissa;
  if (product > INT64_MAX) return undefined;
  const quantity = {
    unscaled: parsed.negative ? -product : product,
    exponent: scale,
    format: suffix.format,
  };
  const isCanonical =
    suffix.format === "BinarySI"
      ? suffix.exponent % 10 === 0 && (value & 7n) !== 0n
      : scale % 3 === 0 && !shifted.endsWith("000") && shifted[0] !== "0";
  return isCanonical ? { ...quantity, text: parsed.text } : quantity;
}

function slowQuantity({ negative, integer, decimals, suffix }: ParsedText): Quantity {
  let unscaled = BigInt(integer + decimals);
  let exponent = -decimals.length;
  if (suffix.base === 10) exponent += suffix.exponent;
  else unscaled <<= BigInt(suffix.exponent);
  // What is smaller than a nano counts as one: who asks for something gets something.
  if (exponent < -9) {
    unscaled = ceilDivide(unscaled, 10n ** BigInt(-9 - exponent));
    exponent = -9;
  }
  let { format } = suffix;
  if (format === "BinarySI") {
    if (compareScaled({ unscaled, exponent }, { unscaled: INT64_MAX, exponent: 0 }) > 0) {
      unscaled = INT64_MAX;
      exponent = 0;
    }
    const belowOne = compareScaled({ unscaled, exponent }, { unscaled: 1n, exponent: 0 }) < 0;
    if (belowOne && unscaled > 0n) format = "DecimalSI";
  }
  return { unscaled: negative ? -unscaled : unscaled, exponent, format };
}

/** Of non-negative numbers. */
function ceilDivide(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}

type Scaled = Pick<Quantity, "unscaled" | "exponent">;

function aligned(a: Scaled, b: Scaled): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [
    a.unscaled * 10n ** BigInt(a.exponent - exponent),
    b.unscaled * 10n ** BigInt(b.exponent - exponent),
    exponent,
  ];
}

function compareScaled(a: Scaled, b: Scaled): -1 | 0 | 1 {
  const [left, right] = aligned(a, b);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** -1, 0 or 1 as `a` is less than, equal to or greater than `b`. */
export function compareQuantity(a: Quantity, b: Quantity): -1 | 0 | 1 {
  return compareScaled(a, b);
}

/** -1, 0 or 1: the sign of the value. */
export function quantitySign(quantity: Quantity): -1 | 0 | 1 {
  return quantity.unscaled < 0n ? -1 : quantity.unscaled > 0n ? 1 : 0;
}

/** a + b; zero takes over the other's format. */
export function addQuantity(a: Quantity, b: Quantity): Quantity {
  const [left, right, exponent] = aligned(a, b);
  return { unscaled: left + right, exponent, format: a.unscaled === 0n ? b.format : a.format };
}

/** a - b; zero takes over the other's format. */
export function subtractQuantity(a: Quantity, b: Quantity): Quantity {
  const [left, right, exponent] = aligned(a, b);
  return { unscaled: left - right, exponent, format: a.unscaled === 0n ? b.format : a.format };
}

/** An integer as a quantity. */
export function quantityOf(value: bigint | number, format: QuantityFormat = "DecimalSI"): Quantity {
  return { unscaled: BigInt(value), exponent: 0, format };
}

/** The value / 10^scale, rounded away from zero to an integer; saturates at int64. */
export function scaledQuantityValue(quantity: Quantity, scale: number): bigint {
  const shift = quantity.exponent - scale;
  const size = quantity.unscaled < 0n ? -quantity.unscaled : quantity.unscaled;
  const scaled = shift >= 0 ? size * 10n ** BigInt(shift) : ceilDivide(size, 10n ** BigInt(-shift));
  const value = quantity.unscaled < 0n ? -scaled : scaled;
  return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : value;
}

/** Upstream's Value(): rounded up to an integer. */
export function quantityValue(quantity: Quantity): bigint {
  return scaledQuantityValue(quantity, 0);
}

/** Upstream's MilliValue(): thousandths, rounded up. */
export function quantityMilliValue(quantity: Quantity): bigint {
  return scaledQuantityValue(quantity, -3);
}

/** The canonical text, which JSON and protobuf carry. */
export function formatQuantity(quantity: Quantity): string {
  if (quantity.text !== undefined) return quantity.text;
  if (quantity.unscaled === 0n) return "0";
  if (quantity.format !== "BinarySI") return formatDecimal(quantity, quantity.format);
  const [value, limit] = aligned(quantity, { unscaled: 1024n, exponent: 0 });
  const isSmall = value > -limit && value < limit;
  const integer = exactInteger(quantity);
  if (isSmall || integer === undefined) return formatDecimal(quantity, "DecimalSI");
  return formatBinary(integer);
}

function exactInteger({ unscaled, exponent }: Quantity): bigint | undefined {
  if (exponent >= 0) return unscaled * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(-exponent);
  return unscaled % divisor === 0n ? unscaled / divisor : undefined;
}

function formatBinary(integer: bigint): string {
  let value = integer;
  let power = 0;
  while (power < BINARY_SUFFIXES.length - 1 && value % 1024n === 0n) {
    value /= 1024n;
    power += 1;
  }
  return `${value}${BINARY_SUFFIXES[power]}`;
}

/** The mantissa without trailing zeros, at an exponent that is a multiple of three. */
function formatDecimal(quantity: Quantity, format: QuantityFormat): string {
  let { unscaled, exponent } = quantity;
  while (unscaled % 10n === 0n) {
    unscaled /= 10n;
    exponent += 1;
  }
  while (exponent % 3 !== 0) {
    unscaled *= 10n;
    exponent -= 1;
  }
  if (format === "DecimalExponent")
    return exponent === 0 ? `${unscaled}` : `${unscaled}e${exponent}`;
  const suffix = DECIMAL_SUFFIXES.find(([, power]) => power === exponent)?.[0];
  // Upstream has no suffix beyond E and prints none.
  return `${unscaled}${suffix ?? ""}`;
}

/** A client's text in the form that is stored and answered. Throws QuantityError. */
export function canonicalQuantity(text: string): string {
  return formatQuantity(parseQuantity(text));
}
