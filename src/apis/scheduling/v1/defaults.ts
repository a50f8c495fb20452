/** Upstream: pkg/apis/scheduling/v1/defaults.go. */
import type { PriorityClass } from "./types.ts";

/** Pods of a class preempt others unless it says otherwise. */
export function setPriorityClassDefaults(
  priorityClass: Pick<PriorityClass, "preemptionPolicy">,
): void {
  priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
}
