/** ResourceQuotas. Upstream: ValidateResourceQuota and its updates. */
import {
  type ErrorList,
  invalid,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { FIELD_IMMUTABLE_ERROR } from "../../../../apimachinery/validation/object-meta.ts";
import { goStruct } from "../../../validation/common.ts";
import type { ResourceQuota, ResourceQuotaSpec } from "../types.ts";
import { isStandardQuotaResourceName } from "./resource-names.ts";
import type { ResourceList } from "./resource-quantity.ts";
import { validateResourceQuantityValue, validateResourceQuotaResourceName } from "./resources.ts";

const POD_SCOPES = [
  "Terminating",
  "NotTerminating",
  "NotBestEffort",
  "PriorityClass",
  "CrossNamespacePodAffinity",
];
const EXISTS_ONLY = [
  "BestEffort",
  "NotBestEffort",
  "Terminating",
  "NotTerminating",
  "CrossNamespacePodAffinity",
];
const SCOPES = [...POD_SCOPES, "BestEffort", "VolumeAttributesClass"];
const POD_RESOURCES = ["pods", "cpu", "memory"].concat(
  ["requests.cpu", "requests.memory"],
  ["limits.cpu", "limits.memory"],
);
const CONFLICTS = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];

function isScopeValidForResource(scope: string, resource: string): boolean {
  if (POD_SCOPES.includes(scope)) return POD_RESOURCES.includes(resource);
  if (scope === "BestEffort") return resource === "pods";
  if (scope === "VolumeAttributesClass") {
    return resource === "persistentvolumeclaims" || resource === "requests.storage";
  }
  return true;
}

export function validateResourceQuota({ spec, status }: ResourceQuota): ErrorList {
  return [...validateResourceQuotaSpec(spec ?? {}), ...validateQuotaStatus(status ?? {})];
}

export function validateResourceQuotaSpec(spec: ResourceQuotaSpec): ErrorList {
  const at = Path.root("spec");
  return [
    ...validateAmounts(spec.hard, at.child("hard")),
    ...validateScopes(spec, at.child("scopes")),
    ...validateScopeSelector(spec, at.child("scopeSelector", "matchExpressions")),
  ];
}

function validateQuotaStatus({ hard, used }: NonNullable<ResourceQuota["status"]>): ErrorList {
  const at = Path.root("status");
  return [...validateAmounts(hard, at.child("hard")), ...validateAmounts(used, at.child("used"))];
}

function validateAmounts(amounts: ResourceList | undefined, at: Path): ErrorList {
  const errors: ErrorList = [];
  for (const name in amounts ?? {}) {
    errors.push(...validateResourceQuotaResourceName(name, at.key(name)));
    errors.push(...validateResourceQuantityValue(name, amounts?.[name] ?? "0", at.key(name)));
  }
  return errors;
}

function standardHardNames({ hard = {} }: ResourceQuotaSpec): string[] {
  return Object.keys(hard).sort().filter(isStandardQuotaResourceName);
}

function validateScopes(spec: ResourceQuotaSpec, at: Path): ErrorList {
  const scopes = spec.scopes ?? [];
  const errors: ErrorList = [];
  for (const scope of scopes) {
    if (!SCOPES.includes(scope)) errors.push(invalid(at, scopes, "unsupported scope"));
    for (const name of standardHardNames(spec)) {
      if (isScopeValidForResource(scope, name)) continue;
      errors.push(invalid(at, scopes, "unsupported scope applied to resource"));
    }
  }
  return [...errors, ...validateConflicts(scopes, spec, at)];
}

function validateConflicts(scopes: readonly string[], spec: ResourceQuotaSpec, at: Path) {
  return CONFLICTS.filter((pair) => pair.every((scope) => scopes.includes(scope))).map(() =>
    invalid(at, spec.scopes, "conflicting scopes"),
  );
}

function validateScopeSelector(spec: ResourceQuotaSpec, at: Path): ErrorList {
  const selector = spec.scopeSelector;
  if (selector === undefined) return [];
  const errors: ErrorList = [];
  const expressions = selector.matchExpressions ?? [];
  for (const { scopeName = "", operator = "", values = [] } of expressions) {
    if (!SCOPES.includes(scopeName)) {
      errors.push(invalid(at.child("scopeName"), scopeName, "unsupported scope"));
    }
    for (const name of standardHardNames(spec)) {
      if (isScopeValidForResource(scopeName, name)) continue;
      errors.push(
        invalid(
          at,
          goStruct(selector, "k8s.io/api/core/v1.ScopeSelector"),
          "unsupported scope applied to resource",
        ),
      );
    }
    if (EXISTS_ONLY.includes(scopeName) && operator !== "Exists") {
      const detail =
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
      errors.push(invalid(at.child("operator"), operator, detail));
    }
    errors.push(...validateOperator(operator, values, at));
  }
  const names = expressions.map(({ scopeName = "" }) => scopeName);
  return [...errors, ...validateConflicts(names, spec, at)];
}

function validateOperator(operator: string, values: readonly string[], at: Path): ErrorList {
  switch (operator) {
    case "In":
    case "NotIn": {
      if (values.length > 0) return [];
      const detail =
        "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
      return [required(at.child("values"), detail)];
    }
    case "Exists":
    case "DoesNotExist": {
      if (values.length === 0) return [];
      const detail =
        "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
      return [invalid(at.child("values"), values, detail)];
    }
    default:
      return [invalid(at.child("operator"), operator, "not a valid selector operator")];
  }
}

export function validateResourceQuotaUpdate(object: ResourceQuota, old: ResourceQuota): ErrorList {
  const errors = validateResourceQuotaSpec(object.spec ?? {});
  const scopes = object.spec?.scopes;
  const [now, before] = [new Set(scopes), new Set(old.spec?.scopes)];
  if (now.size !== before.size || [...now].some((scope) => !before.has(scope))) {
    errors.push(invalid(Path.root("spec", "scopes"), scopes, FIELD_IMMUTABLE_ERROR));
  }
  return errors;
}

export function validateResourceQuotaStatusUpdate({ metadata, status }: ResourceQuota): ErrorList {
  const errors: ErrorList = metadata?.resourceVersion ? [] : [required("resourceVersion")];
  return [...errors, ...validateQuotaStatus(status ?? {})];
}
