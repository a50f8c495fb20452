/** The YAML form of API objects: by way of JSON, as sigs.k8s.io/yaml does. */
import {
  type Decoded,
  decodeJson,
  type FieldValidation,
  interpretTypeMeta,
} from "./json-decode.ts";
import type { StructSchema } from "./type-schema.ts";
import { yamlToJson } from "./yaml-decode.ts";

export { yamlToJson } from "./yaml-decode.ts";
export { encodeYaml } from "./yaml-encode.ts";

/** As decodeJson, of a YAML body. Keys that are set twice are a strict error too. */
export function decodeYaml(
  body: Uint8Array | string,
  schema: StructSchema,
  options: { readonly strict: FieldValidation },
): Decoded {
  const { json, strictErrors } = yamlToJson(body);
  const decoded = decodeJson(json, schema, options);
  if (options.strict === "Ignore" || strictErrors.length === 0) return decoded;
  return { ...decoded, strictErrors: [...strictErrors, ...decoded.strictErrors] };
}

/** As interpretTypeMeta, of a YAML body. */
export function interpretYamlTypeMeta(body: Uint8Array | string) {
  return interpretTypeMeta(yamlToJson(body).json);
}
