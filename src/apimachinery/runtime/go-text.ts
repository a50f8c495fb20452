/** Go's ways to print names and strings, which clients see in error messages. */
import type { TypeSchema } from "./type-schema.ts";

/** `k8s.io/api/core/v1.Pod` → `v1.Pod`: how Go prints a named type. */
export function shortTypeName(goName: string): string {
  return goName.slice(goName.lastIndexOf("/") + 1);
}

/** `k8s.io/api/core/v1.Pod` → `Pod`. */
export function bareTypeName(goName: string): string {
  return goName.slice(goName.lastIndexOf(".") + 1);
}

const SCALAR_NAMES: Readonly<Record<string, string>> = {
  bool: "bool",
  bytes: "[]uint8",
  quantity: "resource.Quantity",
  intOrString: "intstr.IntOrString",
  time: "v1.Time",
  microTime: "v1.MicroTime",
  duration: "v1.Duration",
  raw: "runtime.RawExtension",
  fieldsV1: "v1.FieldsV1",
};

/** Go's name of a type as `reflect.Type.String()` prints it: `map[string]string`, `[]v1.Port`. */
export function goTypeName(type: TypeSchema): string {
  switch (type.kind) {
    case "struct":
      return shortTypeName(type.name);
    case "string":
      return type.goName === undefined ? "string" : shortTypeName(type.goName);
    case "int":
      return `${type.unsigned === true ? "uint" : "int"}${type.bits}`;
    case "float":
      return `float${type.bits}`;
    case "list":
      if (type.goName !== undefined) return shortTypeName(type.goName);
      return `[]${type.elemPointer === true ? "*" : ""}${goTypeName(type.elem)}`;
    case "map": {
      if (type.goName !== undefined) return shortTypeName(type.goName);
      const key = type.keyGoName === undefined ? "string" : shortTypeName(type.keyGoName);
      return `map[${key}]${goTypeName(type.value)}`;
    }
    case "json":
      return type.goName === undefined ? "interface {}" : shortTypeName(type.goName);
    default:
      return SCALAR_NAMES[type.kind] ?? type.kind;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what Go escapes
const NEEDS_QUOTE = /[\u0000-\u001f"\\\u007f-\u00a0\u00ad\u2028\u2029\ufffd\ufeff]/g;

/** Go's strconv.Quote, for the characters that occur in names and small texts. */
export function goQuote(text: string): string {
  const escaped = text.replace(NEEDS_QUOTE, (character) => {
    const known = ESCAPES[character];
    if (known !== undefined) return known;
    const code = character.charCodeAt(0);
    if (code === 0xfffd) return character;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `"${escaped}"`;
}
