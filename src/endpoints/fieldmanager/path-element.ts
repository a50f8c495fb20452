/**
 * One step of a field path, in its serialized form: `f:name`, `k:{"name":"a"}`, `v:"x"`, `i:0`. The
 * canonical form (keys sorted, Go's JSON) is the element's identity, so sets are maps of texts.
 * Upstream: structured-merge-diff/fieldpath/element.go and serialize-pe.go.
 */
import {
  compareText,
  compareValues,
  isMap,
  type Json,
  type JsonMap,
  memberOf,
  sortTexts,
  valueText,
} from "./value.ts";

export const fieldElement = (name: string): string => `f:${name}`;
export const valueElement = (value: Json): string => `v:${canonicalJson(value)}`;
export const indexElement = (index: number): string => `i:${index}`;

/** The element of a list item with these key fields, which must be sorted by name. */
export function keyElement(fields: readonly (readonly [name: string, value: Json])[]): string {
  const members = fields.map(([name, value]) => `${JSON.stringify(name)}:${canonicalJson(value)}`);
  return `k:{${members.join(",")}}`;
}

const NEEDS_ESCAPE = /[<>&\u2028\u2029\b\f]/;
const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\b": "\\u0008",
  "\f": "\\u000c",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON with sorted names and Go's escapes of HTML and line separators. */
export function canonicalJson(value: Json): string {
  if (typeof value === "string") {
    const text = JSON.stringify(value);
    if (!NEEDS_ESCAPE.test(value)) return text;
    const escaped = [...value].map((c) => ESCAPES[c] ?? JSON.stringify(c).slice(1, -1));
    return `"${escaped.join("")}"`;
  }
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (!isMap(value)) return String(value);
  const members = Object.keys(value)
    .sort(compareText)
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`);
  return `{${members.join(",")}}`;
}

/** Why a fieldsV1 cannot be read; the caller treats the managed fields as absent or refuses. */
export class FieldsError extends Error {
  override readonly name = "FieldsError";
}

/** Canonical forms of the keyed elements seen last; bounded, then emptied. */
const CANONICAL_MAX = 20_000;
const canonicalForms = new Map<string, string>();

/**
 * The canonical form of a serialized element, or undefined for a type of element this version does
 * not know (such elements are dropped). Throws FieldsError on a malformed one.
 */
export function canonicalElement(text: string): string | undefined {
  if (text.length < 2) throw new FieldsError("key must be 2 characters long:");
  if (text.charCodeAt(1) !== 0x3a) throw new FieldsError(`missing colon: ${text}`);
  switch (text.charCodeAt(0)) {
    case 0x66: // f
      return text;
    case 0x6b: // k
    case 0x76: // v
      return canonicalForms.get(text) ?? remember(text);
    case 0x69: // i
      if (!/^i:[+-]?\d+$/.test(text)) throw new FieldsError(`invalid index: ${text}`);
      return indexElement(Number(text.slice(2)));
    default:
      return undefined;
  }
}

function remember(text: string): string {
  const value = parseContent(text);
  let canonical: string;
  if (text.startsWith("v:")) canonical = valueElement(value);
  else if (isMap(value)) canonical = keyElement(sortedFields(value));
  else throw new FieldsError(`expect { or n in ${text}`);
  if (canonicalForms.size >= CANONICAL_MAX) canonicalForms.clear();
  canonicalForms.set(text, canonical);
  return canonical;
}

function parseContent(text: string): Json {
  try {
    return JSON.parse(text.slice(2));
  } catch (cause) {
    throw new FieldsError(`malformed path element ${text}`, { cause });
  }
}

function sortedFields(fields: JsonMap): (readonly [string, Json])[] {
  const names = Object.keys(fields).sort(compareText);
  return names.map((name) => [name, memberOf(fields, name)] as const);
}

/** The rank of an element's type in upstream's order: fields, keys, values, indexes. */
function rankOf(element: string): number {
  const letter = element.charCodeAt(0);
  return letter === 0x66 ? 0 : letter === 0x6b ? 1 : letter === 0x76 ? 2 : 3;
}

/** PathElement.Compare on canonical forms. */
export function compareElements(left: string, right: string): number {
  if (left === right) return 0;
  const rank = rankOf(left);
  const difference = rank - rankOf(right);
  if (difference !== 0) return difference;
  if (rank === 0) return compareText(left, right);
  if (rank === 1) return compareKeys(parseContent(left), parseContent(right));
  return compareValues(parseContent(left), parseContent(right));
}

function compareKeys(left: Json, right: Json): number {
  const lefts = isMap(left) ? sortedFields(left) : [];
  const rights = isMap(right) ? sortedFields(right) : [];
  for (let i = 0; i < Math.min(lefts.length, rights.length); i++) {
    const [a, b] = [lefts[i], rights[i]];
    const order = compareText(a?.[0] ?? "", b?.[0] ?? "") || compareValues(a?.[1], b?.[1]);
    if (order !== 0) return order;
  }
  return lefts.length - rights.length;
}

/** Sorts elements in place; contents of keys and values are parsed once each. */
export function sortElements(elements: string[]): string[] {
  if (elements.length < 2) return elements;
  const allFields = elements.every((element) => element.charCodeAt(0) === 0x66);
  if (allFields) return sortTexts(elements);
  const parsed = elements.map((element) => {
    const rank = rankOf(element);
    return { element, rank, content: rank === 0 ? undefined : parseContent(element) };
  });
  parsed.sort((a, b) => {
    if (a.rank !== b.rank) return a.rank - b.rank;
    if (a.rank === 0) return compareText(a.element, b.element);
    return a.rank === 1 ? compareKeys(a.content, b.content) : compareValues(a.content, b.content);
  });
  return parsed.map(({ element }) => element);
}

/** How conflicts and errors print the element: `.name`, `[name="a"]`, `[="x"]`, `[0]`. */
export function elementText(element: string): string {
  const rank = rankOf(element);
  if (rank === 0) return `.${element.slice(2)}`;
  if (rank === 3) return `[${element.slice(2)}]`;
  const content = parseContent(element);
  if (rank === 2) return `[=${valueText(content)}]`;
  const fields = isMap(content) ? sortedFields(content) : [];
  return `[${fields.map(([name, value]) => `${name}=${valueText(value)}`).join(",")}]`;
}
