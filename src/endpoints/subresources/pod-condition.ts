/** Upstream: pkg/api/pod/util.go UpdatePodCondition. */
import type { Pod, PodCondition } from "./binding.ts";

/** Adds or replaces a condition, in place; its time moves only when its status does. */
export function setPodCondition(pod: Pod, condition: PodCondition, now: string): void {
  const status = pod.status ?? {};
  pod.status = status;
  const conditions = status.conditions ?? [];
  status.conditions = conditions;
  const generation = pod.metadata?.generation;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const at = conditions.findIndex(({ type }) => type === condition.type);
  const old = conditions[at];
  if (old === undefined) {
    conditions.push({ ...observed, ...condition, lastTransitionTime: now });
    return;
  }
  const kept = old.status === condition.status ? old.lastTransitionTime : now;
  const time = kept === undefined ? {} : { lastTransitionTime: kept };
  conditions[at] = { ...observed, ...condition, ...time };
}
