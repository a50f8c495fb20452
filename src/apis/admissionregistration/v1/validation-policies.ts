/**
 * Admission policies and their bindings.
 * Upstream: pkg/apis/admissionregistration/validation/validation.go.
 */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import {
  validateConditions,
  validateLabelSelector,
} from "../../../apimachinery/validation/labels.ts";
import {
  byteLength,
  isDNS1035Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isQualifiedName,
} from "../../../apimachinery/validation/names.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { CelType } from "../../cel/types.ts";
import { compileExpression, type ExpressionScope } from "../cel-environment.ts";
import type {
  AuditAnnotation,
  MatchResources,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBindingSpec,
  Mutation,
  ParamKind,
  ParamRef,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicyStatus,
  Validation,
  Variable,
} from "./types.ts";
import {
  FAILURE_POLICIES,
  validateExpression,
  validateMatchConditions,
  validateMatchResources,
} from "./validation-rules.ts";

type ValidatingPolicy = Omit<ValidatingAdmissionPolicy, "metadata"> & KubeObject;
type MutatingPolicy = Omit<MutatingAdmissionPolicy, "metadata"> & KubeObject;

const MAX_AUDIT_ANNOTATIONS = 20;
const MAX_VALUE_EXPRESSION = 5 * 1024;
const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];
const SPEC = Path.root("spec");
/** A MutatingAdmissionPolicy cannot match DELETE. */
const MUTATING_OPERATIONS = ["*", "CONNECT", "CREATE", "UPDATE"];

/** Errors of a ValidatingAdmissionPolicy beyond its metadata; `old` as stored, on updates. */
export function validateValidatingAdmissionPolicy(
  policy: ValidatingPolicy,
  old?: ValidatingPolicy,
): ErrorList {
  const { spec = {} } = policy;
  const errors = validateCommon(spec, old?.spec);
  const scope = scopeOf(spec, errors);
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = "validations or auditAnnotations must contain at least one item";
    return [
      ...errors,
      required(SPEC.child("validations"), detail),
      required(SPEC.child("auditAnnotations"), detail),
    ];
  }
  for (const [i, validation] of validations.entries()) {
    errors.push(...validateValidation(validation, scope, SPEC.child("validations").index(i)));
  }
  const at = SPEC.child("auditAnnotations");
  if (auditAnnotations.length > MAX_AUDIT_ANNOTATIONS) {
    const detail = `must not have more than ${MAX_AUDIT_ANNOTATIONS} auditAnnotations`;
    errors.push(invalid(at, auditAnnotations, detail));
  }
  const keys = new Set<string>();
  const name = policy.metadata?.name ?? "";
  for (const [i, annotation] of auditAnnotations.entries()) {
    errors.push(...validateAuditAnnotation(name, annotation, scope, at.index(i)));
    const key = annotation.key ?? "";
    if (keys.has(key)) errors.push(duplicate(at.index(i).child("key"), key));
    keys.add(key);
  }
  return errors;
}

/** Errors of a MutatingAdmissionPolicy beyond its metadata; `old` as stored, on updates. */
export function validateMutatingAdmissionPolicy(
  policy: MutatingPolicy,
  old?: MutatingPolicy,
): ErrorList {
  const { spec = {} } = policy;
  const errors = validateCommon(spec, old?.spec, MUTATING_OPERATIONS);
  const scope = scopeOf(spec, errors);
  const mutations = spec.mutations ?? [];
  const at = SPEC.child("mutations");
  if (mutations.length === 0) {
    errors.push(required(at, "mutations must contain at least one item"));
  }
  for (const [i, mutation] of mutations.entries()) {
    errors.push(...validateMutation(mutation, { ...scope, patches: true }, at.index(i)));
  }
  const policies = ["IfNeeded", "Never"];
  const path = SPEC.child("reinvocationPolicy");
  const reinvocation = spec.reinvocationPolicy ?? "";
  if (reinvocation === "") errors.push(required(path));
  else if (!policies.includes(reinvocation)) {
    errors.push(notSupported(path, reinvocation, policies));
  }
  return errors;
}

type CommonSpec = Pick<
  NonNullable<MutatingPolicy["spec"]>,
  "failurePolicy" | "paramKind" | "matchConstraints" | "matchConditions" | "variables"
>;

function validateCommon(
  spec: CommonSpec,
  old: CommonSpec | undefined,
  operations?: readonly string[],
): ErrorList {
  const errors: ErrorList = [];
  const policy = spec.failurePolicy;
  const policyPath = SPEC.child("failurePolicy");
  if (policy === undefined) errors.push(required(policyPath));
  else if (!FAILURE_POLICIES.includes(policy)) {
    errors.push(notSupported(policyPath, policy, FAILURE_POLICIES));
  }
  if (spec.paramKind !== undefined) {
    errors.push(...validateParamKind(spec.paramKind, SPEC.child("paramKind")));
  }
  errors.push(...validateConstraints(spec.matchConstraints, operations));
  const unchanged =
    old !== undefined &&
    semanticDeepEqual(spec.paramKind, old.paramKind) &&
    semanticDeepEqual(spec.matchConditions, old.matchConditions);
  if (unchanged) return errors;
  const params = spec.paramKind !== undefined;
  const at = SPEC.child("matchConditions");
  return [...errors, ...validateMatchConditions(spec.matchConditions, params, at)];
}

function validateConstraints(
  match: MatchResources | undefined,
  operations: readonly string[] | undefined,
): ErrorList {
  const at = SPEC.child("matchConstraints");
  if (match === undefined) return [required(at)];
  const errors = validateMatchResources(match, at);
  const rules = match.resourceRules ?? [];
  if (rules.length === 0) errors.push(required(at.child("resourceRules")));
  if (operations === undefined) return errors;
  for (const [i, rule] of rules.entries()) {
    for (const [j, operation] of (rule.operations ?? []).entries()) {
      if (operations.includes(operation)) continue;
      const path = at.child("resourceRules").index(i).child("operations").index(j);
      errors.push(notSupported(path, operation, operations));
    }
  }
  return errors;
}

/** Checks the variables in turn, each seeing those before it; gives the scope of what follows. */
function scopeOf(spec: CommonSpec, errors: ErrorList): ExpressionScope {
  const scope = { params: spec.paramKind !== undefined, authorizer: true };
  const list = spec.variables ?? [];
  if (list.length === 0) return scope;
  const variables = new Map<string, CelType>();
  for (const [i, variable] of list.entries()) {
    const at = SPEC.child("variables").index(i);
    errors.push(...validateVariable(variable, { ...scope, variables }, at, variables));
  }
  return { ...scope, variables };
}

const CEL_RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

function validateVariable(
  { name = "", expression = "" }: Variable,
  scope: ExpressionScope,
  at: Path,
  variables: Map<string, CelType>,
): ErrorList {
  const errors: ErrorList = [];
  if (name.trim() === "") errors.push(required(at.child("name"), "name is not specified"));
  else if (!/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) || CEL_RESERVED.has(name)) {
    errors.push(invalid(at.child("name"), name, "must be a valid CEL identifier"));
  }
  if (expression.trim() === "") {
    return [...errors, required(at.child("expression"), "expression is not specified")];
  }
  const { problem, type } = compileExpression(expression, scope);
  if (problem !== undefined) errors.push(invalid(at.child("expression"), expression, problem));
  variables.set(name, type);
  return errors;
}

function validateParamKind({ apiVersion = "", kind = "" }: ParamKind, at: Path): ErrorList {
  const errors: ErrorList = [];
  const path = at.child("apiVersion");
  const parts = apiVersion.split("/");
  const [group, version] = parts.length === 1 ? ["", apiVersion] : [parts[0] ?? "", parts[1] ?? ""];
  if (apiVersion === "") errors.push(required(path));
  else if (parts.length > 2) {
    errors.push(invalid(path, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  } else {
    const wrongGroup = group === "" ? [] : isDNS1123Subdomain(group);
    if (wrongGroup.length > 0) errors.push(invalid(path, group, wrongGroup.join(",")));
    const wrongVersion = version === "" ? [] : isDNS1035Label(version);
    if (version === "") errors.push(invalid(path, apiVersion, "version must be specified"));
    if (wrongVersion.length > 0) errors.push(invalid(path, version, wrongVersion.join(",")));
  }
  const wrongKind = isDNS1035Label(kind.toLowerCase());
  if (kind === "") errors.push(required(at.child("kind")));
  else if (wrongKind.length > 0) {
    const lead = "may have mixed case, but should otherwise match: ";
    errors.push(invalid(at.child("kind"), kind, lead + wrongKind.join(",")));
  }
  return errors;
}

function validateValidation(validation: Validation, scope: ExpressionScope, at: Path): ErrorList {
  const { expression = "", message = "", messageExpression = "" } = validation;
  const errors: ErrorList = [];
  if (expression.trim() === "") {
    errors.push(required(at.child("expression"), "expression is not specified"));
  } else errors.push(...validateExpression(expression, scope, ["bool"], at.child("expression")));
  const path = at.child("messageExpression");
  if (messageExpression !== "" && messageExpression.trim() === "") {
    errors.push(invalid(path, messageExpression, "must be non-empty if specified"));
  } else if (messageExpression !== "") {
    const noAuthorizer = { ...scope, authorizer: false };
    errors.push(...validateExpression(messageExpression, noAuthorizer, ["string"], path));
  }
  if (message !== "" && message.trim() === "") {
    errors.push(invalid(at.child("message"), message, "must be non-empty if specified"));
  } else if (/[\n\r]/.test(message.trim())) {
    errors.push(invalid(at.child("message"), message, "must not contain line breaks"));
  } else if (/[\n\r]/.test(expression.trim()) && message.trim() === "") {
    const detail = "must be specified if expression contains line breaks";
    errors.push(required(at.child("message"), detail));
  }
  const { reason } = validation;
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(notSupported(at.child("reason"), reason, REASONS));
  }
  return errors;
}

function validateAuditAnnotation(
  policyName: string,
  { key = "", valueExpression = "" }: AuditAnnotation,
  scope: ExpressionScope,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const qualified = `${policyName}/${key}`;
  if (policyName === "") {
    errors.push(invalid(at.child("key"), key, "requires metadata.name be non-empty"));
  } else {
    for (const message of isQualifiedName(qualified)) {
      errors.push(invalid(at.child("key"), qualified, message));
    }
  }
  const text = valueExpression.trim();
  const path = at.child("valueExpression");
  if (text === "") errors.push(required(path, "valueExpression is not specified"));
  else if (byteLength(text) > MAX_VALUE_EXPRESSION) {
    errors.push(required(path, `must not exceed ${MAX_VALUE_EXPRESSION} bytes in length`));
  } else {
    for (const error of validateExpression(text, scope, ["string", "null_type"], path)) {
      errors.push({ ...error, value: valueExpression });
    }
  }
  return errors;
}

function validateMutation(mutation: Mutation, scope: ExpressionScope, at: Path): ErrorList {
  const { patchType = "", jsonPatch, applyConfiguration } = mutation;
  if (patchType === "") return [required(at.child("patchType"))];
  const own = patchType === "JSONPatch" ? "jsonPatch" : "applyConfiguration";
  const other = patchType === "JSONPatch" ? "applyConfiguration" : "jsonPatch";
  if (patchType !== "JSONPatch" && patchType !== "ApplyConfiguration") {
    const types = ["ApplyConfiguration", "JSONPatch"];
    return [notSupported(at.child("patchType"), patchType, types)];
  }
  const errors: ErrorList = [];
  const patch = own === "jsonPatch" ? jsonPatch : applyConfiguration;
  if (patch === undefined) {
    errors.push(required(at.child(own), `must be specified when patchType is ${patchType}`));
  } else {
    const text = (patch.expression ?? "").trim();
    const path = at.child(own, "expression");
    if (text === "") errors.push(required(path));
    else {
      const result = own === "jsonPatch" ? "list(JSONPatch)" : "Object";
      errors.push(...validateExpression(text, scope, [result], path));
    }
  }
  if (mutation[other] !== undefined) {
    const detail = `must not be specified when patchType is ${patchType}`;
    errors.push(invalid(at.child(other), `{${other}}`, detail));
  }
  return errors;
}

/** Errors of a ValidatingAdmissionPolicyBinding's spec. */
export function validateValidatingBinding(
  spec: ValidatingAdmissionPolicyBindingSpec = {},
): ErrorList {
  return [
    ...validateMutatingBinding(spec),
    ...validateActions(spec.validationActions ?? [], SPEC.child("validationActions")),
  ];
}

/** Errors of a MutatingAdmissionPolicyBinding's spec. */
export function validateMutatingBinding(spec: MutatingAdmissionPolicyBindingSpec = {}): ErrorList {
  const errors: ErrorList = [];
  const name = spec.policyName ?? "";
  const at = SPEC.child("policyName");
  if (name === "") errors.push(required(at));
  else {
    for (const message of nameIsDNSSubdomain(name, false)) errors.push(invalid(at, name, message));
  }
  return [
    ...errors,
    ...validateParamRef(spec.paramRef, SPEC.child("paramRef")),
    ...validateMatchResources(spec.matchResources, SPEC.child("matchResources")),
  ];
}

function validateActions(actions: readonly string[], at: Path): ErrorList {
  const errors: ErrorList = [];
  const supported = ["Audit", "Deny", "Warn"];
  const seen = new Set<string>();
  for (const [i, action] of actions.entries()) {
    if (!supported.includes(action)) errors.push(notSupported(at.index(i), action, supported));
    if (seen.has(action)) errors.push(duplicate(at.index(i), action));
    seen.add(action);
  }
  if (seen.has("Deny") && seen.has("Warn")) {
    const why =
      "repeating the same validation failure information in the API response and headers serves no purpose";
    errors.push(invalid(at, actions, `must not contain both Deny and Warn (${why})`));
  }
  if (seen.size === 0) errors.push(required(at, "at least one validation action is required"));
  return errors;
}

function validateParamRef(ref: ParamRef | undefined, at: Path): ErrorList {
  if (ref === undefined) return [];
  const errors: ErrorList = [];
  const { name = "", selector, parameterNotFoundAction: action = "" } = ref;
  const exclusive = "name and selector are mutually exclusive";
  if (name !== "") {
    for (const message of isPathSegmentName(name)) {
      errors.push(invalid(at.child("name"), name, message));
    }
    if (selector !== undefined) errors.push(forbidden(at.child("name"), exclusive));
  }
  if (selector !== undefined) {
    errors.push(...validateLabelSelector(selector, {}, at.child("selector")));
    if (name !== "") errors.push(forbidden(at.child("selector"), exclusive));
  }
  if (name === "" && selector === undefined) {
    errors.push(required(at, "one of name or selector must be specified"));
  }
  const path = at.child("parameterNotFoundAction");
  if (action === "") errors.push(required(path));
  else if (action !== "Deny" && action !== "Allow") {
    errors.push(notSupported(path, action, ["Deny", "Allow"]));
  }
  return errors;
}

/** Errors of an update of a policy's status. */
export function validatePolicyStatus(status: ValidatingAdmissionPolicyStatus = {}): ErrorList {
  const errors: ErrorList = [];
  const at = Path.root("status");
  const warnings = at.child("typeChecking", "expressionWarnings");
  for (const [i, one] of (status.typeChecking?.expressionWarnings ?? []).entries()) {
    if (!one.warning) errors.push(required(warnings.index(i).child("warning")));
    if (!one.fieldRef?.trim()) errors.push(required(warnings.index(i).child("fieldRef")));
  }
  return [...errors, ...validateConditions(status.conditions, at.child("conditions"))];
}
