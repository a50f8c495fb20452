/**
 * Which pods and claims a quota's scopes select.
 * Upstream: pkg/quota/v1/evaluator/core (podMatchesScopeFunc, pvcMatchesScopeFunc).
 */
import { labelSelectorAsSelector, labelsMatch } from "../../apimachinery/labels/selector.ts";
import { computePodQOS } from "../../apis/core/v1/qos.ts";
import type {
  PersistentVolumeClaim,
  Pod,
  PodAffinityTerm,
  PodSpec,
  ResourceQuota,
  ScopedResourceSelectorRequirement,
} from "../../apis/core/v1/types.ts";
import type { DeepReadonly } from "../plugin.ts";

export type ScopeRequirement = ScopedResourceSelectorRequirement;

/** spec.scopes, each as "exists", and the scope selector's own requirements. */
export function scopesOf({ spec }: DeepReadonly<ResourceQuota>): readonly ScopeRequirement[] {
  const plain = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }));
  return [
    ...plain,
    ...((spec?.scopeSelector?.matchExpressions ?? []) as readonly ScopeRequirement[]),
  ];
}

/** Whether a pod is in the scope. Scopes that are not about pods hold for none. */
export function podInScope(
  { spec = {} }: DeepReadonly<Pod>,
  scope: ScopeRequirement,
  podLevelResources: boolean,
): boolean {
  const isBestEffort = () => computePodQOS(spec as PodSpec, podLevelResources) === "BestEffort";
  switch (scope.scopeName) {
    case "Terminating":
      return isTerminating(spec);
    case "NotTerminating":
      return !isTerminating(spec);
    case "BestEffort":
      return isBestEffort();
    case "NotBestEffort":
      return !isBestEffort();
    case "PriorityClass":
      return namesMatch(scope, spec.priorityClassName ? [spec.priorityClassName] : []);
    case "CrossNamespacePodAffinity":
      return crossesNamespaces(spec);
    default:
      return false;
  }
}

/** Whether a claim is in the scope: by any volume attributes class it refers to. */
export function claimInScope(
  { spec, status }: DeepReadonly<PersistentVolumeClaim>,
  scope: ScopeRequirement,
): boolean {
  if (scope.scopeName !== "VolumeAttributesClass") return false;
  return namesMatch(scope, volumeAttributesClasses({ spec, status }));
}

/** The volume attributes classes a claim has, wants, or is on its way to. */
export function volumeAttributesClasses({
  spec,
  status,
}: DeepReadonly<PersistentVolumeClaim>): readonly string[] {
  const names = [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ];
  return [...new Set(names.filter((name) => name !== undefined && name !== ""))] as string[];
}

function namesMatch(scope: ScopeRequirement, names: readonly string[]): boolean {
  const { scopeName = "", operator = "", values } = scope;
  if (operator === "Exists") return names.length > 0;
  const requirement = { key: scopeName, operator, ...(values === undefined ? {} : { values }) };
  const selector = labelSelectorAsSelector({ matchExpressions: [requirement] });
  if (names.length === 0) return labelsMatch(selector, {});
  return names.some((name) => labelsMatch(selector, { [scopeName]: name }));
}

function isTerminating(spec: DeepReadonly<PodSpec>): boolean {
  return spec.activeDeadlineSeconds !== undefined && spec.activeDeadlineSeconds >= 0;
}

function crossesNamespaces({ affinity }: DeepReadonly<PodSpec>): boolean {
  const parts = [affinity?.podAffinity, affinity?.podAntiAffinity];
  const crosses = (term: DeepReadonly<PodAffinityTerm> | undefined) =>
    (term?.namespaces ?? []).length > 0 || term?.namespaceSelector !== undefined;
  return parts.some(
    (part) =>
      (part?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(crosses) ||
      (part?.preferredDuringSchedulingIgnoredDuringExecution ?? []).some(({ podAffinityTerm }) =>
        crosses(podAffinityTerm),
      ),
  );
}
