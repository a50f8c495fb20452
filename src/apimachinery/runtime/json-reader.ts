/**
 * A scanner of JSON text with Go's grammar and Go's error texts (encoding/json's scanner). It reads
 * values straight from the text, so that number literals, duplicate keys and key order are seen as
 * the client wrote them.
 */
import { isUtf8 } from "node:buffer";
import { DecodeError } from "./decode-error.ts";
import type { JsonObject, JsonValue } from "./json.ts";

/** encoding/json's maxNestingDepth. */
const DEPTH_MAX = 10000;

/** Deeper values are not built: those who walk them recurse, and the stack has an end. */
const BUILD_DEPTH_MAX = 2000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** With the `u` flag a pair is one character, so that only halves match. */
const LONE_SURROGATE = /\p{Surrogate}/gu;
const LITERALS: Readonly<Record<string, string>> = { t: "true", f: "false", n: "null" };
const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** Text of a body. Go replaces each byte that is not UTF-8 by U+FFFD, and keeps a byte order mark. */
export function textOf(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isAscii = buffer.length < 64 && buffer.every((byte) => byte < 0x80);
  if (isAscii) return buffer.toString("latin1");
  return isUtf8(buffer) ? buffer.toString() : replaceInvalid(buffer);
}

function replaceInvalid(buffer: Buffer): string {
  let text = "";
  let start = 0;
  let i = 0;
  while (i < buffer.length) {
    const length = sequenceLength(buffer, i);
    if (length > 0) {
      i += length;
      continue;
    }
    text += `${buffer.toString("utf8", start, i)}\ufffd`;
    i += 1;
    start = i;
  }
  return text + buffer.toString("utf8", start, i);
}

/** Bytes of the well-formed sequence at `i`; 0 when there is none. */
function sequenceLength(buffer: Buffer, i: number): number {
  const first = buffer[i] ?? 0;
  if (first < 0x80) return 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  return length > 0 && isUtf8(buffer.subarray(i, i + length)) ? length : 0;
}

/** A cursor over JSON text. Every method throws DecodeError with Go's text on a syntax error. */
export class JsonReader {
  readonly text: string;
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Skips white space and gives the code of the next character; NaN at the end. */
  peek(): number {
    const { text } = this;
    let code = text.charCodeAt(this.position);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.position += 1;
      code = text.charCodeAt(this.position);
    }
    return code;
  }

  /** What Go says of the character at the cursor, or of the end of the text. */
  unexpected(context: string): DecodeError {
    if (this.position >= this.text.length) {
      return new DecodeError("syntax", "unexpected end of JSON input");
    }
    const shown = shownCharacter(this.text, this.position);
    return new DecodeError("syntax", `invalid character ${shown} ${context}`);
  }

  /** Reads a string; the cursor stands at its opening quote. */
  readString(): string {
    const { text } = this;
    const start = this.position + 1;
    let i = start;
    for (;;) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) {
        this.position = i + 1;
        return text.slice(start, i);
      }
      if (code === BACKSLASH) break;
      // NaN, the end of the text, fails every comparison.
      if (!(code >= 0x20)) {
        this.position = i;
        throw this.unexpected("in string literal");
      }
      i += 1;
    }
    return this.#readEscaped(start, i);
  }

  /** Passes a string without building it. */
  skipString(): void {
    const { text } = this;
    let i = this.position + 1;
    for (;;) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) break;
      if (code === BACKSLASH) {
        const letter = text[i + 1] ?? "";
        this.position = i + 1;
        if (letter === "u") this.#readHex(i + 2);
        else if (SHORT_ESCAPES[letter] === undefined)
          throw this.unexpected("in string escape code");
        i += letter === "u" ? 6 : 2;
        continue;
      }
      if (!(code >= 0x20)) {
        this.position = i;
        throw this.unexpected("in string literal");
      }
      i += 1;
    }
    this.position = i + 1;
  }

  #skipKey(): void {
    if (this.peek() !== QUOTE) throw this.unexpected("looking for beginning of object key string");
    this.skipString();
    if (this.peek() !== 0x3a) throw this.unexpected("after object key");
    this.position += 1;
  }

  #readEscaped(start: number, firstEscape: number): string {
    const { text } = this;
    let value = text.slice(start, firstEscape);
    let i = firstEscape;
    for (;;) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) {
        this.position = i + 1;
        return value.replace(LONE_SURROGATE, "\ufffd");
      }
      if (code === BACKSLASH) {
        const letter = text[i + 1] ?? "";
        this.position = i + 1;
        if (letter === "u") {
          value += String.fromCharCode(this.#readHex(i + 2));
          i += 6;
          continue;
        }
        const plain = SHORT_ESCAPES[letter];
        if (plain === undefined) throw this.unexpected("in string escape code");
        value += plain;
        i += 2;
        continue;
      }
      if (!(code >= 0x20)) {
        this.position = i;
        throw this.unexpected("in string literal");
      }
      value += text[i];
      i += 1;
    }
  }

  #readHex(start: number): number {
    let value = 0;
    for (let i = start; i < start + 4; i++) {
      const digit = Number.parseInt(this.text[i] ?? "", 16);
      if (Number.isNaN(digit)) {
        this.position = i;
        throw this.unexpected("in \\u hexadecimal escape");
      }
      value = value * 16 + digit;
    }
    return value;
  }

  /** Reads a number's literal; the cursor stands at its first character. */
  readNumber(): string {
    const { text } = this;
    const start = this.position;
    let i = start;
    if (text.charCodeAt(i) === 0x2d) i += 1;
    if (text.charCodeAt(i) === 0x30) i += 1;
    else i = this.#digits(i, "in numeric literal");
    if (text.charCodeAt(i) === 0x2e)
      i = this.#digits(i + 1, "after decimal point in numeric literal");
    const exponent = text.charCodeAt(i);
    if (exponent === 0x65 || exponent === 0x45) {
      i += 1;
      const sign = text.charCodeAt(i);
      if (sign === 0x2b || sign === 0x2d) i += 1;
      i = this.#digits(i, "in exponent of numeric literal");
    }
    this.position = i;
    return text.slice(start, i);
  }

  #digits(start: number, context: string): number {
    let i = start;
    for (;;) {
      const code = this.text.charCodeAt(i);
      if (!(code >= 0x30 && code <= 0x39)) break;
      i += 1;
    }
    if (i === start) {
      this.position = i;
      throw this.unexpected(context);
    }
    return i;
  }

  /** Reads `true`, `false` or `null`; the cursor stands at the first letter. */
  readLiteral(): string {
    const first = this.text[this.position] ?? "";
    const literal = LITERALS[first];
    if (literal === undefined) throw this.unexpected("looking for beginning of value");
    for (let i = 1; i < literal.length; i++) {
      this.position += 1;
      if (this.text[this.position] !== literal[i]) {
        throw this.unexpected(`in literal ${literal} (expecting '${literal[i]}')`);
      }
    }
    this.position += 1;
    return literal;
  }

  /** Reads a key and its colon; the cursor stands anywhere before the key. */
  readKey(): string {
    if (this.peek() !== QUOTE) throw this.unexpected("looking for beginning of object key string");
    const key = this.readString();
    if (this.peek() !== 0x3a) throw this.unexpected("after object key");
    this.position += 1;
    return key;
  }

  /** After a member: true when another follows, false at the closing brace. */
  hasNextMember(): boolean {
    const code = this.peek();
    if (code !== 0x2c && code !== 0x7d) throw this.unexpected("after object key:value pair");
    this.position += 1;
    return code === 0x2c;
  }

  /** After an element: true when another follows, false at the closing bracket. */
  hasNextElement(): boolean {
    const code = this.peek();
    if (code !== 0x2c && code !== 0x5d) throw this.unexpected("after array element");
    this.position += 1;
    return code === 0x2c;
  }

  /** True when the container just opened closes at once; the cursor is then behind it. */
  closesWith(code: number): boolean {
    if (this.peek() !== code) return false;
    this.position += 1;
    return true;
  }

  /** Nothing but white space may follow the value. */
  expectEnd(): void {
    this.peek();
    if (this.position < this.text.length) throw this.unexpected("after top-level value");
  }

  /** Checks and passes one value of any kind, without building it. Iterative: any depth is safe. */
  skipValue(depthMax = DEPTH_MAX): void {
    // One character per open container: `}` or `]`.
    const closers: number[] = [];
    for (;;) {
      const code = this.peek();
      if (code === 0x7b || code === 0x5b) {
        this.position += 1;
        const closer = code === 0x7b ? 0x7d : 0x5d;
        if (closers.length >= depthMax) throw new DecodeError("syntax", "exceeded max depth");
        if (!this.closesWith(closer)) {
          closers.push(closer);
          if (closer === 0x7d) this.#skipKey();
          continue;
        }
      } else if (code === QUOTE) this.skipString();
      else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) this.readNumber();
      else this.readLiteral();
      if (!this.#closeContainers(closers)) return;
    }
  }

  /** True when another value follows inside an open container. */
  #closeContainers(closers: number[]): boolean {
    while (closers.length > 0) {
      if (closers[closers.length - 1] === 0x7d) {
        if (this.hasNextMember()) {
          this.#skipKey();
          return true;
        }
      } else if (this.hasNextElement()) return true;
      closers.pop();
    }
    return false;
  }

  /**
   * Reads any value as JSON. Integers beyond 2^53 are bigint; of duplicate keys the last wins. What
   * `known` has for a text is taken as it is.
   */
  readAny(known?: (text: string) => JsonValue | undefined): JsonValue {
    this.peek();
    const start = this.position;
    this.skipValue(BUILD_DEPTH_MAX);
    const raw = this.text.slice(start, this.position);
    const found = known?.(raw);
    if (found !== undefined) return found;
    // What the scanner let through, JSON.parse takes; only long integers would lose digits there.
    if (!LONG_INTEGER.test(raw) && !raw.includes("\\u")) return JSON.parse(raw) as JsonValue;
    return new JsonReader(raw).#any();
  }

  #any(): JsonValue {
    const code = this.peek();
    if (code === QUOTE) return this.readString();
    if (code === 0x7b) return this.#anyObject();
    if (code === 0x5b) return this.#anyArray();
    if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return numberOf(this.readNumber());
    const literal = this.readLiteral();
    return literal === "null" ? null : literal === "true";
  }

  #anyObject(): JsonObject {
    this.position += 1;
    const object: JsonObject = {};
    if (this.closesWith(0x7d)) return object;
    do {
      const key = this.readKey();
      setOwn(object, key, this.#any());
    } while (this.hasNextMember());
    return object;
  }

  #anyArray(): JsonValue[] {
    this.position += 1;
    const array: JsonValue[] = [];
    if (this.closesWith(0x5d)) return array;
    do array.push(this.#any());
    while (this.hasNextElement());
    return array;
  }
}

const LONG_INTEGER = /\d{16}/;

/** Sets a property even when its name is `__proto__`, which assignment would swallow. */
export function setOwn<V>(object: { [name: string]: V }, key: string, value: V): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    return;
  }
  object[key] = value;
}

/** A number literal as a value: exact integers stay exact. */
export function numberOf(literal: string): number | bigint {
  const value = Number(literal);
  if (Number.isSafeInteger(value) || !Number.isInteger(value)) return value;
  return /^-?\d+$/.test(literal) ? BigInt(literal) : value;
}

/** Go's quoteChar of the byte at the position. */
function shownCharacter(text: string, position: number): string {
  const code = text.codePointAt(position) ?? 0;
  if (code === 0x27) return "'\\''";
  if (code === QUOTE) return "'\"'";
  if (code < 0x20 || code === 0x7f) return `'${controlText(code)}'`;
  if (code === BACKSLASH) return "'\\\\'";
  if (code < 0x7f) return `'${String.fromCharCode(code)}'`;
  // Go's scanner sees bytes: of a longer character it names the first.
  const byte = Buffer.from(String.fromCodePoint(code))[0] ?? 0;
  const printable = byte > 0xa0 && byte !== 0xad;
  return printable ? `'${String.fromCharCode(byte)}'` : `'\\u00${byte.toString(16)}'`;
}

function controlText(code: number): string {
  const names: Readonly<Record<number, string>> = {
    7: "\\a",
    8: "\\b",
    9: "\\t",
    10: "\\n",
    11: "\\v",
    12: "\\f",
    13: "\\r",
  };
  return names[code] ?? `\\x${code.toString(16).padStart(2, "0")}`;
}
