/**
 * Field errors as clients see them in `details.causes`. Upstream: apimachinery/pkg/util/validation/
 * field. A value is printed as upstream prints it: strings quoted, numbers and booleans bare,
 * everything else as JSON. Wrap a built-in struct in `goValue()` first: its JSON has Go's names.
 */
export type FieldErrorType =
  | "Required"
  | "Invalid"
  | "NotSupported"
  | "Duplicate"
  | "NotFound"
  | "Forbidden"
  | "TooLong"
  | "TooMany"
  | "TooFew"
  | "TooShort"
  | "TypeInvalid"
  | "Internal";

/** The text before the value in a message, and the cause's reason. */
const typeTexts: Record<FieldErrorType, { readonly text: string; readonly reason: string }> = {
  Required: { text: "Required value", reason: "FieldValueRequired" },
  Invalid: { text: "Invalid value", reason: "FieldValueInvalid" },
  NotSupported: { text: "Unsupported value", reason: "FieldValueNotSupported" },
  Duplicate: { text: "Duplicate value", reason: "FieldValueDuplicate" },
  NotFound: { text: "Not found", reason: "FieldValueNotFound" },
  Forbidden: { text: "Forbidden", reason: "FieldValueForbidden" },
  TooLong: { text: "Too long", reason: "FieldValueTooLong" },
  TooMany: { text: "Too many", reason: "FieldValueTooMany" },
  TooFew: { text: "Too few", reason: "FieldValueTooFew" },
  TooShort: { text: "Too short", reason: "FieldValueTooShort" },
  TypeInvalid: { text: "Invalid value", reason: "FieldValueTypeInvalid" },
  Internal: { text: "Internal error", reason: "InternalError" },
};

/** Text to be printed as it stands where a value goes, e.g. a struct under its Go names. */
export class PrintedValue {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** A value that is left out of the message. Upstream: field.OmitValueType. */
export const OMITTED = Symbol("omitted value");

export interface FieldError {
  readonly type: FieldErrorType;
  readonly field: string;
  readonly value?: unknown;
  readonly detail: string;
}
export type ErrorList = FieldError[];

/** A path into an object: `spec.containers[0].name`, `metadata.labels[foo]`. Immutable. */
export class Path {
  readonly #text: string;
  private constructor(text: string) {
    this.#text = text;
  }
  static root(...names: string[]): Path {
    return new Path(names.join("."));
  }
  child(...names: string[]): Path {
    const tail = names.join(".");
    return new Path(this.#text === "" ? tail : `${this.#text}.${tail}`);
  }
  index(index: number): Path {
    return new Path(`${this.#text}[${index}]`);
  }
  key(key: string): Path {
    return new Path(`${this.#text}[${key}]`);
  }
  toString(): string {
    return this.#text;
  }
}

type At = Path | string;

export function required(at: At, detail = ""): FieldError {
  return { type: "Required", field: String(at), value: "", detail };
}
export function invalid(at: At, value: unknown, detail: string): FieldError {
  return { type: "Invalid", field: String(at), value, detail };
}
export function typeInvalid(at: At, value: unknown, detail: string): FieldError {
  return { type: "TypeInvalid", field: String(at), value, detail };
}
/** `supported` is printed in the order given: sort it where upstream holds a set. */
export function notSupported(at: At, value: unknown, supported: readonly string[]): FieldError {
  const quoted = supported.map((one) => quote(one)).join(", ");
  const detail = supported.length > 0 ? `supported values: ${quoted}` : "";
  return { type: "NotSupported", field: String(at), value, detail };
}
export function duplicate(at: At, value: unknown): FieldError {
  return { type: "Duplicate", field: String(at), value, detail: "" };
}
export function notFound(at: At, value: unknown): FieldError {
  return { type: "NotFound", field: String(at), value, detail: "" };
}
export function forbidden(at: At, detail: string): FieldError {
  return { type: "Forbidden", field: String(at), value: "", detail };
}
export function tooLong(at: At, maxBytes: number): FieldError {
  const detail = maxBytes >= 0 ? `may not be more than ${maxBytes} bytes` : "value is too long";
  return { type: "TooLong", field: String(at), value: "", detail };
}
export function tooMany(at: At, actual: number, max: number): FieldError {
  const items = max === 1 ? "item" : "items";
  const detail = max >= 0 ? `must have at most ${max} ${items}` : "has too many items";
  return { type: "TooMany", field: String(at), value: actual < 0 ? undefined : actual, detail };
}
export function internal(at: At, message: string): FieldError {
  return { type: "Internal", field: String(at), value: undefined, detail: message };
}

/** The error without its path: `cause.message`. Upstream: field.Error.ErrorBody. */
export function errorBody({ type, value, detail }: FieldError): string {
  let text = typeTexts[type].text;
  const printsValue = !["Required", "Forbidden", "TooLong", "Internal"].includes(type);
  const omitted = value === OMITTED || (type === "TooMany" && value === undefined);
  if (printsValue && !omitted) text += `: ${printValue(value)}`;
  return detail === "" ? text : `${text}: ${detail}`;
}

/** The whole error: `spec.replicas: Invalid value: -1: must be ...`. */
export function errorText(error: FieldError): string {
  return `${error.field}: ${errorBody(error)}`;
}

export function causeReason(type: FieldErrorType): string {
  return typeTexts[type].reason;
}

function printValue(value: unknown): string {
  if (value instanceof PrintedValue) return value.text;
  if (typeof value === "string") return quote(value);
  if (value === undefined || value === null) return "null";
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") {
    return String(value);
  }
  return goJson(value);
}

/** Go's %q for a string. */
export function quote(text: string): string {
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '"' || char === "\\") out += `\\${char}`;
    else if (code === 7) out += "\\a";
    else if (code === 8) out += "\\b";
    else if (code === 9) out += "\\t";
    else if (code === 10) out += "\\n";
    else if (code === 11) out += "\\v";
    else if (code === 12) out += "\\f";
    else if (code === 13) out += "\\r";
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x80 || isPrintable(char)) out += char;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, "0")}`;
    else out += `\\U${code.toString(16).padStart(8, "0")}`;
  }
  return `${out}"`;
}

/** Go's unicode.IsPrint: letters, marks, numbers, punctuation, symbols, and the ASCII space. */
function isPrintable(char: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);
}

/** JSON with sorted keys and Go's HTML escapes, for values with JSON names (metav1 types, maps). */
export function goJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner === "bigint") return Number(inner);
    return inner;
  })
    .replace(/</g, "\\u003c")
    .replace(/>/g, "\\u003e")
    .replace(/&/g, "\\u0026")
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}
