/**
 * Custom resources of one version: what the schema says is the rule.
 * Upstream: apiextensions-apiserver/pkg/registry/customresource/{strategy,status_strategy,validator}.go.
 */
import { forbidden } from "../../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../../apimachinery/meta/types.ts";
import {
  apiVersionOf,
  type GroupResource,
  type GroupVersionKind,
} from "../../../apimachinery/runtime/gvk.ts";
import type { JsonObject, JsonValue } from "../../../apimachinery/runtime/json.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import { type ErrorList, invalid } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { validateListTypes } from "../../../apis/apiextensions/list-values.ts";
import { validateEmbedded } from "../../../apis/apiextensions/object-meta.ts";
import type { Schema } from "../../../apis/apiextensions/schema.ts";
import { validateSchemaValue } from "../../../apis/apiextensions/schema-values.ts";
import type { Strategy } from "../../rest/strategy.ts";

export interface CustomResourceRules {
  readonly of: GroupResource;
  readonly kind: GroupVersionKind;
  readonly schema: Schema | undefined;
  readonly hasStatus: boolean;
  /** The definition is being deleted. */
  readonly isTerminating: boolean;
  /** `.spec.replicas` and the like, without a scale subresource undefined. */
  readonly scale: { readonly specReplicas: string; readonly statusReplicas: string } | undefined;
}

const INT32_MAX = 2 ** 31 - 1;

export function customResourceStrategy(rules: CustomResourceRules): Strategy {
  const { hasStatus } = rules;
  return {
    validateName: nameIsDNSSubdomain,
    allowUnconditionalUpdate: false,
    ...(hasStatus ? { resetFields: ["status"] } : {}),
    prepareForCreate(_context, object) {
      if (rules.isTerminating) {
        const why = "create not allowed while custom resource definition is terminating";
        throw forbidden(rules.of, metadataOf(object).name ?? "", why);
      }
      if (hasStatus) delete (object as JsonObject)["status"];
      metadataOf(object).generation = 1;
    },
    validate: (_context, object) => validateCustom(rules, object),
    prepareForUpdate(_context, object, old) {
      if (hasStatus) copyStatus(object, old);
      const before = metadataOf(old).generation ?? 0;
      const isSame = semanticDeepEqual(counted(object, hasStatus), counted(old, hasStatus));
      metadataOf(object).generation = isSame ? before : before + 1;
      if (metadataOf(object).generation === 0) delete metadataOf(object).generation;
    },
    validateUpdate: (_context, object, old) => validateCustom(rules, object, old),
    ...(hasStatus ? { subresources: { status: statusStrategy(rules) } } : {}),
  };
}

function statusStrategy(rules: CustomResourceRules) {
  return {
    prepareForUpdate(_context: unknown, object: KubeObject, old: KubeObject) {
      const { managedFields } = metadataOf(object);
      const status = (object as JsonObject)["status"];
      for (const name of Object.keys(object)) delete (object as JsonObject)[name];
      Object.assign(object, structuredClone(old));
      if (status === undefined) delete (object as JsonObject)["status"];
      else (object as JsonObject)["status"] = status;
      if (managedFields === undefined) delete metadataOf(object).managedFields;
      else metadataOf(object).managedFields = managedFields;
    },
    validateUpdate: (_context: unknown, object: KubeObject, old: KubeObject) =>
      validateCustom(rules, object, old),
    // Upstream's list, by name: everything at the top but status.
    resetFields: ["spec", "metadata"],
    allowUnconditionalUpdate: false,
  };
}

function copyStatus(object: KubeObject, old: KubeObject): void {
  const status = (old as JsonObject)["status"];
  if (status === undefined) delete (object as JsonObject)["status"];
  else (object as JsonObject)["status"] = status;
}

/** What a change of makes a new generation. */
function counted(object: KubeObject, hasStatus: boolean): JsonObject {
  const { metadata: _metadata, ...rest } = object as JsonObject;
  if (hasStatus) delete rest["status"];
  return rest;
}

function validateCustom(
  rules: CustomResourceRules,
  object: KubeObject,
  old?: KubeObject,
): ErrorList {
  const { schema, scale } = rules;
  const errors: ErrorList = [];
  const value = object as unknown as JsonObject;
  const { kind } = rules;
  if (object.kind !== kind.kind) {
    errors.push(invalid("kind", object.kind ?? "", `must be ${kind.kind}`));
  }
  const apiVersion = apiVersionOf(kind);
  if (object.apiVersion !== apiVersion) {
    errors.push(invalid("apiVersion", object.apiVersion ?? "", `must be ${apiVersion}`));
  }
  if (scale !== undefined) errors.push(...validateReplicas(value, scale));
  if (schema === undefined) return errors;
  const before = old as unknown as JsonObject | undefined;
  errors.push(...validateSchemaValue(value, schema, undefined, "", before));
  errors.push(...validateEmbedded(value, schema));
  const twice = validateListTypes(value, schema);
  // Duplicates that were there before do not stop an update.
  const wereThere =
    twice.length > 0 && before !== undefined && validateListTypes(before, schema).length > 0;
  if (!wereThere) errors.push(...twice);
  return errors;
}

/** The value at `.spec.replicas`; undefined when there is none. */
export function valueAt(object: JsonObject, path: string): JsonValue | undefined {
  let value: JsonValue | undefined = object;
  for (const name of path.replace(/^\./, "").split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return value;
}

function validateReplicas(
  object: JsonObject,
  { specReplicas, statusReplicas }: NonNullable<CustomResourceRules["scale"]>,
): ErrorList {
  const errors: ErrorList = [];
  for (const path of [specReplicas, statusReplicas]) {
    const value = valueAt(object, path);
    if (typeof value !== "number" || !Number.isInteger(value)) continue;
    if (value < 0) errors.push(invalid(path, value, "should be a non-negative integer"));
    if (value > INT32_MAX) {
      errors.push(invalid(path, value, `should be less than or equal to ${INT32_MAX}`));
    }
  }
  return errors;
}
