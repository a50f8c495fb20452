/**
 * application/strategic-merge-patch+json.
 * Upstream: apiserver/pkg/endpoints/handlers/patch.go (strategicPatchObject).
 */
import type { JsonObject } from "../../../apimachinery/runtime/json.ts";
import type { FieldValidation } from "../../../apimachinery/runtime/json-decode.ts";
import type { StructSchema } from "../../../apimachinery/runtime/type-schema.ts";
import { decodeObjectPatch } from "../patch-body.ts";
import { mergeMap } from "./merge.ts";

export { mergeMap as strategicMerge } from "./merge.ts";

export interface StrategicallyPatched {
  readonly document: JsonObject;
  /** The decoded patch: upstream prints it when the result does not decode. */
  readonly patch: JsonObject;
  readonly strictErrors: readonly string[];
}

/**
 * The object with the patch merged in by its type's strategies. The result shares what is unchanged
 * with `original` and must not be written to. Throws StatusError: 400 for a body that is no patch or
 * directives without meaning, 422 for lists of lists, 500 where upstream leaves errors unstructured.
 */
export function applyStrategicMergePatch(
  original: JsonObject,
  body: Uint8Array | string,
  schema: StructSchema,
  fieldValidation: FieldValidation,
): StrategicallyPatched {
  const { patch, strictErrors } = decodeObjectPatch(body, fieldValidation, "");
  const decoded = patch ?? {};
  const document = mergeMap(original, decoded, schema) as JsonObject;
  return { document, patch: decoded, strictErrors };
}
