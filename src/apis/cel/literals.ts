/**
 * The values of CEL's literals. Upstream: google/cel-spec doc/langdef.md; cel-go parser/unescape.go.
 */
import { CelUint } from "./values.ts";

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "?": "?",
  "'": "'",
  '"': '"',
  "`": "`",
};
const ESCAPE =
  /\\(?:x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|([\s\S]))/g;
const INT_MAX = 2n ** 63n - 1n;
const UINT_MAX = 2n ** 64n - 1n;

/** An int's value, or undefined when it does not fit 64 bits. `text` may have a sign. */
export function intLiteral(text: string): bigint | undefined {
  const negative = text.startsWith("-");
  const value = BigInt(negative ? text.slice(1) : text);
  const signed = negative ? -value : value;
  return signed > INT_MAX || signed < -INT_MAX - 1n ? undefined : signed;
}

/** A uint's value from text that ends with u. */
export function uintLiteral(text: string): CelUint | undefined {
  const value = BigInt(text.slice(0, -1));
  return value > UINT_MAX ? undefined : new CelUint(value);
}

/** The text between a string's quotes with its escapes undone; undefined: an escape is unknown. */
export function stringLiteral(text: string): string | undefined {
  const { body, raw } = unquote(text);
  if (raw) return body;
  let bad = false;
  const value = body.replace(ESCAPE, (_all, x, bigX, u, bigU, octal, simple) => {
    const hex = x ?? bigX ?? u ?? bigU;
    const code = hex !== undefined ? Number.parseInt(hex, 16) : Number.parseInt(octal ?? "", 8);
    if (simple === undefined) {
      const isSurrogate = code >= 0xd800 && code <= 0xdfff;
      if (code > 0x10ffff || isSurrogate) bad = true;
      return bad ? "" : String.fromCodePoint(code);
    }
    const plain = SIMPLE_ESCAPES[simple];
    if (plain === undefined) bad = true;
    return plain ?? "";
  });
  return bad ? undefined : value;
}

/** The bytes of a bytes literal: \x and octal escapes are bytes, all else is UTF-8. */
export function bytesLiteral(text: string): Uint8Array | undefined {
  const { body, raw } = unquote(text);
  if (raw) return Buffer.from(body, "utf8");
  const parts: Buffer[] = [];
  let last = 0;
  for (const match of body.matchAll(ESCAPE)) {
    parts.push(Buffer.from(body.slice(last, match.index), "utf8"));
    last = match.index + match[0].length;
    const [, x, bigX, u, bigU, octal, simple] = match;
    const plain = SIMPLE_ESCAPES[simple ?? ""];
    if (u !== undefined || bigU !== undefined) return undefined;
    if (simple !== undefined && plain === undefined) return undefined;
    if (plain !== undefined) parts.push(Buffer.from(plain));
    else parts.push(Buffer.from([Number.parseInt(x ?? bigX ?? octal ?? "0", octal ? 8 : 16)]));
  }
  parts.push(Buffer.from(body.slice(last), "utf8"));
  return Buffer.concat(parts);
}

function unquote(text: string): { body: string; raw: boolean } {
  const prefix = /^[rRbB]*/.exec(text)?.[0] ?? "";
  const quoted = text.slice(prefix.length);
  const width = /^(?:"""|''')/.test(quoted) && quoted.length >= 6 ? 3 : 1;
  return { body: quoted.slice(width, -width), raw: /[rR]/.test(prefix) };
}
