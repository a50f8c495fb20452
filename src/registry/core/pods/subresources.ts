/** The endpoints of pods that update a part. Upstream: pkg/registry/core/pod/strategy.go. */

import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { cloneJson } from "../../../apimachinery/runtime/clone.ts";
import { Path } from "../../../apimachinery/validation/field.ts";
import { warningsForIP } from "../../../apimachinery/validation/ip.ts";
import {
  dropDisabledPodFields,
  dropDisabledPodStatusFields,
} from "../../../apis/core/v1/pod-features.ts";
import type { Container, Pod, PodStatus } from "../../../apis/core/v1/types.ts";
import { samePodSpec } from "../../../apis/core/v1/validation/pod.ts";
import {
  validateEphemeralContainersUpdate,
  validatePodResize,
} from "../../../apis/core/v1/validation/pod-resize.ts";
import { validatePodStatusUpdate } from "../../../apis/core/v1/validation/pod-status.ts";
import type { StrategyContext, SubresourceStrategy } from "../../rest/strategy.ts";
import { type Kube, keepFields, keepMetadata } from "../../strategy-parts.ts";
import { updateOptions } from "./options.ts";

type PodObject = Kube<Pod>;

/** One more than the stored generation when the spec differs from the stored one. */
export function bumpPodGeneration(pod: PodObject, old: PodObject): void {
  if (samePodSpec(pod.spec, old.spec)) return;
  metadataOf(pod).generation = Number(old.metadata?.generation ?? 0) + 1;
}

export const statusEndpoint: SubresourceStrategy<PodObject> = {
  prepareForUpdate({ gate }, pod, old) {
    // Kubelets write statuses all the time: nothing changes the spec after this, so it is shared.
    if (old.spec === undefined) delete pod.spec;
    else pod.spec = old.spec;
    keepFields(metadataOf(pod), old.metadata ?? {}, "deletionTimestamp", "ownerReferences");
    pod.status ??= {};
    if (!pod.status.qosClass) keepFields(pod.status, old.status ?? {}, "qosClass");
    keepObservedGenerations(pod.status, old.status ?? {});
    dropDisabledPodStatusFields(gate, pod.status, old.status);
  },
  validateUpdate: (context, pod, old) =>
    validatePodStatusUpdate(pod, old, {
      ...updateOptions(context, old),
      clearsNominatedNodeName: context.gate("ClearingNominatedNodeNameAfterBinding"),
    }),
  warningsOnUpdate(_context, { status }) {
    const at = Path.root("status");
    return (["podIPs", "hostIPs"] as const).flatMap((name) =>
      (status?.[name] ?? []).flatMap(({ ip = "" }, i) =>
        warningsForIP(at.child(name).index(i).child("ip"), ip),
      ),
    );
  },
  resetFields: ["spec", "metadata.deletionTimestamp", "metadata.ownerReferences"],
};

/** A status that does not say which generation it is of keeps what was said before. */
function keepObservedGenerations(status: PodStatus, old: PodStatus): void {
  if (!status.observedGeneration) keepFields(status, old, "observedGeneration");
  const before = new Map<string, (number | undefined)[]>();
  for (const { type = "", observedGeneration } of old.conditions ?? []) {
    before.set(type, [...(before.get(type) ?? []), observedGeneration]);
  }
  for (const condition of status.conditions ?? []) {
    const generation = before.get(condition.type ?? "")?.shift();
    if (condition.observedGeneration || !generation) continue;
    condition.observedGeneration = generation;
  }
}

function finish({ gate }: StrategyContext, pod: PodObject, old: PodObject): void {
  dropDisabledPodFields(gate, pod.spec, old.spec);
  bumpPodGeneration(pod, old);
}

export const ephemeralContainersEndpoint: SubresourceStrategy<PodObject> = {
  prepareForUpdate(context, pod, old) {
    const { ephemeralContainers } = pod.spec ?? {};
    keepFields(pod, old, "spec", "status");
    keepMetadata(pod, old);
    pod.spec ??= {};
    if (ephemeralContainers === undefined) delete pod.spec.ephemeralContainers;
    else pod.spec.ephemeralContainers = ephemeralContainers;
    finish(context, pod, old);
  },
  updateMetadataRules: ["update", "create"],
  validateUpdate: (context, pod, old) =>
    validateEphemeralContainersUpdate(pod, old, updateOptions(context, old)),
  ownedFields: ["spec.ephemeralContainers"],
};

export const resizeEndpoint: SubresourceStrategy<PodObject> = {
  prepareForUpdate(context, pod, old) {
    keepAllButSizes(context, pod, old);
    finish(context, pod, old);
  },
  updateMetadataRules: ["update", "create"],
  validateUpdate: (context, pod, old) => validatePodResize(pod, old, updateOptions(context, old)),
  ownedFields: [
    "spec.containers.*.resources",
    "spec.containers.*.resizePolicy",
    "spec.initContainers.*.resources",
    "spec.initContainers.*.resizePolicy",
    "spec.resources",
  ],
};

/** When containers were added, removed or renamed, all stays for validation to refuse. */
function keepAllButSizes({ gate }: StrategyContext, pod: PodObject, old: PodObject): void {
  const { containers = [], initContainers = [], resources } = pod.spec ?? {};
  const { containers: before = [], initContainers: initBefore = [] } = old.spec ?? {};
  if (containers.length !== before.length || initContainers.length !== initBefore.length) return;
  keepFields(pod, old, "spec", "status");
  keepMetadata(pod, old);
  pod.spec ??= {};
  pod.spec.containers = withSizes(containers, before);
  if (initContainers.length > 0) pod.spec.initContainers = withSizes(initContainers, initBefore);
  if (!gate("InPlacePodLevelResourcesVerticalScaling")) return;
  if (resources === undefined) delete pod.spec.resources;
  else pod.spec.resources = resources;
}

function withSizes(now: Container[], old: readonly Container[]): Container[] {
  if (now.some(({ name }, i) => name !== old[i]?.name)) return now;
  return now.map((container, i) => {
    const merged: Container = cloneJson(old[i] ?? {});
    keepFields(merged, container, "resources", "resizePolicy");
    return merged;
  });
}
