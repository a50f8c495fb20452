/**
 * Fields of pod specs behind feature gates that are off by default: dropped from what clients send,
 * unless the stored object uses them already. Upstream: pkg/api/pod/util.go, dropDisabledFields.
 */
import type { PodSpec, PodStatus } from "./types.ts";
import { allContainers } from "./validation/options.ts";

interface GatedField {
  readonly gate: string;
  readonly inUse: (spec: PodSpec) => boolean;
  readonly drop: (spec: PodSpec) => void;
}

const sourcesOf = (spec: PodSpec) =>
  (spec.volumes ?? []).flatMap((volume) => volume.projected?.sources ?? []);

const GATED: readonly GatedField[] = [
  {
    gate: "ContainerStopSignals",
    inUse: (spec) => allContainers(spec).some((one) => one.lifecycle?.stopSignal !== undefined),
    drop: (spec) => {
      for (const { lifecycle } of allContainers(spec)) delete lifecycle?.stopSignal;
    },
  },
  {
    gate: "GenericWorkload",
    inUse: (spec) => spec.schedulingGroup !== undefined,
    drop: (spec) => {
      delete spec.schedulingGroup;
    },
  },
  {
    gate: "ClusterTrustBundleProjection",
    inUse: (spec) => sourcesOf(spec).some((source) => source.clusterTrustBundle !== undefined),
    drop: (spec) => {
      for (const source of sourcesOf(spec)) delete source.clusterTrustBundle;
    },
  },
  {
    gate: "PodCertificateRequest",
    inUse: (spec) => sourcesOf(spec).some((source) => source.podCertificate !== undefined),
    drop: (spec) => {
      for (const source of sourcesOf(spec)) delete source.podCertificate;
    },
  },
  {
    gate: "EnvFiles",
    inUse: (spec) =>
      allContainers(spec).some((one) =>
        (one.env ?? []).some((variable) => variable.valueFrom?.fileKeyRef !== undefined),
      ),
    drop: (spec) => {
      for (const { env } of allContainers(spec)) {
        for (const variable of env ?? []) delete variable.valueFrom?.fileKeyRef;
      }
    },
  },
  {
    gate: "HostnameOverride",
    inUse: (spec) => spec.hostnameOverride !== undefined,
    drop: (spec) => {
      delete spec.hostnameOverride;
    },
  },
  {
    gate: "PodLevelResources",
    inUse: (spec) => spec.resources !== undefined,
    drop: (spec) => {
      delete spec.resources;
    },
  },
  {
    gate: "ContainerRestartRules",
    inUse: (spec) => allContainers(spec).some((one) => (one.restartPolicyRules ?? []).length > 0),
    drop: (spec) => {
      for (const container of allContainers(spec)) delete container.restartPolicyRules;
      for (const container of spec.containers ?? []) delete container.restartPolicy;
    },
  },
  {
    gate: "MatchLabelKeysInPodTopologySpread",
    inUse: (spec) =>
      (spec.topologySpreadConstraints ?? []).some((one) => (one.matchLabelKeys ?? []).length > 0),
    drop: (spec) => {
      for (const constraint of spec.topologySpreadConstraints ?? [])
        delete constraint.matchLabelKeys;
    },
  },
];

/** Drops from `spec` what no enabled gate and no use in `old` allows. In place. */
export function dropDisabledPodFields(
  gate: (name: string) => boolean,
  spec: PodSpec | undefined,
  old: PodSpec | undefined,
): void {
  if (spec === undefined) return;
  for (const field of GATED) {
    if (gate(field.gate) || !field.inUse(spec)) continue;
    if (old === undefined || !field.inUse(old)) field.drop(spec);
  }
}

const STATUS_FIELDS: readonly [gate: string, fields: readonly (keyof PodStatus)[]][] = [
  ["InPlacePodLevelResourcesVerticalScaling", ["resources", "allocatedResources"]],
  ["DRAExtendedResource", ["extendedResourceClaimStatus"]],
  ["DRANodeAllocatableResources", ["nodeAllocatableResourceClaimStatuses"]],
];

/** The same for a status. In place. */
export function dropDisabledPodStatusFields(
  gate: (name: string) => boolean,
  status: PodStatus,
  old: PodStatus | undefined,
): void {
  for (const [name, fields] of STATUS_FIELDS) {
    const isInUse = fields.some((field) => old?.[field] !== undefined);
    if (isInUse || gate(name)) continue;
    for (const field of fields) delete status[field];
  }
  if (gate("ResourceHealthStatus")) return;
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses } = status;
  const lists = [containerStatuses, initContainerStatuses, ephemeralContainerStatuses ?? []];
  for (const container of lists.flat()) delete container.allocatedResourcesStatus;
}
