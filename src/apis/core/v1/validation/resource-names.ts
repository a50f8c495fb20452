/** What resource names are allowed to be, and mean. Upstream: pkg/apis/core/helper. */
import {
  parseQuantity,
  quantityMilliValue,
  quantitySign,
  quantityValue,
} from "../../../../apimachinery/quantity.ts";
import { isQualifiedName } from "../../../../apimachinery/validation/names.ts";
import { quantityFrom } from "../../../validation/common.ts";

export const HUGEPAGES_PREFIX = "hugepages-";

const COUNTS = [
  "pods",
  "resourcequotas",
  "services",
  "replicationcontrollers",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
  "services.nodeports",
  "services.loadbalancers",
];
const INTEGER_RESOURCES: ReadonlySet<string> = new Set(COUNTS);
const CONTAINER_RESOURCES: ReadonlySet<string> = new Set(["cpu", "memory", "ephemeral-storage"]);
const STANDARD_QUOTA: ReadonlySet<string> = new Set([
  "cpu",
  "memory",
  "ephemeral-storage",
  "requests.cpu",
  "requests.memory",
  "requests.storage",
  "requests.ephemeral-storage",
  "limits.cpu",
  "limits.memory",
  "limits.ephemeral-storage",
  ...COUNTS,
]);
const STANDARD: ReadonlySet<string> = new Set([...STANDARD_QUOTA, "storage"]);

/** `hugepages-<size>`. */
export function isHugePageResourceName(name: string): boolean {
  return name.startsWith(HUGEPAGES_PREFIX);
}
/** `hugepages-<size>` or `requests.hugepages-<size>`. */
export function isQuotaHugePageResourceName(name: string): boolean {
  return name.startsWith(HUGEPAGES_PREFIX) || name.startsWith(`requests.${HUGEPAGES_PREFIX}`);
}
/** Without a domain, or in kubernetes.io. */
export function isNativeResource(name: string): boolean {
  return !name.includes("/") || name.includes("kubernetes.io/");
}
/** A resource of a domain of its own, as device plugins offer. */
export function isExtendedResourceName(name: string): boolean {
  if (isNativeResource(name) || name.startsWith("requests.")) return false;
  return isQualifiedName(`requests.${name}`).length === 0;
}
/** Whether requests may be lower than limits. */
export function isOvercommitAllowed(name: string): boolean {
  return isNativeResource(name) && !isHugePageResourceName(name);
}
/** Counted in whole units. */
export function isIntegerResourceName(name: string): boolean {
  return INTEGER_RESOURCES.has(name) || isExtendedResourceName(name);
}
/** May stand without a domain in a container's resources. */
export function isStandardContainerResourceName(name: string): boolean {
  return CONTAINER_RESOURCES.has(name) || isHugePageResourceName(name);
}
/** May stand without a domain at all. */
export function isStandardResourceName(name: string): boolean {
  return STANDARD.has(name) || isQuotaHugePageResourceName(name);
}
/** May stand without a domain in a quota. */
export function isStandardQuotaResourceName(name: string): boolean {
  return STANDARD_QUOTA.has(name) || isQuotaHugePageResourceName(name);
}

/** A quantity of huge pages that is not a whole number of pages. */
export function isIndivisibleHugePages(name: string, value: string): boolean {
  if (!isHugePageResourceName(name)) return false;
  const size = pageSizeOf(name);
  return size === undefined || quantityValue(quantityFrom(value)) % size !== 0n;
}

function pageSizeOf(name: string): bigint | undefined {
  try {
    const size = parseQuantity(name.slice(HUGEPAGES_PREFIX.length));
    if (quantitySign(size) <= 0 || quantityMilliValue(size) % 1000n !== 0n) return undefined;
    return quantityValue(size);
  } catch {
    return undefined;
  }
}
