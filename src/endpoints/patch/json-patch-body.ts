/**
 * Decoding the operations of a JSON patch.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go (jsonPatchOp) and json-patch's DecodePatch.
 */
import { DecodeError } from "../../apimachinery/runtime/decode-error.ts";
import type { JsonValue } from "../../apimachinery/runtime/json.ts";
import type { FieldValidation } from "../../apimachinery/runtime/json-decode.ts";
import { JsonReader, textOf } from "../../apimachinery/runtime/json-reader.ts";
import { canonicalJson } from "../fieldmanager/path-element.ts";
import { type DecodedPatch, decoding, goKindAt, readStrictly, StrictErrors } from "./patch-body.ts";

/** One operation. What is missing, or of the wrong type under `Ignore`, is undefined. */
export interface Operation {
  readonly op: string | undefined;
  readonly path: string | undefined;
  readonly from: string | undefined;
  readonly value: JsonValue | undefined;
  /** A string or number in `value` is written in another way than Go writes it. */
  readonly isForeign: boolean;
}

type MutableOperation = { -readonly [K in keyof Operation]: Operation[K] };

/** How the two decoders of upstream name what they expected. */
const STRICT_TYPES = { list: "[]handlers.jsonPatchOp", item: "handlers.jsonPatchOp" };
const LAX_TYPES = { list: "jsonpatch.Patch", item: "jsonpatch.Operation" };

/** Throws 400 when the body is no list of operations. */
export function decodeJsonPatch(
  body: Uint8Array | string,
  fieldValidation: FieldValidation,
): DecodedPatch<readonly Operation[]> {
  const isLax = fieldValidation === "Ignore";
  const text = typeof body === "string" ? body : textOf(body);
  const decoder = new PatchDecoder(new JsonReader(text), isLax);
  const patch = decoding(isLax ? "" : "error decoding patch: ", () => decoder.decode());
  const strictErrors = isLax ? [] : decoder.strict.texts.map((error) => `json patch ${error}`);
  return { patch, strictErrors };
}

class PatchDecoder {
  readonly strict = new StrictErrors();
  readonly #reader: JsonReader;
  readonly #isLax: boolean;
  /** The first value of a wrong type; reading goes on, because a syntax error wins over it. */
  #typeError: DecodeError | undefined;

  constructor(reader: JsonReader, isLax: boolean) {
    this.#reader = reader;
    this.#isLax = isLax;
  }

  decode(): Operation[] {
    const reader = this.#reader;
    const types = this.#isLax ? LAX_TYPES : STRICT_TYPES;
    const operations: Operation[] = [];
    const kind = goKindAt(reader.peek());
    if (kind === "array") {
      reader.position += 1;
      if (!reader.closesWith(0x5d)) {
        do operations.push(this.#operation(operations.length));
        while (reader.hasNextElement());
      }
    } else {
      reader.skipValue();
      if (kind !== "null") this.#mismatch(`${kind} into Go value of type ${types.list}`);
    }
    reader.expectEnd();
    if (this.#typeError !== undefined) throw this.#typeError;
    return operations;
  }

  #mismatch(what: string): void {
    this.#typeError ??= new DecodeError("type", `json: cannot unmarshal ${what}`);
  }

  #operation(index: number): Operation {
    const reader = this.#reader;
    const operation: MutableOperation = {
      op: undefined,
      path: undefined,
      from: undefined,
      value: undefined,
      isForeign: false,
    };
    const kind = goKindAt(reader.peek());
    if (kind !== "object") {
      reader.skipValue();
      const { item } = this.#isLax ? LAX_TYPES : STRICT_TYPES;
      if (kind !== "null") this.#mismatch(`${kind} into Go value of type ${item}`);
      return operation;
    }
    reader.position += 1;
    if (reader.closesWith(0x7d)) return operation;
    const seen = new Set<string>();
    do {
      const key = reader.readKey();
      const at = `[${index}].${key}`;
      if (key === "op" || key === "path" || key === "from") operation[key] = this.#text(key);
      else if (key === "value") this.#value(operation, at);
      else {
        this.strict.add("unknown", at);
        reader.skipValue();
        continue;
      }
      if (seen.has(key)) this.strict.add("duplicate", at);
      seen.add(key);
    } while (reader.hasNextMember());
    return operation;
  }

  #text(key: string): string | undefined {
    const reader = this.#reader;
    const kind = goKindAt(reader.peek());
    if (kind === "string") return reader.readString();
    reader.skipValue();
    if (kind !== "null" && !this.#isLax) {
      this.#mismatch(`${kind} into Go struct field jsonPatchOp.${key} of type string`);
    }
    return undefined;
  }

  #value(operation: MutableOperation, at: string): void {
    const reader = this.#reader;
    reader.peek();
    const start = reader.position;
    operation.value = this.#isLax ? reader.readAny() : readStrictly(reader, at, this.strict);
    const text = reader.text.slice(start, reader.position);
    operation.isForeign = !isGoForm(text, operation.value);
  }
}

/** Whether Go would write every string and number of the value just so. */
function isGoForm(text: string, value: JsonValue): boolean {
  if (typeof value !== "object" || value === null) return text.trimEnd() === goScalar(value);
  const reader = new JsonReader(text);
  return scalarsAreGoForm(reader);
}

function scalarsAreGoForm(reader: JsonReader): boolean {
  let isForm = true;
  const kind = goKindAt(reader.peek());
  if (kind === "object" || kind === "array") {
    const close = kind === "object" ? 0x7d : 0x5d;
    reader.position += 1;
    if (reader.closesWith(close)) return true;
    do {
      if (kind === "object") reader.readKey();
      isForm = scalarsAreGoForm(reader) && isForm;
    } while (kind === "object" ? reader.hasNextMember() : reader.hasNextElement());
    return isForm;
  }
  const start = reader.position;
  const value = reader.readAny();
  return reader.text.slice(start, reader.position) === goScalar(value);
}

function goScalar(value: JsonValue): string {
  return typeof value === "number"
    ? String(value).replace(/e([+-])(\d)$/, "e$10$2")
    : canonicalJson(value);
}
