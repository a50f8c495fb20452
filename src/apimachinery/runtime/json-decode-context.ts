/** The state of one JSON decoding, and the errors it collects. */
import { DecodeError } from "./decode-error.ts";
import { bareTypeName, goQuote } from "./go-text.ts";
import type { JsonReader } from "./json-reader.ts";
import type { FieldSchema, StructSchema } from "./type-schema.ts";

/** sigs.k8s.io/json keeps no more. */
const STRICT_ERRORS_MAX = 100;

/** State of one decoding. */
export interface Context {
  readonly reader: JsonReader;
  readonly strict: boolean;
  readonly strictErrors: string[];
  /** Where the cursor is: fields, keys of maps, places in lists. */
  readonly path: (FieldSchema | string | number)[];
  /** Steps of outer decodings, whose paths are not this one's. */
  readonly outerDepth: number;
  /** The innermost struct: with the path, the context Go adds to type errors. */
  struct: StructSchema | undefined;
  /** The first type error; decoding goes on, as in Go. */
  saved: DecodeError | undefined;
  /** The first error of a type that decodes itself (Time, Quantity): it wins over `saved`. */
  fatal: DecodeError | undefined;
}

/** What Go calls the value at the cursor. */
export function describe(reader: JsonReader): string {
  const code = reader.peek();
  if (code === 0x22) return "string";
  if (code === 0x7b) return "object";
  if (code === 0x5b) return "array";
  if (code === 0x2d || (code >= 0x30 && code <= 0x39)) return "number";
  return code === 0x74 || code === 0x66 ? "bool" : "null";
}

/** Go's field stack: names of fields and of the structs they are embedded in, nothing else. */
function fieldNames({ path }: Context): string[] {
  return path.flatMap((step) =>
    typeof step === "object" ? [...(step.embedded ?? []), step.json] : [],
  );
}

/** The path of strict errors: `spec.containers[0]`. */
function strictPath({ path }: Context): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else text += (text === "" ? "" : ".") + (typeof step === "string" ? step : step.json);
  }
  return text;
}

/** Go's UnmarshalTypeError with the context of the cursor. */
function typeError(context: Context, value: string, typeName: string): DecodeError {
  const { struct } = context;
  const target =
    struct === undefined
      ? `value of type ${typeName}`
      : `struct field ${bareTypeName(struct.name)}.${fieldNames(context).join(".")} of type ${typeName}`;
  const message = `json: cannot unmarshal ${value} into Go ${target}`;
  return new DecodeError("type", message, { value, typeName });
}

/** Remembers the first value that does not fit. */
export function saveTypeError(context: Context, value: string, typeName: string): void {
  context.saved ??= typeError(context, value, typeName);
}

/** The error of a type that decodes itself ends Go's decoding, with the outer context. */
export function saveFatal(context: Context, error: DecodeError): void {
  if (context.fatal !== undefined) return;
  const { mismatch } = error;
  context.fatal =
    mismatch === undefined ? error : typeError(context, mismatch.value, mismatch.typeName);
}

/** Remembers an unknown or duplicate field; each text once. */
export function saveStrictError(
  context: Context,
  what: "unknown" | "duplicate",
  name: string,
): void {
  if (context.strictErrors.length >= STRICT_ERRORS_MAX) return;
  const path = strictPath(context);
  const text = `${what} field ${goQuote(path === "" ? name : `${path}.${name}`)}`;
  if (!context.strictErrors.includes(text)) context.strictErrors.push(text);
}
