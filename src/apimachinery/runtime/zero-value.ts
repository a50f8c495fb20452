/** Go's zero values, as an element or a map's value shows them. */
import type { JsonValue } from "./json.ts";
import type { TypeSchema } from "./type-schema.ts";

/** What a null element becomes: absence has no meaning inside a list or a map. */
export function zeroOf(type: TypeSchema): JsonValue {
  switch (type.kind) {
    case "string":
    case "bytes":
      return "";
    case "bool":
      return false;
    case "int":
    case "float":
    case "intOrString":
      return 0;
    case "quantity":
      return "0";
    case "duration":
      return "0s";
    case "struct":
      return {};
    default:
      return null;
  }
}
