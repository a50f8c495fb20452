/**
 * Decoding JSON into an object without a Go type: every member is kept as it came, and the schema of
 * the custom resource decides what stays. Upstream: unstructured.UnstructuredJSONScheme, and the
 * schemaCoercingDecoder of apiextensions-apiserver/pkg/apiserver/customresource_handler.go.
 */
import { DecodeError } from "./decode-error.ts";
import { goQuote } from "./go-text.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { type JsonReader, setOwn } from "./json-reader.ts";
import type { Unstructured } from "./type-schema.ts";

/** Deeper objects are refused: those who walk them recurse, and the stack has an end. */
const DEPTH_MAX = 2000;

/** sigs.k8s.io/json keeps no more. */
const STRICT_ERRORS_MAX = 100;

export interface Decoded {
  readonly object: JsonObject;
  /** `unknown field "spec.foo"`, `duplicate field "spec.x"`; at most 100, none twice. */
  readonly strictErrors: readonly string[];
}

/** Reads the object at the cursor, to the end. Throws DecodeError. */
export function decodeUnstructured(
  reader: JsonReader,
  { coerce }: Unstructured,
  strict: boolean,
): Decoded {
  const errors = new Set<string>();
  const note = (what: string) => (path: string) => {
    if (errors.size < STRICT_ERRORS_MAX) errors.add(`${what} field ${goQuote(path)}`);
  };
  const isObject = reader.peek() === 0x7b;
  const start = reader.position;
  reader.skipValue(DEPTH_MAX);
  reader.position = start;
  const value = strict ? readStrictly(reader, "", note("duplicate")) : reader.readAny();
  reader.expectEnd();
  if (!isObject && value !== null) {
    const kind = Array.isArray(value) ? "array" : typeof value;
    const message = `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
    throw new DecodeError("type", message);
  }
  const read = (value ?? {}) as JsonObject;
  const object = coerce(read, strict ? note("unknown") : undefined);
  return { object, strictErrors: [...errors] };
}

/** Any value; `duplicate` is told of members that are there twice, of which the last one counts. */
function readStrictly(
  reader: JsonReader,
  path: string,
  duplicate: (path: string) => void,
): JsonValue {
  const code = reader.peek();
  if (code === 0x7b) {
    const object: JsonObject = {};
    reader.position += 1;
    if (reader.closesWith(0x7d)) return object;
    do {
      const key = reader.readKey();
      const at = path === "" ? key : `${path}.${key}`;
      if (Object.hasOwn(object, key)) duplicate(at);
      setOwn<JsonValue | undefined>(object, key, readStrictly(reader, at, duplicate));
    } while (reader.hasNextMember());
    return object;
  }
  if (code !== 0x5b) return reader.readAny();
  const list: JsonValue[] = [];
  reader.position += 1;
  if (reader.closesWith(0x5d)) return list;
  do list.push(readStrictly(reader, `${path}[${list.length}]`, duplicate));
  while (reader.hasNextElement());
  return list;
}
