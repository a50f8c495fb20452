/**
 * References to a pod's own fields and resources, in environment variables and downward API volumes.
 * Upstream: validateObjectFieldSelector, validateContainerResourceFieldSelector, pkg/fieldpath.
 */
import {
  type ErrorList,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { compareQuantityTexts, validateQualifiedName } from "../../../validation/common.ts";
import type { ObjectFieldSelector, ResourceFieldSelector } from "../types.ts";

/** What environment variables may hold. Sorted, as messages list them. */
export const ENV_FIELD_PATHS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.serviceAccountName",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
];
/** What files of downward API volumes may hold. */
export const VOLUME_FIELD_PATHS = [
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
];

/** Field labels that convert to another: all that the conversion knows. */
const KNOWN_PATHS: ReadonlySet<string> = new Set([
  "metadata.annotations",
  "metadata.labels",
  "metadata.name",
  "metadata.namespace",
  "metadata.uid",
  "spec.nodeName",
  "spec.restartPolicy",
  "spec.serviceAccountName",
  "spec.schedulerName",
  "status.phase",
  "status.hostIP",
  "status.hostIPs",
  "status.podIP",
  "status.podIPs",
]);

const CONVERTING = "error converting fieldPath:";

/** `metadata.labels['x']` in its two parts. */
function splitSubscript(path: string): { path: string; subscript: string } | undefined {
  if (!path.endsWith("']")) return undefined;
  const parts = path.slice(0, -2).split("['");
  const [head = "", ...rest] = parts;
  if (rest.length === 0 || head === "") return undefined;
  return { path: head, subscript: rest.join("['") };
}

/** A fieldRef. `allowed` are the paths without a subscript. */
export function validateObjectFieldSelector(
  { apiVersion = "", fieldPath = "" }: ObjectFieldSelector,
  allowed: readonly string[],
  at: Path,
): ErrorList {
  if (apiVersion === "") return [required(at.child("apiVersion"))];
  if (fieldPath === "") return [required(at.child("fieldPath"))];
  const problem = conversionProblem(apiVersion, fieldPath);
  if (problem !== undefined) {
    return [invalid(at.child("fieldPath"), fieldPath, `${CONVERTING} ${problem}`)];
  }
  const split = splitSubscript(fieldPath);
  if (split === undefined) {
    const path = fieldPath === "spec.host" ? "spec.nodeName" : fieldPath;
    return allowed.includes(path) ? [] : [notSupported(at.child("fieldPath"), path, allowed)];
  }
  if (split.path === "metadata.annotations") {
    return validateQualifiedName(split.subscript.toLowerCase(), at);
  }
  if (split.path === "metadata.labels") return validateQualifiedName(split.subscript, at);
  return [invalid(at, split.path, "does not support subscript")];
}

function conversionProblem(version: string, path: string): string | undefined {
  if (version !== "v1") return `unsupported pod version: ${version}`;
  const split = splitSubscript(path);
  if (split !== undefined) {
    if (split.path === "metadata.annotations" || split.path === "metadata.labels") return undefined;
    return `field label does not support subscript: ${path}`;
  }
  if (KNOWN_PATHS.has(path) || path === "spec.host") return undefined;
  return `field label not supported: ${path}`;
}

const RESOURCES = [
  "limits.cpu",
  "limits.ephemeral-storage",
  "limits.memory",
  "requests.cpu",
  "requests.ephemeral-storage",
  "requests.memory",
];
const SIZE_DIVISORS = ["", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].map(
  (suffix) => `1${suffix}`,
);

/** A resourceFieldRef; in volumes the container must be named. */
export function validateResourceFieldSelector(
  { containerName, resource = "", divisor }: ResourceFieldSelector,
  at: Path,
  inVolume: boolean,
): ErrorList {
  const errors: ErrorList = [];
  if (inVolume && !containerName) errors.push(required(at.child("containerName")));
  else if (resource === "") errors.push(required(at.child("resource")));
  else if (!RESOURCES.includes(resource) && !isHugePages(resource)) {
    errors.push(notSupported(at.child("resource"), resource, RESOURCES));
  }
  if (divisor === undefined || compareQuantityTexts(divisor, "0") === 0) return errors;
  return [...errors, ...validateDivisor(resource, divisor, at.child("divisor"))];
}

function isHugePages(resource: string): boolean {
  return resource.startsWith("requests.hugepages-") || resource.startsWith("limits.hugepages-");
}

function validateDivisor(resource: string, divisor: string, at: Path): ErrorList {
  const name = resource.replace(/^(?:limits|requests)\./, "");
  if (name === resource) return [];
  if (name === "cpu") {
    if (divisor === "1m" || divisor === "1") return [];
    const detail = "only divisor's values 1m and 1 are supported with the cpu resource";
    return [invalid(at, resource, detail)];
  }
  const kinds: Readonly<Record<string, string>> = {
    memory: "memory",
    "ephemeral-storage": "local ephemeral storage",
  };
  const kind = isHugePages(resource) ? "hugepages" : kinds[name];
  if (kind === undefined || SIZE_DIVISORS.includes(divisor)) return [];
  const values = SIZE_DIVISORS.join(", ");
  return [
    invalid(
      at,
      resource,
      `only divisor's values ${values} are supported with the ${kind} resource`,
    ),
  ];
}
