/**
 * Between an object's bytes in the store and its JSON as served. The real codec decodes protobuf
 * with the types' tables; the JSON passthrough serves custom resources, tests and the model.
 */
import { customServed, customStored } from "./custom-codec.ts";
import type { Revision, StorageConfig } from "./interfaces.ts";

export interface StoredCodec {
  /** Bytes for the store of an object's JSON: no resourceVersion, the storage media type. */
  toStored(json: Uint8Array, config: StorageConfig): Uint8Array;
  /**
   * JSON as served, resourceVersion in place. Throws on bytes that can not be read. Calls `outdated`
   * for bytes of another version, or without defaults: a write would not have made them.
   */
  toServed(
    stored: Uint8Array,
    revision: Revision,
    config: StorageConfig,
    outdated?: () => void,
  ): Uint8Array;
}

/** The codec of JSON resources: bytes pass unchanged, resourceVersion aside. */
export const jsonCodec: StoredCodec = {
  toStored: (json, config) => {
    const bare = setResourceVersion(json, undefined, config);
    return config.custom === undefined ? bare : customStored(bare, config);
  },
  toServed: (stored, revision, config, outdated) => {
    if (config.custom === undefined) return setResourceVersion(stored, revision, config);
    const json = customServed(stored, config);
    if (outdated !== undefined && config.custom.webhook === undefined) {
      if (Buffer.compare(customStored(json, config), stored) !== 0) outdated();
    }
    return setResourceVersion(json, revision, config);
  },
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BEFORE_IN_GO = new Set(["name", "generateName", "namespace", "selfLink", "uid"]);

/**
 * The same object with metadata.resourceVersion set, or removed when `revision` is undefined: no
 * other byte changes. It goes where Go writes it: by struct order for built-in types (after uid),
 * by name for custom resources, whose maps Go sorts. Throws on JSON without a metadata object.
 */
export function setResourceVersion(
  json: Uint8Array,
  revision: Revision | undefined,
  config: Pick<StorageConfig, "goName">,
): Uint8Array {
  const bytes = Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  const spot = findSpot(bytes, config.goName === "");
  const member = revision === undefined ? "" : `"resourceVersion":"${revision}"`;
  if (spot.from === spot.to && member === "") return json;
  // With a comma on one side only: after the member before, or before the member after.
  const head = bytes.subarray(0, spot.from);
  const tail = bytes.subarray(spot.to);
  const comma = member === "" ? spot.first || spot.last : spot.first && spot.last;
  const text = member === "" || comma ? member : spot.first ? `${member},` : `,${member}`;
  const joint = member === "" && !comma ? "," : "";
  return splice(head, text === "" ? joint : text, tail, member !== "" && !spot.first && !spot.last);
}

/** Joins the parts; with `between`, a comma follows the text (there are members on both sides). */
function splice(head: Buffer, text: string, tail: Buffer, between: boolean): Uint8Array {
  const middle = between ? `${text},` : text;
  const out = Buffer.allocUnsafe(head.length + middle.length + tail.length);
  out.set(head, 0);
  out.write(middle, head.length, "latin1");
  out.set(tail, head.length + middle.length);
  return out;
}

/** [from, to) is what to replace, the commas around it included; first, last: in the object. */
interface Spot {
  readonly from: number;
  readonly to: number;
  readonly first: boolean;
  readonly last: boolean;
}

function findSpot(bytes: Buffer, sorted: boolean): Spot {
  let at = enterMetadata(bytes);
  let end = at; // of the member before, or just behind "{"
  let first = true;
  while (bytes[at] !== 0x7d) {
    const keyEnd = skipString(bytes, at);
    const key = bytes.toString("latin1", at + 1, keyEnd - 1);
    if (key === "resourceVersion") {
      const valueEnd = skipValue(bytes, keyEnd + 1);
      const last = bytes[valueEnd] === 0x7d;
      return { from: end, to: last ? valueEnd : valueEnd + 1, first, last };
    }
    if (sorted ? key > "resourceVersion" : !BEFORE_IN_GO.has(key)) break;
    end = skipValue(bytes, keyEnd + 1);
    first = false;
    at = bytes[end] === 0x2c ? end + 1 : end;
    if (at >= bytes.length) throw new SyntaxError("unexpected end of JSON");
  }
  const last = bytes[at] === 0x7d;
  return { from: end, to: at, first, last };
}

/** Position of the first member of the top-level `metadata`, or of its closing brace. */
function enterMetadata(bytes: Buffer): number {
  let at = 1;
  while (at < bytes.length && bytes[at] === QUOTE) {
    const keyEnd = skipString(bytes, at);
    const isMetadata =
      keyEnd - at === 10 && bytes.toString("latin1", at + 1, at + 9) === "metadata";
    if (isMetadata && bytes[keyEnd + 1] === 0x7b) return keyEnd + 2;
    at = skipValue(bytes, keyEnd + 1) + 1;
  }
  throw new SyntaxError("the object has no metadata");
}

function skipString(bytes: Buffer, at: number): number {
  let end = bytes.indexOf(QUOTE, at + 1);
  for (;;) {
    if (end < 0) throw new SyntaxError("unexpected end of JSON");
    let slashes = 0;
    while (bytes[end - 1 - slashes] === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return end + 1;
    end = bytes.indexOf(QUOTE, end + 1);
  }
}

/** End of the compact JSON value at `at`. */
function skipValue(bytes: Buffer, at: number): number {
  let depth = 0;
  let i = at;
  while (i < bytes.length) {
    const c = bytes[i];
    if (c === QUOTE) {
      i = skipString(bytes, i);
      if (depth === 0) return i;
      continue;
    }
    if (depth === 0 && (c === 0x2c || c === 0x7d || c === 0x5d)) return i;
    if (c === 0x7b || c === 0x5b) depth++;
    else if (c === 0x7d || c === 0x5d) {
      depth--;
      if (depth === 0) return i + 1;
    }
    i++;
  }
  throw new SyntaxError("unexpected end of JSON");
}
