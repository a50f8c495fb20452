/** What discovery says of a group, and the built-in groups in their order. */
import { createHash } from "node:crypto";
import type { GroupVersionKind } from "../../apimachinery/runtime/gvk.ts";
import type { BuiltInResource, BuiltInSubresource } from "../../apis/schemas.ts";
import { groupOrder, resourceTable } from "../../apis/schemas.ts";

/** A served resource; the built-in ones of the resource table have this form. */
export interface ServedResource {
  readonly resource: string;
  readonly kind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  /** Sorted. */
  readonly verbs: readonly string[];
  readonly subresources: readonly BuiltInSubresource[];
  readonly storageVersionHash?: string;
  /** From a CustomResourceDefinition. */
  readonly isCustom?: boolean;
}

export interface ServedVersion {
  readonly version: string;
  readonly resources: readonly ServedResource[];
  /** `Stale` when an aggregated server is not to be reached; its last known resources stay. */
  readonly freshness?: "Current" | "Stale";
}

export interface ServedGroup {
  /** "" for the core group. */
  readonly group: string;
  /** In the order of preference: the first one is the preferred version. */
  readonly versions: readonly ServedVersion[];
  /** `groupPriorityMinimum`; 1000 for groups of CustomResourceDefinitions. */
  readonly priority: number;
  /** CRD and aggregated groups name their kinds' group and version in aggregated discovery. */
  readonly explicitKinds?: boolean;
}

const FIRST_GROUP = "apiregistration.k8s.io";

/**
 * The built-in groups that `isServed` lets through, the core group included, in discovery's order.
 * By default those that need no --runtime-config.
 */
export function builtInGroups(
  isServed: (resource: BuiltInResource) => boolean = (resource) => resource.default,
): ServedGroup[] {
  const byGroupVersion = new Map<string, BuiltInResource[]>();
  for (const resource of resourceTable()) {
    if (!isServed(resource)) continue;
    const key = `${resource.group}/${resource.version}`;
    byGroupVersion.set(key, [...(byGroupVersion.get(key) ?? []), resource]);
  }
  const groups = [...groupOrder()];
  // apiregistration.k8s.io is the aggregator's own: it has no priority and is always first.
  if (!groups.some(({ group }) => group === FIRST_GROUP)) {
    const versions = [{ version: "v1", priority: 15 }];
    groups.push({ group: FIRST_GROUP, priority: Number.MAX_SAFE_INTEGER, versions });
  }
  const served = groups.flatMap(({ group, priority, versions }) => {
    const list = versions.flatMap(({ version }) => {
      const resources = byGroupVersion.get(`${group}/${version}`);
      return resources === undefined ? [] : [{ version, resources }];
    });
    return list.length === 0 ? [] : [{ group, priority, versions: list }];
  });
  return sortGroups(served);
}

/** Discovery's order: apiregistration.k8s.io, then by priority, then by name. */
export function sortGroups(groups: readonly ServedGroup[]): ServedGroup[] {
  return [...groups].sort((a, b) => {
    if (a.group === b.group) return 0;
    if (a.group === FIRST_GROUP) return -1;
    if (b.group === FIRST_GROUP) return 1;
    return b.priority - a.priority || (a.group < b.group ? -1 : 1);
  });
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const STABILITY: Readonly<Record<string, number>> = { alpha: 1, beta: 2 };

/**
 * Kubernetes' order of versions, the preferred first: GA over beta over alpha, then by number; names
 * of another form come last, by name. Upstream: apimachinery/pkg/version/helpers.go.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [VERSION.exec(a), VERSION.exec(b)];
  if (left === null || right === null) {
    if (left === null && right === null) return a < b ? -1 : a > b ? 1 : 0;
    return left === null ? 1 : -1;
  }
  const stability = (match: RegExpExecArray) => STABILITY[match[2] ?? ""] ?? 3;
  return (
    stability(right) - stability(left) ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  );
}

/** `storageVersionHash` of a persisted resource: its storage kind, hashed. */
export function storageVersionHash({ group, version, kind }: GroupVersionKind): string {
  const digest = createHash("sha256").update(`${group}/${version}/${kind}`).digest();
  return digest.subarray(0, 8).toString("base64");
}
