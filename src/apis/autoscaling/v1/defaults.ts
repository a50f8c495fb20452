/** Upstream: pkg/apis/autoscaling/v1/defaults.go. */
import type { HorizontalPodAutoscaler } from "./types.ts";

/** The default target is the storage version's, for it depends on annotations. */
export function setHorizontalPodAutoscalerDefaults(
  object: Pick<HorizontalPodAutoscaler, "spec">,
): void {
  object.spec ??= {};
  object.spec.minReplicas ??= 1;
}
