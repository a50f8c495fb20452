/**
 * JSON values as structured-merge-diff sees them: equality, order and printed forms. `undefined` is
 * Go's nil Value (nothing there); `null` is a value of its own.
 * Upstream: structured-merge-diff/value.
 */
import { quote } from "../../apimachinery/validation/field.ts";

export type Json = unknown;
export interface JsonMap {
  [name: string]: Json;
}

/** A JSON object: neither null nor a list. */
export function isMap(value: Json): value is JsonMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for an object without members. */
export function isEmptyMap(map: JsonMap): boolean {
  for (const _ in map) return false;
  return true;
}

/** Sets a member under any name, `__proto__` included. */
export function put(map: JsonMap, name: string, value: Json): void {
  if (name !== "__proto__") map[name] = value;
  else
    Object.defineProperty(map, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
}

/** The member of that name, or undefined: what an object inherits is no member. */
export function memberOf(map: JsonMap, name: string): Json {
  const value = map[name];
  return value === undefined || Object.hasOwn(map, name) ? value : undefined;
}

/** value.Equals: numbers by value, lists in order, maps in any order, null only to null. */
export function equals(left: Json, right: Json): boolean {
  if (left === right) return true;
  if (typeof left === "bigint" || typeof right === "bigint") return sameNumber(left, right);
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (left === null || right === null) return false;
  if (Array.isArray(left)) return Array.isArray(right) && sameLists(left, right);
  return !Array.isArray(right) && sameMaps(left as JsonMap, right as JsonMap);
}

function sameNumber(left: Json, right: Json): boolean {
  const isNumber = (value: Json) => typeof value === "number" || typeof value === "bigint";
  // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of the same value are equal
  return isNumber(left) && isNumber(right) && left == right;
}

function sameLists(left: readonly Json[], right: readonly Json[]): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (!equals(left[i], right[i])) return false;
  return true;
}

function sameMaps(left: JsonMap, right: JsonMap): boolean {
  let count = 0;
  for (const name in left) {
    const theirs = right[name];
    if (theirs === undefined || !equals(left[name], theirs)) return false;
    count += 1;
  }
  for (const _ in right) count -= 1;
  return count === 0;
}

const HAS_SURROGATE = /[\ud800-\udfff]/;

/** Go's order of strings: by UTF-8 bytes, which is by code point. */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  if (HAS_SURROGATE.test(left) || HAS_SURROGATE.test(right)) return compareCodePoints(left, right);
  return left < right ? -1 : 1;
}

/** Sorts texts in Go's order, in place. */
export function sortTexts(texts: string[]): string[] {
  const needsCodePoints = texts.some((text) => HAS_SURROGATE.test(text));
  return needsCodePoints ? texts.sort(compareCodePoints) : texts.sort();
}

function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a === b) continue;
    const surrogates = Number(isSurrogate(a)) - Number(isSurrogate(b));
    return surrogates === 0 ? a - b : surrogates;
  }
  return left.length - right.length;
}

const isSurrogate = (code: number) => code >= 0xd800 && code <= 0xdfff;

/** The rank of a value's kind in value.Compare: numbers, strings, booleans, lists, maps, null. */
function rankOf(value: Json): number {
  if (typeof value === "number" || typeof value === "bigint") return 0;
  if (typeof value === "string") return 1;
  if (typeof value === "boolean") return 2;
  if (Array.isArray(value)) return 3;
  return value === null || value === undefined ? 5 : 4;
}

/** value.Compare: a total order over values of any kind. */
export function compareValues(left: Json, right: Json): number {
  const rank = rankOf(left);
  const difference = rank - rankOf(right);
  if (difference !== 0) return difference;
  if (rank === 0) {
    const [a, b] = [left as number, right as number];
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (rank === 1) return compareText(left as string, right as string);
  if (rank === 2) return Number(left) - Number(right);
  if (rank === 3) return compareLists(left as Json[], right as Json[]);
  return rank === 4 ? compareMaps(left as JsonMap, right as JsonMap) : 0;
}

function compareLists(left: readonly Json[], right: readonly Json[]): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareValues(left[i], right[i]);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareMaps(left: JsonMap, right: JsonMap): number {
  const names = [Object.keys(left).sort(compareText), Object.keys(right).sort(compareText)];
  const [lefts = [], rights = []] = names;
  for (let i = 0; i < Math.min(lefts.length, rights.length); i++) {
    const [a = "", b = ""] = [lefts[i], rights[i]];
    const order = compareText(a, b) || compareValues(left[a], right[b]);
    if (order !== 0) return order;
  }
  return lefts.length - rights.length;
}

/** A deep copy of JSON. */
export function copy(value: Json): Json {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const out: JsonMap = { ...value };
  for (const name in out) {
    const member = out[name];
    if (typeof member === "object" && member !== null) put(out, name, copy(member));
  }
  return out;
}

/** value.ToString: how paths print the value of a key or of a set's item. */
export function valueText(value: Json): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[${value.map(valueText).join(",")}]`;
  if (!isMap(value)) return goNumber(value);
  return Object.keys(value)
    .sort(compareText)
    .map((name) => `${name}=${valueText(value[name])}`)
    .join("");
}

/** Go's %v of a number (shortest form, exponent from 1e21 on) or boolean. */
function goNumber(value: Json): string {
  const text = String(value);
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** Go's %v of a decoded JSON value: `map[a:1 b:[x y]]`, `<nil>`. */
export function goText(value: Json): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (!isMap(value)) return goNumber(value);
  const members = Object.keys(value)
    .sort(compareText)
    .map((name) => `${name}:${goText(value[name])}`);
  return `map[${members.join(" ")}]`;
}

/** Go's %#v of a decoded JSON value: `map[string]interface {}{"a":1}`. */
export function goSyntaxText(value: Json): string {
  if (value === null || value === undefined) return "interface {}(nil)";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntaxText).join(", ")}}`;
  if (!isMap(value)) return goNumber(value);
  const members = Object.keys(value)
    .sort(compareText)
    .map((name) => `${quote(name)}:${goSyntaxText(value[name])}`);
  return `map[string]interface {}{${members.join(", ")}}`;
}

/** Go's type of a decoded JSON value, as %T and reflect.TypeOf print it. */
export function goTypeOf(value: Json): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "int64";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return Array.isArray(value) ? "[]interface {}" : "map[string]interface {}";
}
