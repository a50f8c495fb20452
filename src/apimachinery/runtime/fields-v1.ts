/**
 * The JSON of metav1.FieldsV1, kept once by its text. Objects made from one template, and every
 * revision of one object, own the same fields: parsed once and frozen, one value serves them all,
 * and what the field manager and the encoder derive from it is found again by its identity.
 */
import type { JsonObject } from "./json.ts";

/** Texts kept, and their characters; beyond either bound all are forgotten. */
const TEXTS_MAX = 8_192;
const CHARACTERS_MAX = 8 << 20;
/** Longer texts belong to objects of their own kind and are not kept. */
const TEXT_MAX = 64 << 10;

const known = new Map<string, JsonObject>();
let characters = 0;

/** The frozen value of a text that was seen before; undefined for any other. */
export function knownFields(text: string): JsonObject | undefined {
  return text.length > TEXT_MAX ? undefined : known.get(text);
}

/**
 * The frozen value of a text, which is JSON of an object without numbers beyond 53 bits. Throws
 * SyntaxError for other texts.
 */
export function fieldsOf(text: string): JsonObject {
  const found = knownFields(text);
  if (found !== undefined) return found;
  const value = frozen(JSON.parse(text) as JsonObject);
  if (text.length > TEXT_MAX) return value;
  if (known.size >= TEXTS_MAX || characters > CHARACTERS_MAX) {
    known.clear();
    characters = 0;
  }
  characters += text.length;
  // The text may be a slice, which would hold the whole object's text.
  known.set(Buffer.from(text).toString(), value);
  return value;
}

function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const name in value) frozen(value[name]);
  return Object.freeze(value);
}

const MANAGED_FIELDS = '"managedFields":[';
const FIELDS = '"fieldsV1":{';
const [QUOTE, BACKSLASH, OPEN, CLOSE] = [0x22, 0x5c, 0x7b, 0x7d];

interface Cut {
  /** The object's text with the number of each FieldsV1 in place of its value. */
  readonly text: string;
  readonly fields: readonly string[];
}

/**
 * Parses compact JSON of a stored object as JSON.parse does, but for the FieldsV1 of its managed
 * fields, which are frozen and shared. `parse` gets the text without them.
 */
export function parseWithFields(text: string, parse: (text: string) => unknown): unknown {
  const start = text.indexOf(MANAGED_FIELDS);
  const cut = start < 0 ? undefined : cutFields(text, start + MANAGED_FIELDS.length);
  if (cut === undefined || cut.fields.length === 0) return parse(text);
  const object = parse(cut.text) as { metadata?: { managedFields?: { fieldsV1?: unknown }[] } };
  let count = 0;
  // The list may have been another one: of a pod's template, or in the middle of raw JSON.
  for (const entry of object.metadata?.managedFields ?? []) {
    if (typeof entry?.fieldsV1 !== "number") continue;
    if (entry.fieldsV1 !== count) return parse(text);
    entry.fieldsV1 = fieldsOf(cut.fields[count] ?? "");
    count += 1;
  }
  return count === cut.fields.length ? object : parse(text);
}

/** Cuts the values out of a list of entries that begins at `start`; undefined for odd texts. */
function cutFields(text: string, start: number): Cut | undefined {
  const fields: string[] = [];
  let rest = "";
  let done = 0;
  let depth = 0;
  let from = -1;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      if (depth === 1 && from < 0 && text.startsWith(FIELDS, i)) {
        i += FIELDS.length - 1;
        from = i;
        depth = 2;
        continue;
      }
      i = endOfString(text, i);
      if (i < 0) return undefined;
    } else if (code === OPEN) depth += 1;
    else if (code === CLOSE) {
      depth -= 1;
      if (depth !== 1 || from < 0) continue;
      rest += `${text.slice(done, from)}${fields.length}`;
      fields.push(text.slice(from, i + 1));
      done = i + 1;
      from = -1;
    } else if (code === 0x5d && depth === 0) return { text: rest + text.slice(done), fields };
  }
  return undefined;
}

/** The position of the quote that closes the string at `start`; -1 where there is none. */
export function endOfString(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1);
    if (end < 0) return end;
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}
