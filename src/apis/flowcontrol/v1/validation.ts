/** FlowSchema. Upstream: pkg/apis/flowcontrol/validation/validation.go. */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  goJson,
  invalid,
  notSupported,
  Path,
  PrintedValue,
  required,
} from "../../../apimachinery/validation/field.ts";
import {
  nameIsDNSLabel,
  nameIsDNSSubdomain,
} from "../../../apimachinery/validation/object-meta.ts";
import { mandatoryFlowSchemas } from "./mandatory.ts";
import type {
  FlowSchema,
  FlowSchemaSpec,
  FlowSchemaStatus,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "./types.ts";

const VERBS = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "proxy",
  "update",
  "watch",
];

/** Errors of a FlowSchema beyond its metadata; `printed`: the spec under its Go names. */
export function validateFlowSchema(
  schema: Omit<FlowSchema, "metadata"> & KubeObject,
  printed: (spec: FlowSchemaSpec) => unknown,
): ErrorList {
  const { spec = {}, status = {} } = schema;
  const name = schema.metadata?.name ?? "";
  const errors = validateFlowSchemaSpec(name, spec, Path.root("spec"));
  const fixed = Object.hasOwn(mandatoryFlowSchemas, name) ? mandatoryFlowSchemas[name] : undefined;
  if (fixed !== undefined && !semanticDeepEqual(spec, fixed)) {
    errors.push(invalid("spec", printed(spec), `spec of '${name}' must equal the fixed value`));
  }
  return [...errors, ...validateConditionTypes(status)];
}

/** Condition types are there, once each. */
export function validateConditionTypes({ conditions = [] }: FlowSchemaStatus): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, { type = "" }] of conditions.entries()) {
    const at = Path.root("status", "conditions").index(i).child("type");
    if (seen.has(type)) errors.push(duplicate(at, type));
    seen.add(type);
    if (type === "") errors.push(required(at, "must not be empty"));
  }
  return errors;
}

function validateFlowSchemaSpec(name: string, spec: FlowSchemaSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const precedence = spec.matchingPrecedence ?? 0;
  const path = at.child("matchingPrecedence");
  if (precedence <= 0) errors.push(invalid(path, precedence, "must be a positive value"));
  if (precedence > 10000) {
    errors.push(invalid(path, precedence, "must not be greater than 10000"));
  }
  if (precedence === 1 && name !== "exempt") {
    const detail = "only the schema named 'exempt' may have matchingPrecedence 1";
    errors.push(invalid(path, precedence, detail));
  }
  if (spec.distinguisherMethod !== undefined) {
    const type = spec.distinguisherMethod.type ?? "";
    if (type !== "ByNamespace" && type !== "ByUser") {
      const value = new PrintedValue(goJson({ Type: type }));
      const typePath = at.child("distinguisherMethod", "type");
      errors.push(notSupported(typePath, value, ["ByNamespace", "ByUser"]));
    }
  }
  const level = spec.priorityLevelConfiguration?.name ?? "";
  const levelPath = at.child("priorityLevelConfiguration", "name");
  if (level === "") errors.push(required(levelPath, "must reference a priority level"));
  else {
    for (const message of nameIsDNSSubdomain(level, false)) {
      errors.push(invalid(levelPath, level, message));
    }
  }
  for (const [i, rule] of (spec.rules ?? []).entries()) {
    errors.push(...validateRules(rule, at.child("rules").index(i)));
  }
  return errors;
}

function validateRules(rule: PolicyRulesWithSubjects, at: Path): ErrorList {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule;
  const errors = subjects.flatMap((subject, i) =>
    validateSubject(subject, at.child("subjects").index(i)),
  );
  if (subjects.length === 0) {
    errors.push(required(at.child("subjects"), "subjects must contain at least one value"));
  }
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    const detail = "at least one of resourceRules and nonResourceRules has to be non-empty";
    errors.push(required(at, detail));
  }
  for (const [i, one] of resourceRules.entries()) {
    errors.push(...validateResourceRule(one, at.child("resourceRules").index(i)));
  }
  for (const [i, one] of nonResourceRules.entries()) {
    errors.push(...validateNonResourceRule(one, at.child("nonResourceRules").index(i)));
  }
  return errors;
}

const SUBJECT_FIELDS = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;

function validateSubject(subject: Subject, at: Path): ErrorList {
  const kind = subject.kind ?? "";
  if (kind !== "ServiceAccount" && kind !== "User" && kind !== "Group") {
    return [notSupported(at.child("kind"), kind, ["Group", "ServiceAccount", "User"])];
  }
  const errors: ErrorList = [];
  const field = SUBJECT_FIELDS[kind];
  const value = subject[field];
  const path = at.child(field);
  if (value === undefined) {
    errors.push(required(path, `${field} is required when subject kind is '${kind}'`));
  } else if (!value.name) errors.push(required(path.child("name")));
  else if (kind === "ServiceAccount" && value.name !== "*") {
    for (const message of nameIsDNSSubdomain(value.name, false)) {
      errors.push(invalid(path.child("name"), value.name, message));
    }
  }
  if (kind === "ServiceAccount" && subject.serviceAccount !== undefined) {
    errors.push(...validateSubjectNamespace(subject.serviceAccount.namespace ?? "", path));
  }
  for (const other of ["ServiceAccount", "User", "Group"] as const) {
    const name = SUBJECT_FIELDS[other];
    if (other === kind || subject[name] === undefined) continue;
    const detail = `${name} is forbidden when subject kind is not '${other}'`;
    errors.push(forbidden(at.child(name), detail));
  }
  return errors;
}

function validateSubjectNamespace(namespace: string, at: Path): ErrorList {
  const path = at.child("namespace");
  if (namespace === "") return [required(path, "must specify namespace for service account")];
  return nameIsDNSLabel(namespace, false).map((message) => invalid(path, namespace, message));
}

function validateVerbs(verbs: readonly string[], at: Path): ErrorList {
  if (verbs.length === 0) return [required(at, "verbs must contain at least one value")];
  if (verbs.includes("*")) return validateWildcard(verbs, "verbs", at);
  return verbs.every((verb) => VERBS.includes(verb)) ? [] : [notSupported(at, verbs, VERBS)];
}

/** `*` stands alone. */
function validateWildcard(values: readonly string[], what: string, at: Path): ErrorList {
  if (values.length <= 1 || !values.includes("*")) return [];
  return [invalid(at, values, `if '*' is present, must not specify other ${what}`)];
}

function validateNonResourceRule(rule: NonResourcePolicyRule, at: Path): ErrorList {
  const { verbs = [], nonResourceURLs: urls = [] } = rule;
  const errors = validateVerbs(verbs, at.child("verbs"));
  const path = at.child("nonResourceURLs");
  if (urls.length === 0) {
    errors.push(required(path, "nonResourceURLs must contain at least one value"));
  } else if (urls.includes("*")) {
    errors.push(...validateWildcard(urls, "non-resource URLs", path));
  } else {
    for (const [i, url] of urls.entries()) {
      const problem = nonResourceURLProblem(url);
      if (problem !== undefined) errors.push(invalid(path.index(i), url, problem));
    }
  }
  return errors;
}

function nonResourceURLProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path === "/") return undefined;
  if (!path.startsWith("/")) return "must start with slash";
  if (path.includes(" ")) return "must not contain white-space";
  if (path.includes("//")) return "must not contain double slash";
  const wildcards = path.split("*").length - 1;
  if (wildcards > 1 || (wildcards === 1 && !path.endsWith("/*"))) {
    return "wildcard can only do suffix matching";
  }
  return undefined;
}

function validateResourceRule(rule: ResourcePolicyRule, at: Path): ErrorList {
  const { verbs = [], apiGroups = [], resources = [], namespaces = [] } = rule;
  const errors = validateVerbs(verbs, at.child("verbs"));
  const groupsPath = at.child("apiGroups");
  if (apiGroups.length === 0) {
    errors.push(required(groupsPath, "resource rules must supply at least one api group"));
  } else errors.push(...validateWildcard(apiGroups, "api groups", groupsPath));
  const resourcesPath = at.child("resources");
  if (resources.length === 0) {
    errors.push(required(resourcesPath, "resource rules must supply at least one resource"));
  } else errors.push(...validateWildcard(resources, "resources", resourcesPath));
  const path = at.child("namespaces");
  if (namespaces.length === 0 && !rule.clusterScope) {
    const detail = "resource rules that are not cluster scoped must supply at least one namespace";
    errors.push(required(path, detail));
  } else if (namespaces.includes("*")) {
    errors.push(...validateWildcard(namespaces, "namespaces", path));
  } else {
    const lead = "each member of this list must be '*' or a DNS-1123 label; ";
    for (const [i, namespace] of namespaces.entries()) {
      for (const message of nameIsDNSLabel(namespace, false)) {
        errors.push(invalid(path.index(i), namespace, lead + message));
      }
    }
  }
  return errors;
}
