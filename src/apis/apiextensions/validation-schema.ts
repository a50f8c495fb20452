/**
 * The OpenAPI schema of a custom resource's version.
 * Upstream: apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go.
 */
import type { JsonValue } from "../../apimachinery/runtime/json.ts";
import { semanticDeepEqual } from "../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../apimachinery/validation/field.ts";
import type { CelType } from "../cel/types.ts";
import { goStruct } from "../validation/common.ts";
import { childrenMax, SchemaCosts } from "./cel-costs.ts";
import { celTypeOf, checkRule, countMax } from "./cel-types.ts";
import { pruned } from "./pruning.ts";
import {
  additionalSchema,
  followFieldPath,
  isEmbedded,
  itemsSchema,
  itemsSchemas,
  type Schema,
  structuralProblem,
} from "./schema.ts";
import { validateSchemaValue } from "./schema-values.ts";
import { validateStructural } from "./structural.ts";
import type { ValidationRule } from "./v1/types.ts";
import { validateListType, validateMapListKeysMapSet } from "./validation-list-types.ts";

/** What the stored object, if any, leaves to enforce. */
export interface SchemaOptions {
  readonly requireStructuralSchema: boolean;
  readonly requireValidPropertyType: boolean;
  readonly requirePrunedDefaults: boolean;
  readonly requireAtomicSetType: boolean;
  readonly requireMapListKeysMapSetValidation: boolean;
  /** Whether a version's schema is the stored one, whose rules may stay what they cost. */
  readonly isUnchanged: (version: string) => boolean;
}

/** How the place in the schema restricts it. */
interface Place {
  readonly isRoot: boolean;
  readonly insideMeta: boolean;
  /** Why defaults are forbidden here. */
  readonly noDefaults: string | undefined;
  /** The highest ancestor whose items or properties cannot be matched between two revisions. */
  readonly uncorrelatable: Path | undefined;
  /** Whether rules are compiled here: not inside allOf and the like, nor in bad schemas. */
  readonly cel: boolean;
  /** How many such values an object has at most; undefined: only the request's size bounds them. */
  readonly valuesMax: number | undefined;
  readonly costs: SchemaCosts;
}

export const OPENAPI_TYPES = ["array", "boolean", "integer", "number", "object", "string"];

/** Fields of a root schema besides which status would not be validated any more. */
const ROOT_FIELDS: readonly (keyof Schema)[] = [
  "description",
  "type",
  "format",
  "title",
  "maximum",
  "exclusiveMaximum",
  "minimum",
  "exclusiveMinimum",
  "maxLength",
  "minLength",
  "pattern",
  "maxItems",
  "minItems",
  "uniqueItems",
  "multipleOf",
  "required",
  "items",
  "properties",
  "externalDocs",
  "example",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
];
const ROOT_FIELDS_TEXT =
  "[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]";

/** Errors of the schema of one version, or of all versions (`version` undefined). */
export function validateCustomResourceValidation(
  validation: { readonly openAPIV3Schema?: Schema | undefined } | undefined,
  statusEnabled: boolean,
  options: SchemaOptions,
  at: Path,
  version?: string,
): ErrorList {
  const schema = validation?.openAPIV3Schema;
  if (schema === undefined) return [];
  const path = at.child("openAPIV3Schema");
  const errors = statusEnabled ? validateRootFields(schema, path) : [];
  if (schema.nullable) {
    errors.push(forbidden(path.child("nullable"), "nullable cannot be true at the root"));
  }
  let cel = false;
  const problem = options.requireStructuralSchema ? structuralProblem(schema) : undefined;
  if (options.requireStructuralSchema && problem === undefined) {
    const structural = validateStructural(schema, path);
    const defaults =
      structural.length > 0 ? [] : validateDefaults(schema, options.requirePrunedDefaults, path);
    errors.push(...structural, ...defaults);
    cel = structural.length === 0 && defaults.length === 0;
  }
  const costs = new SchemaCosts(version === undefined || !options.isUnchanged(version));
  const place = {
    isRoot: true,
    insideMeta: false,
    noDefaults: undefined,
    uncorrelatable: undefined,
    cel,
    valuesMax: 1,
    costs,
  };
  const { schemaErrors, celErrors } = validateSchema(schema, place, options, path);
  errors.push(...schemaErrors, ...celErrors, ...costs.sumErrors(path));
  if (errors.length === 0 && problem !== undefined) errors.push(invalid(path, "", problem));
  return errors;
}

function validateRootFields(schema: Schema, at: Path): ErrorList {
  const only = "if the status subresource is enabled";
  for (const [name, value] of Object.entries(schema)) {
    if (value === undefined || value === false || value === "") continue;
    if (name === "type" && value !== "object") {
      const detail = `only "object" is allowed as the type at the root of the schema ${only}`;
      return [invalid(at.child("type"), value, detail)];
    }
    if (ROOT_FIELDS.includes(name as keyof Schema)) continue;
    const printed = goStruct(
      schema,
      "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.JSONSchemaProps",
    );
    const detail = `only ${ROOT_FIELDS_TEXT} fields are allowed at the root of the schema ${only}`;
    return [invalid(at, printed, detail)];
  }
  return [];
}

/** Upstream: pkg/apiserver/schema/defaulting/validation.go; CEL rules are not run on defaults. */
function validateDefaults(schema: Schema, isPruned: boolean, at: Path): ErrorList {
  const errors: ErrorList = [];
  const path = at.child("default");
  const value = schema.default as JsonValue | undefined;
  if (value !== undefined && value !== null) {
    if (isPruned && !semanticDeepEqual(pruned(value, schema), value)) {
      errors.push(invalid(path, value, "must not have unknown fields"));
    }
    errors.push(...validateSchemaValue(value, schema, path));
  }
  const items = itemsSchema(schema);
  if (items !== undefined) errors.push(...validateDefaults(items, isPruned, at.child("items")));
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    errors.push(...validateDefaults(property, isPruned, at.child("properties").key(name)));
  }
  return errors;
}

interface Found {
  readonly schemaErrors: ErrorList;
  readonly celErrors: ErrorList;
}

function validateSchema(schema: Schema, place: Place, options: SchemaOptions, at: Path): Found {
  const found: Found = { schemaErrors: validateOpenAPI(schema, place, options, at), celErrors: [] };
  const errors = found.schemaErrors;
  const valuesMax = childrenMax(schema, place.valuesMax);
  if (schema.uniqueItems) {
    const detail =
      "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(at.child("uniqueItems"), detail));
  }
  const visit = (child: Schema | undefined, path: Path, change: Partial<Place>) => {
    if (child === undefined) return;
    const inside = { ...place, isRoot: false, valuesMax, ...change };
    const inner = validateSchema(child, inside, options, path);
    errors.push(...inner.schemaErrors);
    found.celErrors.push(...inner.celErrors);
  };
  visitStructure(schema, place, at, errors, visit);
  visitCombinations(schema, at, visit);
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    const path = at.child("x-kubernetes-preserve-unknown-fields");
    errors.push(invalid(path, false, "must be true or undefined"));
  }
  errors.push(...validateListType(schema, options.requireAtomicSetType, at));
  if (options.requireMapListKeysMapSetValidation) {
    errors.push(...validateMapListKeysMapSet(schema, at));
  }
  const rules = schema["x-kubernetes-validations"] ?? [];
  const rulesAt = at.child("x-kubernetes-validations");
  for (const [i, rule] of rules.entries()) {
    errors.push(...validateRule(rule, schema, rulesAt.index(i)));
  }
  if (errors.length > 0 || !place.cel || rules.length === 0) return found;
  const isResource = place.isRoot || isEmbedded(schema);
  const self = celTypeOf(schema, isResource);
  const times = place.valuesMax ?? countMax(schema, isResource);
  for (const [i, rule] of rules.entries()) {
    found.celErrors.push(...compileRule(rule, self, place, times, rulesAt.index(i)));
  }
  return found;
}

type Visit = (child: Schema | undefined, path: Path, change: Partial<Place>) => void;

function visitStructure(
  schema: Schema,
  place: Place,
  at: Path,
  errors: ErrorList,
  visit: Visit,
): void {
  const { additionalProperties: additional, properties = {} } = schema;
  if (additional !== undefined) {
    const path = at.child("additionalProperties");
    if (Object.keys(properties).length > 0 && additional !== true) {
      errors.push(forbidden(path, "additionalProperties and properties are mutual exclusive"));
    }
    const noDefaults = "inside additionalProperties applying to object metadata";
    visit(additionalSchema(schema), path, place.insideMeta ? { noDefaults } : {});
  }
  const isAtomic = schema["x-kubernetes-map-type"] === "atomic";
  for (const [name, property] of Object.entries(properties)) {
    const isMeta =
      (place.isRoot || isEmbedded(schema)) && ["metadata", "kind", "apiVersion"].includes(name);
    visit(property, at.child("properties").key(name), {
      uncorrelatable: place.uncorrelatable ?? (isAtomic ? at : undefined),
      insideMeta: place.insideMeta || isMeta,
      noDefaults: isMeta && place.isRoot ? `in top-level ${name}` : place.noDefaults,
    });
  }
  const isMap = schema["x-kubernetes-list-type"] === "map";
  const uncorrelatable = place.uncorrelatable ?? (isMap ? undefined : at);
  visit(itemsSchema(schema), at.child("items"), { uncorrelatable });
  for (const [i, item] of itemsSchemas(schema).entries()) {
    visit(item, at.child("items").index(i), { uncorrelatable });
  }
}

function visitCombinations(schema: Schema, at: Path, visit: Visit): void {
  visit(schema.not, at.child("not"), { cel: false });
  for (const name of ["allOf", "oneOf", "anyOf"] as const) {
    for (const [i, one] of (schema[name] ?? []).entries()) {
      visit(one, at.child(name).index(i), { cel: false });
    }
  }
  for (const [name, one] of Object.entries(schema.definitions ?? {})) {
    visit(one, at.child("definitions").key(name), { cel: false });
  }
}

/** What CRDs do not support of OpenAPI. Upstream: specStandardValidatorV3.validate. */
function validateOpenAPI(
  schema: Schema,
  place: Place,
  options: SchemaOptions,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const { type = "" } = schema;
  if (options.requireValidPropertyType && type !== "" && !OPENAPI_TYPES.includes(type)) {
    errors.push(notSupported(at.child("type"), type, OPENAPI_TYPES));
  }
  if (schema.default !== undefined && place.noDefaults !== undefined) {
    errors.push(forbidden(at.child("default"), `must not be set ${place.noDefaults}`));
  }
  const unsupported: readonly (readonly [string, boolean])[] = [
    ["id", Boolean(schema.id)],
    ["additionalItems", schema.additionalItems !== undefined],
    ["patternProperties", Object.keys(schema.patternProperties ?? {}).length > 0],
    ["definitions", Object.keys(schema.definitions ?? {}).length > 0],
    ["dependencies", schema.dependencies !== undefined],
    ["$ref", schema.$ref !== undefined],
  ];
  for (const [name, isSet] of unsupported) {
    if (isSet) errors.push(forbidden(at.child(name), `${name} is not supported`));
  }
  if (type === "null") {
    const detail = "type cannot be set to null, use nullable as an alternative";
    errors.push(forbidden(at.child("type"), detail));
  }
  if (itemsSchemas(schema).length > 0) {
    errors.push(forbidden(at.child("items"), "items must be a schema object and not an array"));
  }
  if (place.insideMeta && schema["x-kubernetes-embedded-resource"]) {
    const path = at.child("x-kubernetes-embedded-resource");
    errors.push(forbidden(path, "must not be used inside of resource meta"));
  }
  return errors;
}

const REASONS = [
  "FieldValueDuplicate",
  "FieldValueForbidden",
  "FieldValueInvalid",
  "FieldValueRequired",
];

function validateRule(rule: ValidationRule, schema: Schema, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { message = "", messageExpression = "", fieldPath = "", reason } = rule;
  const text = (rule.rule ?? "").trim();
  const hasBreak = (value: string) => /[\n\r]/.test(value);
  if (text === "") errors.push(required(at.child("rule"), "rule is not specified"));
  else if (message !== "" && message.trim() === "") {
    errors.push(invalid(at.child("message"), message, "must be non-empty if specified"));
  } else if (hasBreak(message.trim())) {
    errors.push(invalid(at.child("message"), message, "must not contain line breaks"));
  } else if (hasBreak(text) && message.trim() === "") {
    const detail = "message must be specified if rule contains line breaks";
    errors.push(required(at.child("message"), detail));
  }
  if (messageExpression !== "" && messageExpression.trim() === "") {
    const detail = "messageExpression must be non-empty if specified";
    errors.push(required(at.child("messageExpression"), detail));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(at.child("reason"), reason, REASONS));
  }
  if (fieldPath === "") return errors;
  const path = at.child("fieldPath");
  if (fieldPath.trim() === "") {
    errors.push(invalid(path, fieldPath, "must be non-empty if specified"));
  }
  if (hasBreak(fieldPath)) errors.push(invalid(path, fieldPath, "must not contain line breaks"));
  const followed = structuralProblem(schema) === undefined;
  if (followed && "problem" in followFieldPath(fieldPath, schema, true)) {
    errors.push(invalid(path, fieldPath, "must be a valid path"));
  }
  return errors;
}

/** `times`: how often the rule runs for one object at most. */
function compileRule(
  rule: ValidationRule,
  self: CelType | undefined,
  { uncorrelatable, costs }: Place,
  times: number,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const ruleAt = at.child("rule");
  const messageAt = at.child("messageExpression");
  const printed = () =>
    goStruct(rule, "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.ValidationRule");
  const checked = checkRule(rule, self);
  const { ruleProblem, messageProblem, message, usesOldSelf } = checked;
  if (ruleProblem === undefined) {
    const cost = checked.rule.estimate().max;
    errors.push(...costs.observe("estimated rule cost", ruleAt, cost === 0 ? 0 : cost * times));
  } else errors.push(invalid(ruleAt, printed(), ruleProblem));
  if (messageProblem !== undefined) errors.push(invalid(messageAt, printed(), messageProblem));
  else if (message !== undefined) {
    const name = "estimated messageExpression cost";
    errors.push(...costs.observe(name, messageAt, message.estimate().max));
  }
  if (usesOldSelf && uncorrelatable !== undefined) {
    const lead = "oldSelf cannot be used on the uncorrelatable portion of the schema within";
    errors.push(invalid(ruleAt, rule.rule ?? "", `${lead} ${uncorrelatable}`));
  }
  if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
    const detail = "may not be set if oldSelf is not used in rule";
    errors.push(invalid(at.child("optionalOldSelf"), rule.optionalOldSelf, detail));
  }
  return errors;
}
