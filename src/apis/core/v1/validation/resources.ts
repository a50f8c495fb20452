/**
 * Resource requirements of containers and pods, and how they add up.
 * Upstream: validateResourceRequirements, component-helpers/resource.
 */
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  type Quantity,
  quantityMilliValue,
} from "../../../../apimachinery/quantity.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { isQualifiedName } from "../../../../apimachinery/validation/names.ts";
import {
  compareQuantityTexts,
  invalidEach,
  quantityFrom,
  validateDNS1123Label,
  validateNonnegativeQuantity,
} from "../../../validation/common.ts";
import type { Container, PodSpec, ResourceClaim, ResourceRequirements } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";
import {
  isExtendedResourceName,
  isHugePageResourceName,
  isIndivisibleHugePages,
  isIntegerResourceName,
  isNativeResource,
  isOvercommitAllowed,
  isStandardContainerResourceName,
  isStandardQuotaResourceName,
  isStandardResourceName,
} from "./resource-names.ts";

/** A qualified name, and a standard one when it has no domain. */
export function validateResourceName(name: string, at: Path): ErrorList {
  const errors = invalidEach(at, name, isQualifiedName(name));
  if (errors.length > 0 || name.includes("/") || isStandardResourceName(name)) return errors;
  return [invalid(at, name, "must be a standard resource type or fully qualified")];
}

/** A name that a container's resources (or a LimitRange's for pods) may have. */
export function validateContainerResourceName(name: string, at: Path): ErrorList {
  const errors = validateResourceName(name, at);
  if (!name.includes("/")) {
    if (!isStandardContainerResourceName(name)) {
      errors.push(invalid(at, name, "must be a standard resource for containers"));
    }
  } else if (!isNativeResource(name) && !isExtendedResourceName(name)) {
    errors.push(invalid(at, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

/** A name that a quota may have. */
export function validateResourceQuotaResourceName(name: string, at: Path): ErrorList {
  const errors = validateResourceName(name, at);
  if (!name.includes("/") && !isStandardQuotaResourceName(name)) {
    errors.push(invalid(at, name, "must be a standard resource for quota"));
  }
  return errors;
}

function validatePodResourceName(name: string, at: Path): ErrorList {
  const errors = validateResourceName(name, at);
  if (errors.length > 0 || name === "cpu" || name === "memory" || isHugePageResourceName(name)) {
    return errors;
  }
  return [notSupported(at, name, ["cpu", HUGEPAGES, "memory"])];
}
const HUGEPAGES = "hugepages-";

/** Not negative, and whole where the resource is counted. */
export function validateResourceQuantityValue(name: string, value: string, at: Path): ErrorList {
  const errors = validateNonnegativeQuantity(value, at);
  if (isIntegerResourceName(name) && quantityMilliValue(quantityFrom(value)) % 1000n !== 0n) {
    errors.push(invalid(at, value, "must be an integer"));
  }
  return errors;
}

function validateHugePageValue(
  name: string,
  value: string,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  if (options.allowIndivisibleHugePagesValues || !isIndivisibleHugePages(name, value)) return [];
  return [invalid(at, value, `${value} is not positive integer multiple of ${name}`)];
}

/** resources of a container; `claims` are the names of the pod's resource claims. */
export function validateContainerResourceRequirements(
  requirements: ResourceRequirements,
  claims: ReadonlySet<string>,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  return validateRequirements(requirements, validateContainerResourceName, claims, at, options);
}

function validateRequirements(
  requirements: ResourceRequirements,
  nameRule: (name: string, at: Path) => ErrorList,
  claims: ReadonlySet<string>,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  const { limits = {}, requests = {} } = requirements;
  for (const [list, key] of [
    [limits, "limits"],
    [requests, "requests"],
  ] as const) {
    for (const [name, value] of Object.entries(list)) {
      const path = at.child(key).key(name);
      errors.push(...nameRule(name, path), ...validateResourceQuantityValue(name, value, path));
      if (key === "requests") errors.push(...validateRequest(name, value, limits[name], at));
      errors.push(...validateHugePageValue(name, value, path, options));
    }
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  const hasCompute = names.includes("cpu") || names.includes("memory");
  if (!hasCompute && names.some(isHugePageResourceName)) {
    errors.push(forbidden(at, "HugePages require cpu or memory"));
  }
  errors.push(...validateResourceClaimNames(requirements.claims, claims, at.child("claims")));
  return errors;
}

function validateRequest(
  name: string,
  value: string,
  limit: string | undefined,
  at: Path,
): ErrorList {
  const overcommit = isOvercommitAllowed(name);
  if (limit === undefined) {
    if (overcommit) return [];
    return [required(at.child("limits"), "Limit must be set for non overcommitable resources")];
  }
  const order = compareQuantityTexts(value, limit);
  if (order !== 0 && !overcommit) {
    const detail = `must be equal to ${name} limit of ${limit}`;
    return [invalid(at.child("requests"), value, detail)];
  }
  if (order <= 0) return [];
  const detail = `must be less than or equal to ${name} limit of ${limit}`;
  return [invalid(at.child("requests"), value, detail)];
}

function validateResourceClaimNames(
  claims: readonly ResourceClaim[] | undefined,
  podClaims: ReadonlySet<string>,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, { name = "", request = "" }] of (claims ?? []).entries()) {
    const path = at.index(i);
    if (name === "") {
      errors.push(required(path));
      continue;
    }
    errors.push(...claimOverlaps(name, request, seen, path));
    if (!podClaims.has(name)) {
      const known = [...podClaims].sort().join(", ");
      const which = podClaims.size === 0 ? " which is empty" : `: ${known}`;
      const detail = `must be one of the names in pod.spec.resourceClaims${which}`;
      errors.push({ type: "NotFound", field: String(path), value: name, detail });
    }
  }
  return errors;
}

function claimOverlaps(name: string, request: string, seen: Set<string>, at: Path): ErrorList {
  if (seen.has(name)) return [duplicate(at, name)];
  const errors: ErrorList = [];
  const key = request === "" ? name : `${name}/${request}`;
  if (request !== "") errors.push(...validateDNS1123Label(request, at.child("request")));
  if (seen.has(key)) errors.push(duplicate(at, key));
  else if (request === "") {
    for (const other of seen) {
      if (other.startsWith(`${name}/`)) errors.push(duplicate(at, name));
    }
  }
  seen.add(key);
  return errors;
}

export type ResourceTotals = Map<string, Quantity>;

function totalsOf(list: Readonly<Record<string, string>> | undefined): ResourceTotals {
  return new Map(Object.entries(list ?? {}).map(([name, text]) => [name, quantityFrom(text)]));
}
function addTotals(into: ResourceTotals, other: ResourceTotals): void {
  for (const [name, value] of other) {
    const own = into.get(name);
    into.set(name, own === undefined ? value : addQuantity(own, value));
  }
}
function maxTotals(into: ResourceTotals, other: ResourceTotals): void {
  for (const [name, value] of other) {
    const own = into.get(name);
    if (own === undefined || compareQuantity(value, own) > 0) into.set(name, value);
  }
}

/**
 * What the containers of a pod need together: the sum of the regular and restartable init ones, or
 * the most that an ordinary init container needs beside those started before it.
 */
export function aggregateContainerResources(
  spec: PodSpec,
  which: "requests" | "limits",
): ResourceTotals {
  const total: ResourceTotals = new Map();
  for (const container of spec.containers ?? [])
    addTotals(total, totalsOf(container.resources?.[which]));
  const sidecars: ResourceTotals = new Map();
  const initPeak: ResourceTotals = new Map();
  for (const container of spec.initContainers ?? []) {
    const own = totalsOf(container.resources?.[which]);
    if (isRestartableInitContainer(container)) {
      addTotals(total, own);
      addTotals(sidecars, own);
      maxTotals(initPeak, new Map(sidecars));
    } else {
      addTotals(own, sidecars);
      maxTotals(initPeak, own);
    }
  }
  maxTotals(total, initPeak);
  return total;
}

/** An init container that stays: a sidecar. */
export function isRestartableInitContainer(container: Container): boolean {
  return container.restartPolicy === "Always";
}

/** spec.resources of a pod. */
export function validatePodResources(
  spec: PodSpec,
  claims: ReadonlySet<string>,
  specPath: Path,
  options: PodValidationOptions,
): ErrorList {
  if (spec.resources === undefined) return [];
  const at = specPath.child("resources");
  if (spec.os?.name === "windows") return [forbidden(at, "may not be set for a windows pod")];
  const errors: ErrorList = [];
  if (spec.resources.claims !== undefined) {
    errors.push(forbidden(at.child("claims"), "claims may not be set for Resources at pod-level"));
  }
  errors.push(
    ...validateRequirements(spec.resources, validatePodResourceName, claims, at, options),
    ...validatePodResourceConsistency(spec, at),
  );
  return errors;
}

function validatePodResourceConsistency(spec: PodSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { requests = {}, limits = {} } = spec.resources ?? {};
  for (const [which, own] of [
    ["requests", requests],
    ["limits", limits],
  ] as const) {
    for (const [name, sum] of aggregateContainerResources(spec, which)) {
      const value = own[name];
      if (value === undefined || (which === "limits" && !isHugePageResourceName(name))) continue;
      if (compareQuantity(sum, quantityFrom(value)) <= 0) continue;
      const lead = `must be greater than or equal to aggregate container ${which} of`;
      const detail = `${lead} ${formatQuantity(sum)}`;
      errors.push(invalid(at.child(which).key(name), value, detail));
    }
  }
  for (const [i, container] of (spec.containers ?? []).entries()) {
    for (const [name, value] of Object.entries(container.resources?.limits ?? {})) {
      const limit = limits[name];
      if (limit === undefined || compareQuantityTexts(value, limit) <= 0) continue;
      const path = at.child("containers").index(i).key(name).child("limits");
      errors.push(invalid(path, value, `must be less than or equal to pod limits of ${limit}`));
    }
  }
  return errors;
}
