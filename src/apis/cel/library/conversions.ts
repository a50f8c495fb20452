/**
 * Conversions between types, by the functions named as the types are.
 * Upstream: cel-go common/stdlib/standard.go, common/types.
 */
import { type Implementation, type Overload, overload } from "../environment.ts";
import {
  durationOf,
  durationText,
  floorDivide,
  parseDuration,
  parseTimestamp,
  timestampOf,
  timestampText,
} from "../time.ts";
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  param,
  STRING,
  TIMESTAMP,
  typeOf,
  UINT,
} from "../types.ts";
import {
  CelDuration,
  CelError,
  CelTimestamp,
  CelTypeValue,
  CelUint,
  type CelValue,
  noOverload,
  typeNameOf,
} from "../values.ts";

const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

function failed(value: CelValue, to: string): CelError {
  return new CelError(`type conversion error from '${typeNameOf(value)}' to '${to}'`);
}

function inInt(value: bigint): bigint {
  if (value > INT_MAX || value < -INT_MAX - 1n) throw new CelError("integer overflow");
  return value;
}

function toInt(value: CelValue): CelValue {
  if (typeof value === "bigint") return value;
  if (value instanceof CelUint) return inInt(value.value);
  if (value instanceof CelDuration) return value.nanos;
  if (value instanceof CelTimestamp) return floorDivide(value.nanos, 1_000_000_000n);
  if (typeof value === "number") {
    const outside = !Number.isFinite(value) || value >= 2 ** 63 || value <= -(2 ** 63);
    if (outside) throw new CelError("integer overflow");
    return BigInt(Math.trunc(value));
  }
  if (typeof value !== "string") throw failed(value, "int");
  if (!/^[+-]?[0-9]+$/.test(value)) throw failed(value, "int");
  const parsed = BigInt(value.replace(/^\+/, ""));
  if (parsed > INT_MAX || parsed < -INT_MAX - 1n) throw failed(value, "int");
  return parsed;
}

function toUint(value: CelValue): CelValue {
  if (value instanceof CelUint) return value;
  if (typeof value === "bigint") {
    if (value < 0n) throw new CelError("unsigned integer overflow");
    return new CelUint(value);
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) {
      throw new CelError("unsigned integer overflow");
    }
    return new CelUint(BigInt(Math.trunc(value)));
  }
  if (typeof value !== "string" || !/^[0-9]+$/.test(value)) throw failed(value, "uint");
  const parsed = BigInt(value);
  if (parsed > UINT_MAX) throw failed(value, "uint");
  return new CelUint(parsed);
}

const FLOAT = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INFINITE = /^[+-]?inf(?:inity)?$/i;

function toDouble(value: CelValue): CelValue {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof CelUint) return Number(value.value);
  if (typeof value !== "string") throw failed(value, "double");
  if (INFINITE.test(value)) return value.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(value)) return Number.NaN;
  const parsed = FLOAT.test(value) ? Number(value) : Number.NaN;
  if (!Number.isFinite(parsed)) throw failed(value, "double");
  return parsed;
}

/** From this power of ten on, and below -4, a double is written with an exponent. */
const EXPONENT_FROM = 6;

/** The shortest text of a double in Go's format 'g', which string() gives. */
export function doubleText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (Object.is(value, -0)) return "-0";
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < EXPONENT_FROM) return value.toString();
  const size = Math.abs(power).toString().padStart(2, "0");
  return `${digits}e${power < 0 ? "-" : "+"}${size}`;
}

/** string(value). Throws CelError. */
export function toText(value: CelValue): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
    case "bigint":
      return String(value);
    case "number":
      return doubleText(value);
    default:
      return objectText(value);
  }
}

function objectText(value: CelValue): string {
  if (value instanceof CelUint) return value.value.toString();
  if (value instanceof CelDuration) return durationText(value);
  if (value instanceof CelTimestamp) return timestampText(value);
  if (value instanceof CelTypeValue) return value.name;
  if (!(value instanceof Uint8Array)) throw failed(value, "string");
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
  } catch {
    throw new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

function toBool(value: CelValue): CelValue {
  if (typeof value === "boolean") return value;
  if (typeof value === "string" && TRUE.has(value)) return true;
  if (typeof value === "string" && FALSE.has(value)) return false;
  throw failed(value, "bool");
}

function toBytes(value: CelValue): CelValue {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return Buffer.from(value, "utf8");
  throw failed(value, "bytes");
}

function toDuration(value: CelValue): CelValue {
  if (value instanceof CelDuration) return value;
  if (typeof value === "bigint") return durationOf(value);
  if (typeof value === "string") return parseDuration(value);
  throw failed(value, "google.protobuf.Duration");
}

function toTimestamp(value: CelValue): CelValue {
  if (value instanceof CelTimestamp) return value;
  if (typeof value === "bigint") return timestampOf(value * 1_000_000_000n);
  if (typeof value === "string") return parseTimestamp(value);
  throw failed(value, "google.protobuf.Timestamp");
}

const TYPES: Readonly<Record<string, CelType>> = {
  bool: BOOL,
  bytes: BYTES,
  double: DOUBLE,
  duration: DURATION,
  int64: INT,
  string: STRING,
  timestamp: TIMESTAMP,
  uint64: UINT,
};

/** One conversion function over the types named in `from`, in the order they are tried. */
function conversion(
  name: string,
  to: string,
  from: string,
  call: Implementation,
): readonly [string, readonly Overload[]] {
  const result = TYPES[to] ?? DYN;
  const overloads = from.split(" ").map((one) => {
    return overload(`${one}_to_${to}`, [TYPES[one] ?? DYN], result, call);
  });
  return [name, overloads];
}

const A = param("A");

export const CONVERSIONS: readonly (readonly [string, readonly Overload[]])[] = [
  ["type", [overload("type", [A], typeOf(A), (value) => new CelTypeValue(typeNameOf(value)))]],
  ["dyn", [overload("to_dyn", [A], DYN, (value) => value)]],
  conversion("bool", "bool", "bool string", toBool),
  conversion("bytes", "bytes", "bytes string", toBytes),
  conversion("double", "double", "double int64 string uint64", toDouble),
  conversion("duration", "duration", "duration int64 string", toDuration),
  conversion("int", "int64", "int64 double duration string timestamp uint64", toInt),
  conversion(
    "string",
    "string",
    "string bool bytes double duration int64 timestamp uint64",
    (value) => toText(value),
  ),
  conversion("timestamp", "timestamp", "timestamp int64 string", toTimestamp),
  conversion("uint", "uint64", "uint64 double int64 string", toUint),
];

/** Functions whose call over a literal is computed once, when the expression is compiled. */
export const CONVERSION_NAMES: ReadonlySet<string> = new Set(CONVERSIONS.map(([name]) => name));

/** The argument as text, for functions that take none but text. Throws CelError. */
export function textArgument(value: CelValue | undefined): string {
  if (typeof value === "string") return value;
  throw noOverload();
}
