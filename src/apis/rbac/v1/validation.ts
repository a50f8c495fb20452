/** Upstream: pkg/apis/rbac/validation/validation.go. */
import {
  type ErrorList,
  invalid,
  notSupported,
  Path,
  PrintedValue,
  required,
} from "../../../apimachinery/validation/field.ts";
import {
  type LabelSelectorOptions,
  labelSelectorHasInvalidLabelValue,
  validateLabelSelector,
} from "../../../apimachinery/validation/labels.ts";
import { isPathSegmentName } from "../../../apimachinery/validation/names.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { RBAC_GROUP } from "./defaults.ts";
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from "./types.ts";

/** Errors of a Role beyond its metadata. */
export function validateRole(role: Pick<Role, "rules">): ErrorList {
  return validateRules(role.rules, true);
}

function validateRules(rules: readonly PolicyRule[] | undefined, namespaced: boolean): ErrorList {
  const at = Path.root("rules");
  return (rules ?? []).flatMap((rule, i) => validatePolicyRule(rule, namespaced, at.index(i)));
}

/** A rule is about resources or about URLs, never both. */
export function validatePolicyRule(rule: PolicyRule, namespaced: boolean, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  const urls = rule.nonResourceURLs ?? [];
  if (verbs.length === 0) {
    errors.push(required(at.child("verbs"), "verbs must contain at least one value"));
  }
  if (urls.length > 0) {
    const path = at.child("nonResourceURLs");
    if (namespaced) {
      errors.push(invalid(path, urls, "namespaced rules cannot apply to non-resource URLs"));
    }
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      const detail = "rules cannot apply to both regular resources and non-resource URLs";
      errors.push(invalid(path, urls, detail));
    }
    return errors;
  }
  if (apiGroups.length === 0) {
    const detail = "resource rules must supply at least one api group";
    errors.push(required(at.child("apiGroups"), detail));
  }
  if (resources.length === 0) {
    const detail = "resource rules must supply at least one resource";
    errors.push(required(at.child("resources"), detail));
  }
  return errors;
}

/** Errors of a ClusterRole beyond its metadata; `old` as stored, on updates. */
export function validateClusterRole(
  role: Pick<ClusterRole, "rules" | "aggregationRule">,
  old?: Pick<ClusterRole, "aggregationRule">,
): ErrorList {
  const errors = validateRules(role.rules, false);
  if (role.aggregationRule === undefined) return errors;
  const options: LabelSelectorOptions = {
    allowInvalidLabelValueInSelector: (old?.aggregationRule?.clusterRoleSelectors ?? []).some(
      labelSelectorHasInvalidLabelValue,
    ),
  };
  const at = Path.root("aggregationRule", "clusterRoleSelectors");
  const selectors = role.aggregationRule.clusterRoleSelectors ?? [];
  if (selectors.length === 0) {
    const detail = "at least one clusterRoleSelector required if aggregationRule is non-nil";
    errors.push(required(at, detail));
  }
  for (const [i, selector] of selectors.entries()) {
    errors.push(...validateLabelSelector(selector, options, at.index(i)));
    if (validateLabelSelector(selector, {}, at).length > 0) {
      errors.push(invalid(at.index(i), null, "invalid label selector."));
    }
  }
  return errors;
}

/** Errors of a RoleBinding beyond its metadata. */
export function validateRoleBinding(binding: Pick<RoleBinding, "roleRef" | "subjects">): ErrorList {
  return validateBinding(binding, ["Role", "ClusterRole"], true);
}

/** Errors of a ClusterRoleBinding beyond its metadata. */
export function validateClusterRoleBinding(
  binding: Pick<ClusterRoleBinding, "roleRef" | "subjects">,
): ErrorList {
  return validateBinding(binding, ["ClusterRole"], false);
}

function validateBinding(
  { roleRef = {}, subjects = [] }: Pick<RoleBinding, "roleRef" | "subjects">,
  kinds: readonly string[],
  namespaced: boolean,
): ErrorList {
  const errors: ErrorList = [];
  const at = Path.root("roleRef");
  if (roleRef.apiGroup !== RBAC_GROUP) {
    errors.push(notSupported(at.child("apiGroup"), roleRef.apiGroup ?? "", [RBAC_GROUP]));
  }
  if (!kinds.includes(roleRef.kind ?? "")) {
    errors.push(notSupported(at.child("kind"), roleRef.kind ?? "", kinds));
  }
  if (!roleRef.name) errors.push(required(at.child("name")));
  else {
    for (const message of isPathSegmentName(roleRef.name)) {
      errors.push(invalid(at.child("name"), roleRef.name, message));
    }
  }
  for (const [i, subject] of subjects.entries()) {
    errors.push(...validateSubject(subject, namespaced, Path.root("subjects").index(i)));
  }
  return errors;
}

function validateSubject(subject: Subject, namespaced: boolean, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { kind = "", name = "", apiGroup = "", namespace = "" } = subject;
  if (name === "") errors.push(required(at.child("name")));
  switch (kind) {
    case "ServiceAccount":
      if (name !== "") {
        for (const message of nameIsDNSSubdomain(name, false)) {
          errors.push(invalid(at.child("name"), name, message));
        }
      }
      if (apiGroup !== "") errors.push(notSupported(at.child("apiGroup"), apiGroup, [""]));
      if (!namespaced && namespace === "") errors.push(required(at.child("namespace")));
      break;
    case "User":
    case "Group":
      if (apiGroup !== RBAC_GROUP) {
        errors.push(notSupported(at.child("apiGroup"), apiGroup, [RBAC_GROUP]));
      }
      break;
    default:
      errors.push(notSupported(at.child("kind"), kind, ["ServiceAccount", "User", "Group"]));
  }
  return errors;
}

/** roleRef stays what it was: who could bind it was checked when the binding was made. */
export function validateRoleRefUpdate(roleRef: RoleRef = {}, old: RoleRef = {}): ErrorList {
  const same = (["apiGroup", "kind", "name"] as const).every(
    (name) => (roleRef[name] ?? "") === (old[name] ?? ""),
  );
  if (same) return [];
  const { apiGroup = "", kind = "", name = "" } = roleRef;
  const printed = JSON.stringify({ APIGroup: apiGroup, Kind: kind, Name: name });
  return [invalid("roleRef", new PrintedValue(printed), "cannot change roleRef")];
}
