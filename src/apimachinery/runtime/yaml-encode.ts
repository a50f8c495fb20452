/**
 * YAML as sigs.k8s.io/yaml prints it: keys sorted, two spaces, sequences not indented below their
 * key, strings plain where that reads back as a string, lines folded at 80 columns.
 * Upstream: goyaml.v2's emitter.
 */
import type { JsonObject, JsonValue } from "./json.ts";

const WIDTH = 80;
/** Longer keys need the explicit form `? key`. */
const SIMPLE_KEY_MAX = 128;

const RESERVED = new Set(
  "~ null Null NULL y Y yes Yes YES on On ON n N no No NO off Off OFF true True TRUE false False FALSE << .nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF".split(
    " ",
  ),
);
const INTEGER = /^[-+]?(0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|\d+)$/;
const FLOAT = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
const BASE_60 = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/;
const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)|[ ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?)?$/;

/** True when a plain scalar with this text reads back as a string. */
function readsAsString(text: string): boolean {
  if (text === "" || RESERVED.has(text)) return false;
  const first = text.charCodeAt(0);
  const maybeNumber = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d;
  if (!maybeNumber && first !== 0x2e) return true;
  if (TIMESTAMP.test(text) || BASE_60.test(text)) return false;
  const digits = maybeNumber ? text.replaceAll("_", "") : text;
  return !INTEGER.test(digits) && !FLOAT.test(digits);
}

/** What a text allows, as the emitter's analysis finds it. */
interface Analysis {
  readonly multiline: boolean;
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const isSpace = (character: string | undefined) => character === " ";
const isBreak = (character: string | undefined) =>
  character === "\n" ||
  character === "\r" ||
  character === "\u0085" ||
  character === "\u2028" ||
  character === "\u2029";
const isBlank = (character: string | undefined) =>
  character === undefined || character === "\t" || isSpace(character) || isBreak(character);
const PRINTABLE = /^[\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]$/u;
const FIRST_INDICATORS = "#,[]{}&*!|>'\"%@`";

function hasBlockIndicator(characters: readonly string[]): boolean {
  return characters.some((character, i) => {
    const followed = isBlank(characters[i + 1]);
    if (i === 0) {
      if (FIRST_INDICATORS.includes(character)) return true;
      if (character === "?" || character === ":" || character === "-") return followed;
      return false;
    }
    if (character === ":") return followed;
    return character === "#" && isBlank(characters[i - 1]);
  });
}

function analyze(text: string): Analysis {
  const characters = [...text];
  const special = characters.some((c) => !isBreak(c) && !PRINTABLE.test(c));
  const breaks = characters.some(isBreak);
  const last = characters.at(-1);
  const edges = isSpace(characters[0]) || isBreak(characters[0]) || isSpace(last) || isBreak(last);
  const breakSpace = characters.some((c, i) => isSpace(c) && i > 0 && isBreak(characters[i - 1]));
  const spaceBreak = characters.some((c, i) => isBreak(c) && isSpace(characters[i - 1]));
  const indicator =
    text.startsWith("---") || text.startsWith("...") || hasBlockIndicator(characters);
  return {
    multiline: breaks,
    plain: !special && !breaks && !edges && !spaceBreak && !indicator,
    single: !special && !spaceBreak && !breakSpace,
    block: !special && !spaceBreak && !isSpace(last),
  };
}

class Emitter {
  output = "";
  #column = 0;

  write(text: string): void {
    this.output += text;
    const newline = text.lastIndexOf("\n");
    this.#column =
      newline === -1 ? this.#column + [...text].length : [...text].length - newline - 1;
  }

  newline(indent: number): void {
    this.output += `\n${" ".repeat(indent)}`;
    this.#column = indent;
  }

  /** A string; `indent` is where continuation lines start. */
  text(text: string, indent: number, isKey: boolean): void {
    const { multiline, plain, single, block } = analyze(text);
    if (!multiline && readsAsString(text)) {
      if (plain) this.#folded(text, indent, isKey, false);
      else if (single) this.#singleQuoted(text, indent, isKey);
      else this.#doubleQuoted(text, indent, isKey);
      return;
    }
    if (multiline && block && !isKey) this.#literal(text, indent);
    else this.#doubleQuoted(text, indent, isKey);
  }

  /** Words with a line break in place of a single space beyond the width. */
  #folded(text: string, indent: number, isKey: boolean, quoted: boolean): void {
    if (isKey || this.#column + text.length <= WIDTH) {
      this.write(text);
      return;
    }
    const characters = [...text];
    let previousSpace = false;
    for (const [i, character] of characters.entries()) {
      const inside = !quoted || (i > 0 && i < characters.length - 1);
      if (isSpace(character)) {
        const folds =
          !previousSpace && this.#column > WIDTH && inside && !isSpace(characters[i + 1]);
        if (folds) this.newline(indent);
        else this.write(character);
        previousSpace = true;
        continue;
      }
      previousSpace = false;
      this.write(character);
    }
  }

  #singleQuoted(text: string, indent: number, isKey: boolean): void {
    this.write("'");
    this.#folded(text.replaceAll("'", "''"), indent, isKey, true);
    this.write("'");
  }

  #doubleQuoted(text: string, indent: number, isKey: boolean): void {
    const characters = [...text];
    this.write('"');
    let previousSpace = false;
    for (const [i, character] of characters.entries()) {
      const mayFold = !isKey && !previousSpace && this.#column > WIDTH;
      if (isSpace(character) && mayFold && i > 0 && i < characters.length - 1) {
        this.newline(indent);
        if (isSpace(characters[i + 1])) this.write("\\");
      } else this.write(doubleQuotedCharacter(character));
      previousSpace = isSpace(character);
    }
    this.write('"');
  }

  #literal(text: string, indent: number): void {
    const first = text[0];
    const hint = isSpace(first) || isBreak(first) ? "2" : "";
    const endsTwice = text === "\n" || text.endsWith("\n\n");
    const chomp = !text.endsWith("\n") ? "-" : endsTwice ? "+" : "";
    this.write(`|${hint}${chomp}`);
    const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
    for (const line of lines) this.write(line === "" ? "\n" : `\n${" ".repeat(indent)}${line}`);
  }
}

const DOUBLE_ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\u0007": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\u001b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u00a0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function doubleQuotedCharacter(character: string): string {
  const known = DOUBLE_ESCAPES[character];
  if (known !== undefined && character !== "\u00a0") return known;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/** A JSON value as YAML, with the newline at its end. */
export function encodeYaml(value: JsonValue): string {
  const emitter = new Emitter();
  emitNode(emitter, value, 0);
  return `${emitter.output}\n`;
}

function isEmptyContainer(value: JsonValue): boolean {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) ? value.length === 0 : Object.keys(value).length === 0;
}

function emitNode(emitter: Emitter, value: JsonValue, indent: number): void {
  if (Array.isArray(value)) emitList(emitter, value, indent);
  else if (typeof value === "object" && value !== null) emitMap(emitter, value, indent);
  else emitScalar(emitter, value, indent);
}

function emitScalar(
  emitter: Emitter,
  value: string | number | bigint | boolean | null,
  indent: number,
): void {
  if (typeof value === "string") emitter.text(value, indent + 2, false);
  else emitter.write(typeof value === "number" ? formatFloat(value) : String(value));
}

/** Go's FormatFloat(value, 'g', -1, 64) for fractions; integers print as they are. */
function formatFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e21)) {
    const [mantissa = "", exponent = ""] = value.toExponential().split("e");
    const sign = exponent.startsWith("-") ? "-" : "+";
    return `${mantissa}e${sign}${exponent.replace(/^[+-]/, "").padStart(2, "0")}`;
  }
  return String(value);
}

function emitList(emitter: Emitter, list: JsonValue[], indent: number): void {
  if (list.length === 0) {
    emitter.write("[]");
    return;
  }
  for (const [i, elem] of list.entries()) {
    if (i > 0) emitter.newline(indent);
    emitter.write("- ");
    // A list in a list stands two columns in; a map's keys align behind the dash.
    emitNode(emitter, elem, isScalar(elem) ? indent : indent + 2);
  }
}

const isScalar = (value: JsonValue) => typeof value !== "object" || value === null;

function emitMap(emitter: Emitter, map: JsonObject, indent: number): void {
  const keys = Object.keys(map).filter((key) => map[key] !== undefined);
  if (keys.length === 0) {
    emitter.write("{}");
    return;
  }
  keys.sort(compareKeys);
  for (const [i, key] of keys.entries()) {
    if (i > 0) emitter.newline(indent);
    emitEntry(emitter, key, map[key] ?? null, indent);
  }
}

function emitEntry(emitter: Emitter, key: string, value: JsonValue, indent: number): void {
  const isExplicit = key.length > SIMPLE_KEY_MAX || key.includes("\n");
  if (isExplicit) {
    emitter.write("? ");
    emitter.text(key, indent + 2, false);
    emitter.newline(indent);
  } else emitter.text(key, indent, true);
  emitter.write(":");
  if (isScalar(value) || isEmptyContainer(value)) {
    emitter.write(" ");
    emitNode(emitter, value, indent);
    return;
  }
  const inner = Array.isArray(value) ? indent : indent + 2;
  emitter.newline(inner);
  emitNode(emitter, value, inner);
}

const LETTER = /\p{L}/u;
const DIGIT = /\p{Nd}/u;

/** goyaml's order: letters after other characters, runs of digits by their value. */
function compareKeys(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  let digits = false;
  for (let i = 0; i < left.length && i < right.length; i++) {
    const x = left[i] ?? "";
    const y = right[i] ?? "";
    if (x === y) {
      digits = DIGIT.test(x);
      continue;
    }
    const xLetter = LETTER.test(x);
    const yLetter = LETTER.test(y);
    if (xLetter && yLetter) return compareCodes(x, y);
    if (xLetter || yLetter) return digits === xLetter ? -1 : 1;
    return numericOrder(left, right, i);
  }
  return left.length - right.length;
}

function compareCodes(x: string, y: string): number {
  return (x.codePointAt(0) ?? 0) - (y.codePointAt(0) ?? 0);
}

function numericOrder(left: readonly string[], right: readonly string[], i: number): number {
  const runOf = (characters: readonly string[]) => {
    let end = i;
    while (end < characters.length && DIGIT.test(characters[end] ?? "")) end += 1;
    return characters.slice(i, end).join("");
  };
  const [a, b] = [runOf(left), runOf(right)];
  if (a !== "" && b !== "") {
    const [x, y] = [BigInt(a), BigInt(b)];
    if (x !== y) return x < y ? -1 : 1;
    if (a.length !== b.length) return a.length - b.length;
  }
  return compareCodes(left[i] ?? "", right[i] ?? "");
}
