/**
 * What a flag is: its type, default and help, and how its text becomes a value. The tables in
 * groups/ are made of these. Upstream: spf13/pflag and component-base/cli/flag.
 */
import { isIP } from "node:net";
import { formatDuration, parseDuration } from "../apimachinery/runtime/duration.ts";

export interface FlagSpec<T> {
  /** Type as `--help` prints it; "" for booleans. */
  readonly type: string;
  readonly fallback: T;
  readonly usage: string;
  /** Value of the bare flag: `--profiling`; undefined: the flag needs an argument. */
  readonly bare?: string;
  readonly shorthand?: string;
  /** Printed as `Flag --x has been deprecated, <text>` when it is used. */
  readonly deprecated?: string;
  /** The value after one more occurrence; throws Error with Go's text. `before` is undefined first. */
  parse(text: string, before: T | undefined): T;
  /** As `--help` and the FLAG log lines print it. */
  format(value: T): string;
}
export type FlagTable = Readonly<Record<string, FlagSpec<unknown>>>;
export type FlagValues<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends FlagSpec<infer T> ? T : never;
};
type Extra = { readonly deprecated?: string; readonly shorthand?: string };

const quote = (text: string) => JSON.stringify(text);
const TRUE = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE = new Set(["0", "f", "F", "FALSE", "false", "False"]);

export function parseBool(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${quote(text)}: invalid syntax`);
}

function spec<T>(
  type: string,
  fallback: T,
  usage: string,
  parse: FlagSpec<T>["parse"],
  format: (value: T) => string,
  extra: Extra = {},
): FlagSpec<T> {
  return { type, fallback, usage, parse, format, ...extra };
}

export function bool(fallback: boolean, usage: string, extra?: Extra): FlagSpec<boolean> {
  return { ...spec("", fallback, usage, parseBool, String, extra), bare: "true" };
}
export function string(fallback: string, usage: string, extra?: Extra): FlagSpec<string> {
  return spec("string", fallback, usage, (text) => text, quote, extra);
}
export function int(fallback: number, usage: string, extra?: Extra): FlagSpec<number> {
  return spec("int", fallback, usage, (text) => parseInteger(text, "ParseInt"), String, extra);
}
export function uint(fallback: number, usage: string, extra?: Extra): FlagSpec<number> {
  return spec("uint", fallback, usage, (text) => parseInteger(text, "ParseUint"), String, extra);
}
/** klog's -v. */
export function level(fallback: number, usage: string, extra?: Extra): FlagSpec<number> {
  return spec("Level", fallback, usage, (text) => parseInteger(text, "ParseInt"), String, extra);
}
export function float(fallback: number, usage: string, extra?: Extra): FlagSpec<number> {
  const parse = (text: string) => {
    const value = text.trim() === text && text !== "" ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) {
      throw new Error(`strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`);
    }
    return value;
  };
  return spec("float", fallback, usage, parse, String, extra);
}

/** Go's base-0 integers: 10, 0x1f, 0b1, 0o7, 1_000. Exact up to 2^53. */
function parseInteger(text: string, go: "ParseInt" | "ParseUint"): number {
  const invalid = () => new Error(`strconv.${go}: parsing ${quote(text)}: invalid syntax`);
  const match = /^([-+]?)(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|0|[1-9][\d_]*)$/.exec(text);
  if (match === null || (go === "ParseUint" && match[1] !== "")) throw invalid();
  const digits = (match[2] ?? "").replaceAll("_", "");
  const octal = /^0[0-7]+$/.test(digits);
  const value = Number(octal ? `0o${digits.slice(1)}` : digits);
  if (!Number.isSafeInteger(value)) {
    throw new Error(`strconv.${go}: parsing ${quote(text)}: value out of range`);
  }
  return match[1] === "-" ? -value : value;
}

/** Go's durations, in milliseconds (fractions below are kept as a fraction). */
export function duration(goText: string, usage: string, extra?: Extra): FlagSpec<number> {
  const parse = (text: string) => Number(parseDuration(text)) / 1e6;
  const format = (ms: number) => formatDuration(BigInt(Math.round(ms * 1e6)));
  return spec("duration", parse(goText), usage, parse, format, extra);
}
export function ip(fallback: string, usage: string, extra?: Extra): FlagSpec<string> {
  const parse = (text: string) => {
    const address = text.trim();
    if (isIP(address) === 0) throw new Error(`failed to parse IP: ${quote(text)}`);
    return address;
  };
  return spec("ip", fallback, usage, parse, (value) => (value === "" ? "<nil>" : value), extra);
}

/** Comma-separated and repeatable; the first occurrence replaces the default. */
export function strings(
  fallback: readonly string[],
  usage: string,
  extra?: Extra,
): FlagSpec<readonly string[]> {
  const parse = (text: string, before: readonly string[] | undefined) => [
    ...(before ?? []),
    ...splitCsv(text),
  ];
  return spec("strings", fallback, usage, parse, (value) => `[${value.join(",")}]`, extra);
}
/** Repeatable, never split. */
export function stringArray(
  fallback: readonly string[],
  usage: string,
  extra?: Extra,
): FlagSpec<readonly string[]> {
  const parse = (text: string, before: readonly string[] | undefined) => [...(before ?? []), text];
  return spec("stringArray", fallback, usage, parse, (value) => `[${value.join(",")}]`, extra);
}
export function int32Slice(usage: string): FlagSpec<readonly number[]> {
  const parse = (text: string, before: readonly number[] | undefined) => [
    ...(before ?? []),
    ...text.split(",").map((part) => parseInteger(part, "ParseInt")),
  ];
  return spec("int32Slice", [], usage, parse, (value) => `[${value.join(",")}]`);
}

/** One line of CSV as Go's reader takes it: `a,"b,c"`. */
export function splitCsv(text: string): string[] {
  if (text === "") return [];
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const quoted = /^"((?:[^"]|"")*)"(,|$)/.exec(rest);
    const plain = /^([^",]*)(,|$)/.exec(rest);
    const match = quoted ?? plain;
    if (match === null) throw new Error(`parse error on line 1: bare " in non-quoted field`);
    fields.push((match[1] ?? "").replaceAll('""', '"'));
    rest = rest.slice(match[0].length);
    if (match[2] === "") return fields;
  }
}

export type StringMap = Readonly<Record<string, string>>;
/** `key=value,key=value`, repeatable; later keys win. */
export function stringMap(type: string, usage: string, extra?: Extra): FlagSpec<StringMap> {
  const parse = (text: string, before: StringMap | undefined) => {
    const map: Record<string, string> = { ...before };
    for (const pair of text.split(",").filter((part) => part !== "")) {
      const equals = pair.indexOf("=");
      if (equals === -1) throw new Error("malformed pair, expect string=string");
      map[pair.slice(0, equals).trim()] = pair.slice(equals + 1).trim();
    }
    return map;
  };
  const format = (value: StringMap) =>
    Object.entries(value)
      .map(([key, text]) => `${key}=${text}`)
      .sort()
      .join(",");
  return spec(type, {}, usage, parse, format, extra);
}

/** Repeatable text whose occurrences are joined by commas: read further by its own parser. */
export function joined(type: string, usage: string): FlagSpec<string> {
  const parse = (text: string, before: string | undefined) =>
    before === undefined || before === "" ? text : `${before},${text}`;
  return spec(type, "", usage, parse, (value) => value);
}

/** `metric,label=v1,v2`: one rule an occurrence; the key itself holds a comma. */
export function metricLabels(usage: string): FlagSpec<StringMap> {
  const parse = (text: string, before: StringMap | undefined) => {
    const equals = text.indexOf("=");
    if (equals === -1) throw new Error(`${text} must be formatted as key=value`);
    return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
  };
  const format = (value: StringMap) =>
    `[${Object.entries(value)
      .map((e) => e.join("="))
      .join()}]`;
  return spec("stringToString", {}, usage, parse, format);
}

export interface PortRange {
  readonly base: number;
  readonly size: number;
}
/** `30000-32767`, `30000+100` or one port. Upstream: apimachinery/pkg/util/net/port_range.go. */
export function portRange(fallback: PortRange, usage: string): FlagSpec<PortRange> {
  const format = ({ base, size }: PortRange) => (size === 0 ? "" : `${base}-${base + size - 1}`);
  return spec("portRange", fallback, usage, parsePortRange, format);
}
function parsePortRange(text: string): PortRange {
  const value = text.trim();
  if (value === "") return { base: 0, size: 0 };
  const match = /^(\d+)(?:([-+])(\d+))?$/.exec(value);
  if (match === null) throw new Error(`unable to parse port range: ${text}`);
  const low = Number(match[1]);
  const second = Number(match[3] ?? low);
  const high = match[2] === "+" ? low + second : second;
  if (low > 65_535 || high > 65_535) {
    throw new Error(`the port range cannot be greater than 65535: ${text}`);
  }
  if (high < low) throw new Error(`end port cannot be less than start port: ${text}`);
  return { base: low, size: high - low + 1 };
}

export interface NamedCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
}
/** `crt,key` or `crt,key:name,name`, repeatable. */
export function namedCertKey(usage: string): FlagSpec<readonly NamedCertificate[]> {
  const parse = (text: string, before: readonly NamedCertificate[] | undefined) => {
    const [files = "", names = ""] = text.split(":");
    const [certFile = "", keyFile = "", ...more] = files.split(",").map((part) => part.trim());
    if (certFile === "" || keyFile === "" || more.length > 0) {
      throw new Error("expected comma separated certificate and key file paths");
    }
    const list = names.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
    return [...(before ?? []), { certFile, keyFile, names: list }];
  };
  const one = ({ certFile, keyFile, names }: NamedCertificate) =>
    `${certFile},${keyFile}${names.length === 0 ? "" : `:${names.join(",")}`}`;
  return spec("namedCertKey", [], usage, parse, (value) => `[${value.map(one).join(";")}]`);
}

/** `--version`, `--version=raw`, `--version=vX.Y.Z+build`. */
export function version(usage: string): FlagSpec<string> {
  const parse = (text: string) => {
    if (/^v\d+\.\d+\.\d+/.test(text) || text === "raw") return text;
    return String(parseBool(text));
  };
  return { ...spec("version[=true]", "false", usage, parse, String), bare: "true" };
}
