/**
 * Reads DER: definite lengths only, everything checked against the bytes that are there. ITU-T
 * X.690. A certificate comes from whoever connects, so nothing here may throw anything but DerError.
 */

export class DerError extends Error {
  override readonly name = "DerError";
}

export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Tag and length included. */
  readonly raw: Uint8Array;
}

export const Tag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  OBJECT_IDENTIFIER: 0x06,
  UTF8_STRING: 0x0c,
  PRINTABLE_STRING: 0x13,
  T61_STRING: 0x14,
  IA5_STRING: 0x16,
  UTC_TIME: 0x17,
  GENERALIZED_TIME: 0x18,
  UNIVERSAL_STRING: 0x1c,
  BMP_STRING: 0x1e,
  SEQUENCE: 0x30,
  SET: 0x31,
} as const;

/** A cursor over the elements of one constructed value. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** The next element's tag, undefined at the end. */
  peek(): number | undefined {
    return this.#bytes[this.#offset];
  }

  /** The next element. Throws DerError for an indefinite, over-long or cut length. */
  next(): DerElement {
    const start = this.#offset;
    const tag = this.#byte(start);
    if ((tag & 0x1f) === 0x1f) throw new DerError("tag of several bytes");
    const first = this.#byte(start + 1);
    let contentStart = start + 2;
    let length = first;
    if (first >= 0x80) {
      const count = first & 0x7f;
      if (count === 0 || count > 4) throw new DerError("length not supported");
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + this.#byte(start + 2 + i);
      contentStart += count;
      if (length < 0x80 || length < 256 ** (count - 1)) throw new DerError("length not minimal");
    }
    const end = contentStart + length;
    if (end > this.#bytes.length) throw new DerError("element is cut");
    this.#offset = end;
    const { buffer, byteOffset } = this.#bytes;
    return {
      tag,
      content: new Uint8Array(buffer, byteOffset + contentStart, length),
      raw: new Uint8Array(buffer, byteOffset + start, end - start),
    };
  }

  /** The next element, which must have this tag. */
  expect(tag: number): DerElement {
    const element = this.next();
    if (element.tag !== tag) throw new DerError(`expected tag ${tag}, found ${element.tag}`);
    return element;
  }

  /** The content of the next element, which must have this tag, as a reader. */
  enter(tag: number): DerReader {
    return new DerReader(this.expect(tag).content);
  }

  #byte(offset: number): number {
    const byte = this.#bytes[offset];
    if (byte === undefined) throw new DerError("element is cut");
    return byte;
  }
}

const ARC_BITS_MAX = 48;

/** `2.5.4.3` from the content of an OBJECT IDENTIFIER. */
export function readObjectIdentifier(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  let bits = 0;
  let open = false;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    bits += 7;
    if (bits > ARC_BITS_MAX) throw new DerError("object identifier is too large");
    open = byte >= 0x80;
    if (open) continue;
    arcs.push(arc);
    arc = 0;
    bits = 0;
  }
  const [first] = arcs;
  if (open || first === undefined) throw new DerError("bad object identifier");
  const head = first < 80 ? Math.floor(first / 40) : 2;
  return [head, first - head * 40, ...arcs.slice(1)].join(".");
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const latin1 = new TextDecoder("latin1");

/** The text of any of the directory string types. */
export function readString({ tag, content }: DerElement): string {
  switch (tag) {
    case Tag.UTF8_STRING:
      return decodeUtf8(content);
    case Tag.PRINTABLE_STRING:
    case Tag.IA5_STRING:
      if (content.some((byte) => byte >= 0x80)) throw new DerError("string is not ASCII");
      return latin1.decode(content);
    case Tag.T61_STRING:
      return latin1.decode(content);
    case Tag.BMP_STRING:
      if (content.length % 2 !== 0) throw new DerError("bad BMPString");
      return Buffer.from(content).swap16().toString("utf16le");
    default:
      throw new DerError(`tag ${tag} is no string`);
  }
}

function decodeUtf8(content: Uint8Array): string {
  try {
    return utf8.decode(content);
  } catch {
    throw new DerError("string is not UTF-8");
  }
}

const UTC = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/** Milliseconds since 1970 from UTCTime or GeneralizedTime. RFC 5280, 4.1.2.5. */
export function readTime({ tag, content }: DerElement): number {
  const text = latin1.decode(content);
  const match = (tag === Tag.UTC_TIME ? UTC : GENERALIZED).exec(text);
  if (match === null || (tag !== Tag.UTC_TIME && tag !== Tag.GENERALIZED_TIME)) {
    throw new DerError("bad time");
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number);
  const full = tag === Tag.GENERALIZED_TIME ? year : year < 50 ? 2000 + year : 1900 + year;
  const time = Date.UTC(full, month - 1, day, hour, minute, second);
  const back = new Date(time);
  if (back.getUTCMonth() !== month - 1 || back.getUTCDate() !== day || hour > 23) {
    throw new DerError("bad time");
  }
  return time;
}
