/** Upstream: pkg/registry/core/pod/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setDefaultsPod } from "../../../apis/core/v1/defaults/pod.ts";
import { dropDisabledPodFields } from "../../../apis/core/v1/pod-features.ts";
import type { Pod } from "../../../apis/core/v1/types.ts";
import { validatePodCreate, validatePodUpdate } from "../../../apis/core/v1/validation/pod.ts";
import { nameWarnings, podWarnings } from "../../../apis/core/v1/warnings/pod.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";
import { createOptions, updateOptions } from "./options.ts";
import { preparePod } from "./prepare.ts";
import {
  bumpPodGeneration,
  ephemeralContainersEndpoint,
  resizeEndpoint,
  statusEndpoint,
} from "./subresources.ts";

export const registration: ResourceRegistration<Kube<Pod>> = {
  group: "",
  resource: "pods",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    returnsDeletedObject: true,
    resetFields: ["status"],
    prepareForCreate: preparePod,
    validate: (context, pod) => validatePodCreate(pod, createOptions(context)),
    warningsOnCreate: (_context, pod) => [
      ...nameWarnings(pod.metadata?.name, "the Pod's hostname"),
      ...podWarnings(pod),
    ],
    prepareForUpdate({ gate }, pod, old) {
      keepFields(pod, old, "status");
      dropDisabledPodFields(gate, pod.spec, old.spec);
      bumpPodGeneration(pod, old);
    },
    updateMetadataRules: ["update", "create"],
    validateUpdate: (context, pod, old) => validatePodUpdate(pod, old, updateOptions(context, old)),
    gracefulDeleteSeconds,
    subresources: {
      status: statusEndpoint,
      ephemeralcontainers: ephemeralContainersEndpoint,
      resize: resizeEndpoint,
    },
  },
  defaults: { v1: setDefaultsPod },
};

/** Pods that no node runs have nothing to wait for. */
function gracefulDeleteSeconds({ spec, status }: Kube<Pod>, asked: number | undefined): number {
  const isDone = status?.phase === "Failed" || status?.phase === "Succeeded";
  if (!spec?.nodeName || isDone) return 0;
  const seconds = asked ?? Number(spec.terminationGracePeriodSeconds ?? 0);
  return seconds < 0 ? 1 : seconds;
}
