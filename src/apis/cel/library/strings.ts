/**
 * Functions over strings. Positions count code points.
 * Upstream: cel-go common/stdlib, ext/strings.go (version 2).
 */
import { type Implementation, member, type Overload, overload } from "../environment.ts";
import { BOOL, type CelType, DYN, INT, listOf, STRING } from "../types.ts";
import { ArrayList, CelError, CelList, type CelValue } from "../values.ts";
import { textArgument as text } from "./conversions.ts";
import { formatText } from "./format-text.ts";
import { matches } from "./regex.ts";

const LIST = listOf(STRING);

function number(value: CelValue | undefined): number {
  if (typeof value === "bigint") return Number(value);
  throw new CelError("no such overload");
}

/** Strings of one unit a character need no splitting into code points. */
function runes(value: string): readonly string[] | string {
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit >= 0xd800 && unit <= 0xdfff) return [...value];
  }
  return value;
}

function join(part: readonly string[] | string): string {
  return typeof part === "string" ? part : part.join("");
}

function outOfRange(index: number): CelError {
  return new CelError(`index out of range: ${index}`);
}

function charAt(value: CelValue, at: CelValue): CelValue {
  const all = runes(text(value));
  const index = number(at);
  if (index < 0 || index > all.length) throw outOfRange(index);
  return all[index] ?? "";
}

function indexOf(value: CelValue, wanted: CelValue, from: CelValue = 0n): CelValue {
  const offset = number(from);
  const needle = text(wanted);
  if (needle === "") return BigInt(offset);
  if (offset < 0) throw outOfRange(offset);
  return BigInt(position(text(value), (all) => all.indexOf(needle, unitsOf(all, offset))));
}

function lastIndexOf(value: CelValue, wanted: CelValue, from?: CelValue): CelValue {
  const needle = text(wanted);
  const all = text(value);
  const size = runes(all).length;
  if (from === undefined) {
    if (needle === "") return BigInt(size);
    return BigInt(position(all, () => all.lastIndexOf(needle)));
  }
  const offset = number(from);
  if (needle === "") return BigInt(offset);
  if (offset < 0) throw outOfRange(offset);
  if (offset >= size) return -1n;
  return BigInt(position(all, () => all.lastIndexOf(needle, unitsOf(all, offset))));
}

/** Where `search` finds something, in code points; -1 when it does not. */
function position(all: string, search: (all: string) => number): number {
  const found = search(all);
  return found < 0 ? -1 : runes(all.slice(0, found)).length;
}

/** How many units the first `count` code points have. */
function unitsOf(all: string, count: number): number {
  const parts = runes(all);
  return typeof parts === "string" ? count : parts.slice(0, count).join("").length;
}

function substring(value: CelValue, from: CelValue, to?: CelValue): CelValue {
  const all = runes(text(value));
  const start = number(from);
  const end = to === undefined ? all.length : number(to);
  if (to !== undefined && start > end) {
    throw new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  }
  if (start < 0 || start > all.length) throw outOfRange(start);
  if (end < 0 || end > all.length) throw outOfRange(end);
  return join(all.slice(start, end));
}

function replace(value: CelValue, old: CelValue, by: CelValue, limit?: CelValue): CelValue {
  const [all, from, to] = [text(value), text(old), text(by)];
  const most = limit === undefined ? -1 : number(limit);
  if (most < 0) return from === "" ? between(all, to, Infinity) : all.split(from).join(to);
  if (from === "") return between(all, to, most);
  const parts = all.split(from);
  const head = parts.slice(0, most + 1).join(to);
  const tail = parts.slice(most + 1);
  return tail.length === 0 ? head : [head, ...tail].join(from);
}

/** Puts `by` before each code point and behind the last, at most `most` times. */
function between(all: string, by: string, most: number): string {
  let left = most;
  let out = "";
  for (const rune of all) {
    if (left-- > 0) out += by;
    out += rune;
  }
  return left > 0 ? out + by : out;
}

function split(value: CelValue, separator: CelValue, limit?: CelValue): CelValue {
  const all = text(value);
  const by = text(separator);
  const most = limit === undefined ? -1 : number(limit);
  if (most === 0) return new ArrayList([]);
  const parts = by === "" ? [...all] : all.split(by);
  if (most < 0 || parts.length <= most) return new ArrayList(parts);
  const head = parts.slice(0, most - 1);
  return new ArrayList([...head, parts.slice(most - 1).join(by)]);
}

function joinList(list: CelValue, separator: CelValue = ""): CelValue {
  const parts = list instanceof CelList ? [...list] : [];
  return parts
    .map((part) => {
      if (typeof part === "string") return part;
      throw new CelError(`join: invalid input: ${String(part)}`);
    })
    .join(text(separator));
}

const QUOTED: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

function quoted(value: CelValue): CelValue {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the escapes of CEL.
  return `"${text(value).replace(/[\x07-\r\\"]/g, (one) => QUOTED[one] ?? one)}"`;
}

function method(
  name: string,
  id: string,
  args: readonly CelType[],
  result: CelType,
  call: Implementation,
): readonly [string, readonly Overload[]] {
  return [name, [member(id, [STRING, ...args], result, call)]];
}

const lower = (all: string) => all.replace(/[A-Z]+/g, (part) => part.toLowerCase());
const upper = (all: string) => all.replace(/[a-z]+/g, (part) => part.toUpperCase());
/** What Go's unicode.IsSpace holds for white space; JavaScript's trim takes U+FEFF too. */
const SPACE =
  "[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const OUTER_SPACE = new RegExp(`^${SPACE}|${SPACE}$`, "g");

export const STRINGS: readonly (readonly [string, readonly Overload[]])[] = [
  method("contains", "contains_string", [STRING], BOOL, (a, b) => text(a).includes(text(b))),
  method("endsWith", "ends_with_string", [STRING], BOOL, (a, b) => text(a).endsWith(text(b))),
  method("startsWith", "starts_with_string", [STRING], BOOL, (a, b) => text(a).startsWith(text(b))),
  [
    "matches",
    [
      overload("matches", [STRING, STRING], BOOL, matches),
      member("matches_string", [STRING, STRING], BOOL, matches),
    ],
  ],
  method("charAt", "string_char_at_int", [INT], STRING, charAt),
  method("indexOf", "string_index_of_string", [STRING], INT, indexOf),
  method("indexOf", "string_index_of_string_int", [STRING, INT], INT, indexOf),
  method("lastIndexOf", "string_last_index_of_string", [STRING], INT, lastIndexOf),
  method("lastIndexOf", "string_last_index_of_string_int", [STRING, INT], INT, lastIndexOf),
  method("lowerAscii", "string_lower_ascii", [], STRING, (value) => lower(text(value))),
  method("upperAscii", "string_upper_ascii", [], STRING, (value) => upper(text(value))),
  method("replace", "string_replace_string_string", [STRING, STRING], STRING, replace),
  method("replace", "string_replace_string_string_int", [STRING, STRING, INT], STRING, replace),
  method("split", "string_split_string", [STRING], LIST, split),
  method("split", "string_split_string_int", [STRING, INT], LIST, split),
  method("substring", "string_substring_int", [INT], STRING, substring),
  method("substring", "string_substring_int_int", [INT, INT], STRING, substring),
  method("trim", "string_trim", [], STRING, (value) => text(value).replace(OUTER_SPACE, "")),
  method("format", "string_format", [listOf(DYN)], STRING, (pattern, args) =>
    formatText(text(pattern), args),
  ),
  ["strings.quote", [overload("strings_quote", [STRING], STRING, quoted)]],
  [
    "join",
    [
      member("list_join", [LIST], STRING, joinList),
      member("list_join_string", [LIST, STRING], STRING, joinList),
    ],
  ],
];
