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
import { type ErrorList, invalid, Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { hasRules, validateRules } from "../../../apis/apiextensions/cel-rules.ts";
import { validateListTypes } from "../../../apis/apiextensions/list-values.ts";
import { validateEmbedded } from "../../../apis/apiextensions/object-meta.ts";
import type { Schema } from "../../../apis/apiextensions/schema.ts";
import { validateSchemaValue } from "../../../apis/apiextensions/schema-values.ts";
import type { Strategy, StrategyContext } from "../../rest/strategy.ts";

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
    validate: (context, object) => validateCustom(rules, context, object),
    prepareForUpdate(_context, object, old) {
      if (hasStatus) copyStatus(object, old);
      const before = metadataOf(old).generation ?? 0;
      const isSame = semanticDeepEqual(counted(object, hasStatus), counted(old, hasStatus));
      metadataOf(object).generation = isSame ? before : before + 1;
      if (metadataOf(object).generation === 0) delete metadataOf(object).generation;
    },
    validateUpdate: (context, object, old) => validateCustom(rules, context, object, old),
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
    validateUpdate: (context: StrategyContext, object: KubeObject, old: KubeObject) =>
      validateStatus(rules, context, object, old),
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
  context: StrategyContext,
  object: KubeObject,
  old?: KubeObject,
): ErrorList {
  const value = object as unknown as JsonObject;
  const before = old as unknown as JsonObject | undefined;
  const errors = validateTypeMeta(rules.kind, object);
  const { schema, scale } = rules;
  if (schema !== undefined) {
    errors.push(...validateSchemaValue(value, schema, undefined, "", before));
  }
  if (scale !== undefined) {
    errors.push(...validateReplicas(value, scale.specReplicas));
    errors.push(...validateReplicas(value, scale.statusReplicas));
  }
  errors.push(...validateStructure(rules, value, before));
  return [...errors, ...expressionErrors(rules, context, errors, value, before)];
}

/** Of a status, errors are told without the rest of the object. */
function validateStatus(
  rules: CustomResourceRules,
  context: StrategyContext,
  object: KubeObject,
  old: KubeObject,
): ErrorList {
  const value = object as unknown as JsonObject;
  const before = old as unknown as JsonObject;
  const errors = validateTypeMeta(rules.kind, object);
  const { schema, scale } = rules;
  const own = schema?.properties?.["status"];
  const { status } = value;
  if (own !== undefined && status !== undefined) {
    const at = Path.root("status");
    errors.push(...validateSchemaValue(status, own, at, "", before["status"]));
  }
  if (scale !== undefined) errors.push(...validateReplicas(value, scale.statusReplicas));
  errors.push(...validateStructure(rules, value, before));
  return [...errors, ...expressionErrors(rules, context, errors, value, before)];
}

function validateTypeMeta(kind: GroupVersionKind, object: KubeObject): ErrorList {
  const errors: ErrorList = [];
  if (object.kind !== kind.kind) {
    errors.push(invalid("kind", object.kind ?? "", `must be ${kind.kind}`));
  }
  const apiVersion = apiVersionOf(kind);
  if (object.apiVersion !== apiVersion) {
    errors.push(invalid("apiVersion", object.apiVersion ?? "", `must be ${apiVersion}`));
  }
  return errors;
}

/** What says that the rules were not asked. */
const BLOCKED =
  "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
const BLOCKING = new Set(["NotSupported", "Required", "TooLong", "TooMany", "TypeInvalid"]);

/** The rules of x-kubernetes-validations see objects whose values have the types they expect. */
function expressionErrors(
  { schema }: CustomResourceRules,
  context: StrategyContext,
  errors: ErrorList,
  value: JsonObject,
  before: JsonObject | undefined,
): ErrorList {
  if (schema === undefined || !hasRules(schema)) return [];
  if (errors.some(({ type }) => BLOCKING.has(type))) return [invalid("<nil>", null, BLOCKED)];
  return validateRules(value, schema, before, context.addWarning);
}

/** What does not follow from the types of values: embedded objects, sets and maps. */
function validateStructure(
  { schema }: CustomResourceRules,
  value: JsonObject,
  before: JsonObject | undefined,
): ErrorList {
  if (schema === undefined) return [];
  const errors = validateEmbedded(value, schema);
  const twice = validateListTypes(value, schema);
  // Duplicates that were there before do not stop an update.
  const wereThere =
    twice.length > 0 && before !== undefined && validateListTypes(before, schema).length > 0;
  return wereThere ? errors : [...errors, ...twice];
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

/** Upstream: unstructured.NestedInt64, whose errors say what it met. */
function validateReplicas(object: JsonObject, path: string): ErrorList {
  let value: JsonValue | undefined = object;
  const wrong = (wanted: string) => {
    const detail = `${path} accessor error: ${goText(value)} is of the type ${goTypeOf(value)}, expected ${wanted}`;
    return [invalid(path, 0, detail)];
  };
  for (const name of path.replace(/^\./, "").split(".")) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return wrong("map[string]interface{}");
    }
    value = Object.hasOwn(value, name) ? value[name] : undefined;
    if (value === undefined) return [];
  }
  if (typeof value === "bigint") {
    return [invalid(path, value, `should be less than or equal to ${INT32_MAX}`)];
  }
  if (typeof value !== "number" || !Number.isInteger(value)) return wrong("int64");
  if (value < 0) return [invalid(path, value, "should be a non-negative integer")];
  if (value <= INT32_MAX) return [];
  return [invalid(path, value, `should be less than or equal to ${INT32_MAX}`)];
}

function goTypeOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  if (Array.isArray(value)) return "[]interface {}";
  return typeof value === "object" ? "map[string]interface {}" : "string";
}

/** Go's %v. */
function goText(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${members.map(([name, member]) => `${name}:${goText(member)}`).join(" ")}]`;
}
