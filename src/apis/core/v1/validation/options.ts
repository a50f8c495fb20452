/**
 * What the validation of pod specs depends on: feature gates, and what a stored object already has
 * that today's rules would refuse. Upstream: pkg/api/pod/util.go, GetValidationOptionsFromPodSpecAndMeta.
 */

import type { ObjectMeta } from "../../../../apimachinery/meta/types.ts";
import { Path } from "../../../../apimachinery/validation/field.ts";
import {
  type LabelSelectorObject,
  validateLabelSelector,
} from "../../../../apimachinery/validation/labels.ts";
import { isValidLabelValue } from "../../../../apimachinery/validation/names.ts";
import type { Container, PodAffinityTerm, PodSpec } from "../types.ts";
import { parsedDeletionCost } from "./deletion-cost.ts";
import { isIndivisibleHugePages } from "./resource-names.ts";
import { validateHostSysctl } from "./sysctl.ts";

export interface PodValidationOptions {
  readonly allowPrivileged: boolean;
  /** The object is a Pod, not a spec embedded in another kind. */
  readonly resourceIsPod: boolean;
  readonly allowInvalidPodDeletionCost: boolean;
  readonly allowInvalidLabelValueInSelector: boolean;
  readonly allowInvalidLabelValueInRequiredNodeAffinity: boolean;
  readonly allowInvalidTopologySpreadConstraintLabelSelector: boolean;
  readonly allowIndivisibleHugePagesValues: boolean;
  readonly allowNonLocalProjectedTokenPath: boolean;
  readonly allowNamespacedSysctlsForHostNetAndHostIPC: boolean;
  readonly allowRelaxedEnvironmentVariableValidation: boolean;
  readonly allowRelaxedDNSSearchValidation: boolean;
  readonly allowPodLifecycleSleepActionZeroValue: boolean;
  readonly allowOnlyRecursiveSELinuxChangePolicy: boolean;
  readonly podLevelResources: boolean;
  readonly inPlacePodLevelResources: boolean;
  readonly inPlaceInitContainers: boolean;
  readonly allowSidecarResizePolicy: boolean;
  readonly matchLabelKeysSelectorMerge: boolean;
  readonly allowEnvFiles: boolean;
  readonly allowContainerRestartPolicyRules: boolean;
  readonly allowRestartAllContainers: boolean;
  readonly allowRestartContainerForNonSidecarInitContainer: boolean;
  readonly allowUserNamespacesWithVolumeDevices: boolean;
  readonly allowUserNamespacesHostNetwork: boolean;
  readonly allowTaintTolerationComparisonOperators: boolean;
  readonly allowEmptyImageVolumeReference: boolean;
  readonly allowImageVolumeWithDigest: boolean;
  readonly strictIPs: boolean;
}

/** The part of StrategyContext this needs. */
export interface GateContext {
  readonly gate: (name: string) => boolean;
  readonly allowPrivileged: boolean;
}

/** Options for a new spec, and for an update when `old` is given. */
export function podValidationOptions(
  { gate, allowPrivileged }: GateContext,
  old?: PodSpec,
  oldMeta?: ObjectMeta,
): PodValidationOptions {
  const uses = (test: (spec: PodSpec) => boolean) => old !== undefined && test(old);
  return {
    allowPrivileged,
    resourceIsPod: false,
    allowInvalidPodDeletionCost:
      !gate("PodDeletionCost") ||
      (oldMeta !== undefined && parsedDeletionCost(oldMeta.annotations) === undefined),
    allowInvalidLabelValueInSelector: uses(hasInvalidLabelValueInAffinity),
    allowInvalidLabelValueInRequiredNodeAffinity: uses(hasInvalidLabelValueInNodeAffinity),
    allowInvalidTopologySpreadConstraintLabelSelector: uses(hasInvalidSpreadSelector),
    allowIndivisibleHugePagesValues: uses(usesIndivisibleHugePages),
    allowNonLocalProjectedTokenPath: uses(hasNonLocalTokenPath),
    allowNamespacedSysctlsForHostNetAndHostIPC: uses(hasHostSysctl),
    allowRelaxedEnvironmentVariableValidation:
      gate("RelaxedEnvironmentVariableValidation") || old !== undefined,
    allowRelaxedDNSSearchValidation: gate("RelaxedDNSSearchValidation") || old !== undefined,
    allowPodLifecycleSleepActionZeroValue: gate("PodLifecycleSleepActionAllowZero"),
    allowOnlyRecursiveSELinuxChangePolicy:
      !gate("SELinuxMount") && old?.securityContext?.seLinuxChangePolicy !== "MountOption",
    podLevelResources: gate("PodLevelResources"),
    inPlacePodLevelResources: gate("InPlacePodLevelResourcesVerticalScaling"),
    inPlaceInitContainers: gate("InPlacePodVerticalScalingInitContainers"),
    allowSidecarResizePolicy: gate("InPlacePodVerticalScaling") || uses(hasInitResizePolicy),
    matchLabelKeysSelectorMerge: gate("MatchLabelKeysInPodTopologySpreadSelectorMerge"),
    allowEnvFiles: gate("EnvFiles"),
    allowContainerRestartPolicyRules: gate("ContainerRestartRules") || uses(hasRestartRules),
    allowRestartAllContainers: gate("RestartAllContainersOnContainerExits"),
    allowRestartContainerForNonSidecarInitContainer: uses(hasInitRestartContainer),
    allowUserNamespacesWithVolumeDevices: uses(hasUserNamespacesWithDevices),
    allowUserNamespacesHostNetwork: gate("UserNamespacesHostNetworkSupport"),
    allowTaintTolerationComparisonOperators:
      gate("TaintTolerationComparisonOperators") || uses(hasComparisonToleration),
    allowEmptyImageVolumeReference: uses((spec) =>
      (spec.volumes ?? []).some((volume) => volume.image !== undefined && !volume.image.reference),
    ),
    allowImageVolumeWithDigest: gate("ImageVolumeWithDigest"),
    strictIPs: gate("StrictIPCIDRValidation"),
  };
}

/** All containers that are the same type: init, regular and ephemeral ones. */
export function allContainers(spec: PodSpec): Container[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
}

function badSelector(selector: LabelSelectorObject | undefined): boolean {
  return (selector?.matchExpressions ?? []).some((expression) =>
    (expression.values ?? []).some((value) => isValidLabelValue(value).length > 0),
  );
}

function hasInvalidLabelValueInAffinity({ affinity }: PodSpec): boolean {
  const terms: PodAffinityTerm[] = [];
  for (const side of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    terms.push(...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []));
    for (const weighted of side?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (weighted.podAffinityTerm !== undefined) terms.push(weighted.podAffinityTerm);
    }
  }
  return terms.some(
    (term) => badSelector(term.labelSelector) || badSelector(term.namespaceSelector),
  );
}

function hasInvalidLabelValueInNodeAffinity({ affinity }: PodSpec): boolean {
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return (required?.nodeSelectorTerms ?? []).some((term) =>
    (term.matchExpressions ?? []).some((expression) =>
      (expression.values ?? []).some((value) => isValidLabelValue(value).length > 0),
    ),
  );
}

function hasInvalidSpreadSelector(spec: PodSpec): boolean {
  return (spec.topologySpreadConstraints ?? []).some(
    ({ labelSelector }) => validateLabelSelector(labelSelector, {}, Path.root("x")).length > 0,
  );
}

function usesIndivisibleHugePages(spec: PodSpec): boolean {
  return allContainers(spec).some(({ resources }) =>
    [resources?.limits, resources?.requests].some((list) =>
      Object.entries(list ?? {}).some(([name, value]) => isIndivisibleHugePages(name, value)),
    ),
  );
}

function hasNonLocalTokenPath(spec: PodSpec): boolean {
  return (spec.volumes ?? []).some((volume) =>
    (volume.projected?.sources ?? []).some(({ serviceAccountToken }) => {
      const path = serviceAccountToken?.path ?? "";
      return path.startsWith("/") || path.startsWith("..") || path.split("/").includes("..");
    }),
  );
}

function hasHostSysctl(spec: PodSpec): boolean {
  return (spec.securityContext?.sysctls ?? []).some(
    ({ name = "" }) => validateHostSysctl(name, spec, Path.root("x")).length > 0,
  );
}

function hasInitResizePolicy(spec: PodSpec): boolean {
  return (spec.initContainers ?? []).some(
    (container) =>
      container.restartPolicy === "Always" && (container.resizePolicy ?? []).length > 0,
  );
}

function hasInitRestartContainer(spec: PodSpec): boolean {
  return (spec.initContainers ?? []).some(
    (container) =>
      container.restartPolicy !== "Always" &&
      (container.resizePolicy ?? []).some((policy) => policy.restartPolicy === "RestartContainer"),
  );
}

function hasRestartRules(spec: PodSpec): boolean {
  const rules = allContainers(spec).some((one) => (one.restartPolicyRules ?? []).length > 0);
  return rules || (spec.containers ?? []).some((one) => one.restartPolicy !== undefined);
}

function hasUserNamespacesWithDevices(spec: PodSpec): boolean {
  if (spec.hostUsers !== false) return false;
  return allContainers(spec).some((container) => (container.volumeDevices ?? []).length > 0);
}

function hasComparisonToleration(spec: PodSpec): boolean {
  return (spec.tolerations ?? []).some(({ operator }) => operator === "Lt" || operator === "Gt");
}
