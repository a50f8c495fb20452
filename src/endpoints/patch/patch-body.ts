/**
 * Reading the body of a patch: values with Go's errors, and what strict validation holds against
 * them. Upstream: apiserver/pkg/endpoints/handlers/patch.go with sigs.k8s.io/json.
 */
import { badRequest } from "../../apimachinery/api/errors.ts";
import { DecodeError } from "../../apimachinery/runtime/decode-error.ts";
import { goQuote } from "../../apimachinery/runtime/go-text.ts";
import type { JsonObject, JsonValue } from "../../apimachinery/runtime/json.ts";
import type { FieldValidation } from "../../apimachinery/runtime/json-decode.ts";
import { JsonReader, setOwn, textOf } from "../../apimachinery/runtime/json-reader.ts";

/** sigs.k8s.io/json keeps no more. */
const STRICT_ERRORS_MAX = 100;

/** What strict reading found besides the value: duplicates, each text once. */
export class StrictErrors {
  readonly #texts = new Set<string>();

  add(kind: "duplicate" | "unknown", path: string): void {
    if (this.#texts.size < STRICT_ERRORS_MAX) this.#texts.add(`${kind} field ${goQuote(path)}`);
  }

  get texts(): string[] {
    return [...this.#texts];
  }
}

/** The word Go has for the kind of JSON value that begins with this character. */
export function goKindAt(code: number): "array" | "bool" | "null" | "number" | "object" | "string" {
  if (code === 0x7b) return "object";
  if (code === 0x5b) return "array";
  if (code === 0x22) return "string";
  if (code === 0x6e) return "null";
  return code === 0x74 || code === 0x66 ? "bool" : "number";
}

/** Reads any value and records duplicate members below `path`. */
export function readStrictly(reader: JsonReader, path: string, strict: StrictErrors): JsonValue {
  const kind = goKindAt(reader.peek());
  if (kind === "object") {
    return readMembers(reader, (key, object) => {
      const at = path === "" ? key : `${path}.${key}`;
      if (Object.hasOwn(object, key)) strict.add("duplicate", at);
      return readStrictly(reader, at, strict);
    });
  }
  if (kind !== "array") return reader.readAny();
  const list: JsonValue[] = [];
  reader.position += 1;
  if (reader.closesWith(0x5d)) return list;
  do list.push(readStrictly(reader, `${path}[${list.length}]`, strict));
  while (reader.hasNextElement());
  return list;
}

/** Reads an object whose opening brace the cursor stands at; `read` reads each member's value. */
export function readMembers(
  reader: JsonReader,
  read: (key: string, soFar: JsonObject) => JsonValue,
): JsonObject {
  const object: JsonObject = {};
  reader.position += 1;
  if (reader.closesWith(0x7d)) return object;
  do {
    const key = reader.readKey();
    setOwn<JsonValue | undefined>(object, key, read(key, object));
  } while (reader.hasNextMember());
  return object;
}

/** Runs `read` and gives its DecodeError, or an overflow of the stack, to the client as 400. */
export function decoding<T>(prefix: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) throw badRequest(`${prefix}${error.message}`);
    if (error instanceof RangeError) throw badRequest(`${prefix}exceeded max depth`);
    throw error;
  }
}

export interface DecodedPatch<T> {
  readonly patch: T;
  /** For warnings or a refusal; always empty under `Ignore`. */
  readonly strictErrors: readonly string[];
}

/**
 * Decodes a patch that must be an object; `null` gives null. Throws 400 with `prefix` and Go's text.
 */
export function decodeObjectPatch(
  body: Uint8Array | string,
  fieldValidation: FieldValidation,
  prefix: string,
): DecodedPatch<JsonObject | null> {
  const reader = new JsonReader(typeof body === "string" ? body : textOf(body));
  const strict = new StrictErrors();
  const patch = decoding(prefix, () => {
    const kind = goKindAt(reader.peek());
    const value =
      fieldValidation === "Ignore" ? reader.readAny() : readStrictly(reader, "", strict);
    reader.expectEnd();
    if (kind !== "object" && kind !== "null") {
      const message = `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
      throw new DecodeError("type", message);
    }
    return value as JsonObject | null;
  });
  return { patch, strictErrors: strict.texts };
}
