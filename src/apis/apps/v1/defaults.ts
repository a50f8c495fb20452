/** Defaults of apps/v1. Upstream: pkg/apis/apps/v1/defaults.go. */
import { setDefaultsPodTemplateSpec } from "../../core/v1/defaults/pod-spec.ts";
import { setDefaultsPersistentVolumeClaimSpec } from "../../core/v1/defaults/volumes.ts";
import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from "./types.ts";

const HISTORY_LIMIT = 10;
const PROGRESS_SECONDS = 600;

/** A Deployment, in place. */
export function setDefaultsDeployment(deployment: Deployment): void {
  deployment.spec ??= {};
  const { spec } = deployment;
  spec.replicas ??= 1;
  spec.strategy ??= {};
  const { strategy } = spec;
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= "25%";
    strategy.rollingUpdate.maxSurge ??= "25%";
  }
  spec.revisionHistoryLimit ??= HISTORY_LIMIT;
  spec.progressDeadlineSeconds ??= PROGRESS_SECONDS;
  spec.template ??= {};
  setDefaultsPodTemplateSpec(spec.template);
}

/** A ReplicaSet, in place. */
export function setDefaultsReplicaSet(set: ReplicaSet): void {
  set.spec ??= {};
  set.spec.replicas ??= 1;
  set.spec.template ??= {};
  setDefaultsPodTemplateSpec(set.spec.template);
}

/** apps/v1 carries the internal templateGeneration in this annotation. */
export const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** A DaemonSet, in place. */
export function setDefaultsDaemonSet(set: DaemonSet): void {
  set.metadata ??= {};
  set.metadata.annotations = { [TEMPLATE_GENERATION]: "0", ...set.metadata.annotations };
  set.spec ??= {};
  const { spec } = set;
  spec.updateStrategy ??= {};
  const strategy = spec.updateStrategy;
  strategy.type ||= "RollingUpdate";
  if (strategy.type === "RollingUpdate") {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= HISTORY_LIMIT;
  spec.template ??= {};
  setDefaultsPodTemplateSpec(spec.template);
}

/** A StatefulSet, in place. */
export function setDefaultsStatefulSet(set: StatefulSet): void {
  set.spec ??= {};
  const { spec } = set;
  spec.podManagementPolicy ||= "OrderedReady";
  spec.updateStrategy ??= {};
  const strategy = spec.updateStrategy;
  if (!strategy.type) {
    strategy.type = "RollingUpdate";
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === "RollingUpdate" && strategy.rollingUpdate !== undefined) {
    strategy.rollingUpdate.partition ??= 0;
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= HISTORY_LIMIT;
  spec.template ??= {};
  setDefaultsPodTemplateSpec(spec.template);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    // Not stored, as upstream's internal type has no place for them; see completeClaims.
    delete claim.apiVersion;
    delete claim.kind;
    claim.spec ??= {};
    setDefaultsPersistentVolumeClaimSpec(claim.spec);
    claim.status ??= {};
    claim.status.phase ||= "Pending";
  }
}

/** Claim templates name their kind to clients. Upstream: the conversion of StatefulSetSpec. */
export function completeClaims({ spec }: StatefulSet): void {
  for (const claim of spec?.volumeClaimTemplates ?? []) {
    claim.apiVersion = "v1";
    claim.kind = "PersistentVolumeClaim";
  }
}
