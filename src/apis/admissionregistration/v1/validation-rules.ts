/**
 * Rules, selectors and match conditions of webhooks and admission policies.
 * Upstream: pkg/apis/admissionregistration/validation/validation.go.
 */
import {
  duplicate,
  type ErrorList,
  invalid,
  notSupported,
  type Path,
  required,
  tooMany,
} from "../../../apimachinery/validation/field.ts";
import { validateLabelSelector } from "../../../apimachinery/validation/labels.ts";
import { isPathSegmentName, isQualifiedName } from "../../../apimachinery/validation/names.ts";
import { resultProblem } from "../../cel/compile.ts";
import { compileExpression, type ExpressionScope } from "../cel-environment.ts";
import type {
  MatchCondition,
  MatchResources,
  NamedRuleWithOperations,
  RuleWithOperations,
} from "./types.ts";

/** Sorted, as messages list them. */
export const OPERATIONS = ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const SCOPES = ["*", "Cluster", "Namespaced"];
export const FAILURE_POLICIES = ["Fail", "Ignore"];
export const MATCH_POLICIES = ["Equivalent", "Exact"];
const MAX_MATCH_CONDITIONS = 64;

/** One of `supported`, when given. */
export function validateEnum(
  value: string | undefined,
  supported: readonly string[],
  at: Path,
): ErrorList {
  return value === undefined || supported.includes(value)
    ? []
    : [notSupported(at, value, supported)];
}

/** Operations, groups, versions and resources are there, and `*` stands alone. */
export function validateRuleWithOperations(rule: RuleWithOperations, at: Path): ErrorList {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule;
  const errors: ErrorList = [];
  const path = at.child("operations");
  if (operations.length === 0) errors.push(required(path));
  errors.push(...loneWildcard(operations, "operations", path));
  for (const [i, operation] of operations.entries()) {
    errors.push(...validateEnum(operation, OPERATIONS, path.index(i)));
  }
  if (apiGroups.length === 0) errors.push(required(at.child("apiGroups")));
  errors.push(...loneWildcard(apiGroups, "API groups", at.child("apiGroups")));
  const versions = at.child("apiVersions");
  if (apiVersions.length === 0) errors.push(required(versions));
  errors.push(...loneWildcard(apiVersions, "API versions", versions));
  for (const [i, version] of apiVersions.entries()) {
    if (version === "") errors.push(required(versions.index(i)));
  }
  errors.push(...validateResources(resources, at.child("resources")));
  return [...errors, ...validateEnum(rule.scope, SCOPES, at.child("scope"))];
}

function loneWildcard(values: readonly string[], what: string, at: Path): ErrorList {
  if (values.length <= 1 || !values.includes("*")) return [];
  return [invalid(at, values, `if '*' is present, must not specify other ${what}`)];
}

function validateResources(resources: readonly string[], at: Path): ErrorList {
  const errors: ErrorList = resources.length === 0 ? [required(at)] : [];
  const anySubresourceOf = new Set<string>();
  const anyResourceWith = new Set<string>();
  let withoutSubresource = false;
  for (const [i, text] of resources.entries()) {
    if (text === "") {
      errors.push(required(at.index(i)));
      continue;
    }
    const slash = text.indexOf("/");
    if (slash === -1) {
      // The last one decides, as upstream has it.
      withoutSubresource = text !== "*";
      continue;
    }
    const resource = text.slice(0, slash);
    const subresource = text.slice(slash + 1);
    if (anySubresourceOf.has(resource)) {
      const detail = `if '${resource}/*' is present, must not specify ${text}`;
      errors.push(invalid(at.index(i), text, detail));
    }
    if (anyResourceWith.has(subresource)) {
      const detail = `if '*/${subresource}' is present, must not specify ${text}`;
      errors.push(invalid(at.index(i), text, detail));
    }
    if (subresource === "*") anySubresourceOf.add(resource);
    if (resource === "*") anyResourceWith.add(subresource);
  }
  if (resources.length > 1 && resources.includes("*/*")) {
    const detail = "if '*/*' is present, must not specify other resources";
    errors.push(invalid(at, resources, detail));
  }
  if (resources.includes("*") && withoutSubresource) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(at, resources, detail));
  }
  return errors;
}

/** What a policy or a binding matches; defaults have filled it in. */
export function validateMatchResources(match: MatchResources | undefined, at: Path): ErrorList {
  if (match === undefined) return [];
  const errors: ErrorList = [];
  if (match.matchPolicy === undefined) errors.push(required(at.child("matchPolicy")));
  else errors.push(...validateEnum(match.matchPolicy, MATCH_POLICIES, at.child("matchPolicy")));
  for (const name of ["namespaceSelector", "objectSelector"] as const) {
    if (match[name] === undefined) errors.push(required(at.child(name)));
    else errors.push(...validateLabelSelector(match[name], {}, at.child(name)));
  }
  for (const name of ["resourceRules", "excludeResourceRules"] as const) {
    for (const [i, rule] of (match[name] ?? []).entries()) {
      errors.push(...validateNamedRule(rule, at.child(name).index(i)));
    }
  }
  return errors;
}

function validateNamedRule(rule: NamedRuleWithOperations, at: Path): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, name] of (rule.resourceNames ?? []).entries()) {
    const path = at.child("resourceNames").index(i);
    for (const message of isPathSegmentName(name)) errors.push(invalid(path, name, message));
    if (seen.has(name)) errors.push(duplicate(path, name));
    seen.add(name);
  }
  return [...errors, ...validateRuleWithOperations(rule, at)];
}

/** The error of `text` at `at`, if it does not compile or gives another type than `results`. */
export function validateExpression(
  text: string,
  scope: ExpressionScope,
  results: readonly string[],
  at: Path,
): ErrorList {
  const { problem, type } = compileExpression(text, scope);
  const detail = problem ?? resultProblem(type, results);
  return detail === undefined ? [] : [invalid(at, text, detail)];
}

/** At most 64 named expressions, each giving a bool. */
export function validateMatchConditions(
  conditions: readonly MatchCondition[] | undefined,
  params: boolean,
  at: Path,
): ErrorList {
  const list = conditions ?? [];
  const errors: ErrorList =
    list.length > MAX_MATCH_CONDITIONS ? [tooMany(at, list.length, MAX_MATCH_CONDITIONS)] : [];
  const names = new Set<string>();
  for (const [i, { name = "", expression = "" }] of list.entries()) {
    const path = at.index(i);
    const text = expression.trim();
    const scope = { params, authorizer: true };
    if (text === "") errors.push(required(path.child("expression")));
    else errors.push(...validateExpression(text, scope, ["bool"], path.child("expression")));
    if (name === "") {
      errors.push(required(path.child("name")));
      continue;
    }
    for (const message of isQualifiedName(name)) {
      errors.push(invalid(path.child("name"), name, message));
    }
    if (names.has(name)) errors.push(duplicate(path.child("name"), name));
    names.add(name);
  }
  return errors;
}
