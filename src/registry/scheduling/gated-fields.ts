/** Upstream: the dropDisabled functions of pkg/registry/scheduling/{podgroup,workload}/strategy.go. */
import type { PodGroupSpec, PodGroupTemplate } from "../../apis/scheduling/v1alpha2/types.ts";
import { GATED } from "../../apis/scheduling/v1alpha2/validation.ts";

type Group = PodGroupSpec | PodGroupTemplate;

/**
 * Drops the fields behind gates that are off, unless the stored object has them, and sets the
 * default that a gate brings.
 */
export function applyGates(
  gate: (name: string) => boolean,
  group: Group | undefined,
  old: Group | undefined,
): void {
  if (group === undefined) return;
  for (const name of Object.keys(GATED) as (keyof typeof GATED)[]) {
    const isUsed = old?.[name] !== undefined && old[name] !== "";
    if (!gate(GATED[name]) && !isUsed) delete group[name];
  }
  if (!gate("WorkloadAwarePreemption") || group.disruptionMode !== undefined) return;
  const mode = old === undefined ? "Pod" : old.disruptionMode;
  if (mode !== undefined) group.disruptionMode = mode;
}
