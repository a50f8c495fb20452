/** Upstream: pkg/registry/scheduling/workload/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { Workload } from "../../../apis/scheduling/v1alpha2/types.ts";
import {
  validateWorkload,
  validateWorkloadUpdate,
} from "../../../apis/scheduling/v1alpha2/validation.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";
import { applyGates } from "../gated-fields.ts";

/** Templates are matched with the stored ones by their place. */
function prepare({ gate }: StrategyContext, object: Workload, old?: Workload): void {
  const before = old?.spec?.podGroupTemplates ?? [];
  for (const [i, template] of (object.spec?.podGroupTemplates ?? []).entries()) {
    applyGates(gate, template, before[i]);
  }
}

export const registration: ResourceRegistration<Kube<Workload>> = {
  group: "scheduling.k8s.io",
  resource: "workloads",
  strategy: {
    validateName: nameIsDNSSubdomain,
    prepareForCreate: prepare,
    validate: (_context, object) => validateWorkload(object),
    prepareForUpdate: prepare,
    validateUpdate: (_context, object, old) => validateWorkloadUpdate(object, old),
  },
  defaults: {},
};
