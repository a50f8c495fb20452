/**
 * string.format(): printf's clauses over CEL values. Upstream: cel-go ext/formatting.go.
 */
import {
  CelDuration,
  CelError,
  CelList,
  CelMap,
  CelTimestamp,
  CelUint,
  type CelValue,
  compareText,
  typeNameOf,
} from "../values.ts";
import { toText } from "./conversions.ts";

const PRECISION_DEFAULT = 6;
/** A text with more than this many decimals asked for is refused. */
const PRECISION_MAX = 1000;

const HEX_WORDS = "only integers, byte buffers, and strings can be formatted as hex";

/** A text between clauses, or a clause with the letter behind its percent sign. */
type Piece = string | { readonly letter: string; readonly precision: number };

/** Fills the clauses of `pattern` with `args`. Throws CelError. */
export function formatText(pattern: string, args: CelValue): string {
  const list = args instanceof CelList ? args : undefined;
  let next = 0;
  const parts = pieces(pattern).map((piece) => {
    if (typeof piece === "string") return piece;
    if (list === undefined || next >= list.size) {
      throw new CelError(`index ${next} out of range`);
    }
    return inFormatting(() => formatted(list.at(next++), piece.letter, piece.precision));
  });
  return parts.join("");
}

function inFormatting(format: () => string): string {
  try {
    return format();
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    throw new CelError(`error during formatting: ${thrown.message}`);
  }
}

function pieces(pattern: string): Piece[] {
  const found: Piece[] = [];
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] !== "%" || pattern[at + 1] === "%") {
      if (pattern[at] === "%") at++;
      found.push(pattern[at] ?? "");
      continue;
    }
    const { end, ...piece } = clause(pattern, at + 1);
    found.push(piece);
    at = end;
  }
  return found;
}

/** The clause behind a percent sign: `.3f`, `s`. */
function clause(pattern: string, at: number): { letter: string; precision: number; end: number } {
  let end = at;
  let precision = PRECISION_DEFAULT;
  const failed = (why: string) => new CelError(`could not parse formatting clause: ${why}`);
  if (pattern[end] === ".") {
    const digits = /^[0-9]+/.exec(pattern.slice(end + 1))?.[0] ?? "";
    precision = Number(digits);
    if (digits === "" || precision > PRECISION_MAX) {
      throw failed("error while parsing precision");
    }
    end += 1 + digits.length;
  }
  const letter = pattern[end];
  if (letter === undefined) throw failed("unexpected end of string");
  if (!"sdfexXbo".includes(letter)) {
    throw failed(`unrecognized formatting clause ${JSON.stringify(letter)}`);
  }
  return { letter, precision, end };
}

const INTEGERS = ["int", "uint"];
/** The types a clause takes, and the words for others. */
const CLAUSE_TYPES: Readonly<Record<string, readonly [types: readonly string[], words: string]>> = {
  d: [INTEGERS, "decimal clause can only be used on integers"],
  f: [["double", "string"], "fixed-point clause can only be used on doubles"],
  e: [["double", "string"], "scientific clause can only be used on doubles"],
  b: [[...INTEGERS, "bool"], "only integers and bools can be formatted as binary"],
  x: [[...INTEGERS, "string", "bytes"], HEX_WORDS],
  X: [[...INTEGERS, "string", "bytes"], HEX_WORDS],
  o: [INTEGERS, "octal clause can only be used on integers"],
};

/**
 * What is wrong with a pattern for arguments of the types named, and the argument it is about.
 * Upstream: stringFormatValidator.
 */
export function formatProblem(
  pattern: string,
  types: readonly string[],
): { readonly message: string; readonly argument: number | undefined } | undefined {
  let next = 0;
  try {
    for (const piece of pieces(pattern)) {
      if (typeof piece === "string") continue;
      const type = types[next];
      if (type === undefined) throw new CelError(`index ${next} out of range`);
      const [allowed, words] = CLAUSE_TYPES[piece.letter] ?? [[type], ""];
      if (type !== "dyn" && !allowed.includes(type)) {
        const message = `error during formatting: ${words}, was given ${type}`;
        return { message, argument: next };
      }
      next++;
    }
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    return { message: thrown.message, argument: undefined };
  }
  if (types.length <= next) return undefined;
  const message = `too many arguments supplied to string.format (expected ${next}, got ${types.length})`;
  return { message, argument: undefined };
}

function formatted(value: CelValue, letter: string, precision: number): string {
  switch (letter) {
    case "s":
      return plain(value);
    case "d":
      return decimal(value);
    case "f":
      return fixed(floating(value, "fixed-point"), precision);
    case "e":
      return scientific(floating(value, "scientific"), precision);
    case "b":
      return binary(value);
    case "x":
      return hex(value);
    case "X":
      return hex(value).toUpperCase();
    default:
      return integer(value, "octal clause can only be used on integers").toString(8);
  }
}

const STRING_CLAUSE =
  "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps, was given ";

/** %s: lists and maps as CEL would write them, all else as string() gives it. */
export function plain(value: CelValue): string {
  if (value === null) return "null";
  if (value instanceof CelList) return `[${[...value].map(literal).join(", ")}]`;
  if (value instanceof CelMap) return mapText(value);
  try {
    return toText(value);
  } catch (thrown) {
    if (!(thrown instanceof CelError)) throw thrown;
    throw new CelError(`${STRING_CLAUSE}${typeNameOf(value)}`);
  }
}

function mapText(map: CelMap): string {
  const entries = [...map.keys()].map((key) => {
    const value = map.get(key) ?? null;
    return [literal(key), literal(value)] as const;
  });
  entries.sort(([left], [right]) => compareText(left, right));
  return `{${entries.map(([key, value]) => `${key}:${value}`).join(", ")}}`;
}

/** A value inside a list or a map, as its literal. */
function literal(value: CelValue): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (value instanceof Uint8Array) return `b${JSON.stringify(toText(value))}`;
  if (value instanceof CelTimestamp) return `timestamp("${toText(value)}")`;
  if (value instanceof CelDuration) return `duration("${toText(value)}")`;
  if (typeof value === "number") {
    return Number.isFinite(value) ? fixed(value, PRECISION_DEFAULT) : `"${toText(value)}"`;
  }
  return plain(value);
}

function integer(value: CelValue, words: string): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof CelUint) return value.value;
  throw new CelError(`${words}, was given ${typeNameOf(value)}`);
}

function decimal(value: CelValue): string {
  return integer(value, "decimal clause can only be used on integers").toString();
}

function binary(value: CelValue): string {
  if (typeof value === "boolean") return value ? "1" : "0";
  return integer(value, "only integers and bools can be formatted as binary").toString(2);
}

function hex(value: CelValue): string {
  if (typeof value === "string") return Buffer.from(value, "utf8").toString("hex");
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return integer(value, HEX_WORDS).toString(16);
}

const SPECIAL: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

function floating(value: CelValue, clauseName: string): number {
  if (typeof value === "number") return value;
  const special = typeof value === "string" ? SPECIAL[value] : undefined;
  if (special !== undefined) return special;
  const words = `${clauseName} clause can only be used on doubles`;
  throw new CelError(`${words}, was given ${typeNameOf(value)}`);
}

function fixed(value: number, precision: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  return precision <= 100 && Math.abs(value) < 1e21
    ? value.toFixed(precision)
    : value.toFixed(100).padEnd(precision, "0");
}

const SUPERSCRIPTS = [..."⁰¹²³⁴⁵⁶⁷⁸⁹"];

function scientific(value: number, precision: number): string {
  if (!Number.isFinite(value)) return fixed(value, precision);
  const [digits = "", exponent = "0"] = value.toExponential(Math.min(precision, 100)).split("e");
  const power = Number(exponent);
  const size = Math.abs(power).toString().padStart(2, "0");
  const raised = [...size].map((digit) => SUPERSCRIPTS[Number(digit)] ?? "").join("");
  return `${digits}×10${power < 0 ? "⁻" : ""}${raised}`;
}
