/** Upstream: pkg/registry/scheduling/podgroup/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { PodGroup } from "../../../apis/scheduling/v1alpha2/types.ts";
import {
  validatePodGroup,
  validatePodGroupStatus,
  validatePodGroupUpdate,
} from "../../../apis/scheduling/v1alpha2/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, keepMetadata } from "../../strategy-parts.ts";
import { applyGates } from "../gated-fields.ts";

export const registration: ResourceRegistration<Kube<PodGroup>> = {
  group: "scheduling.k8s.io",
  resource: "podgroups",
  strategy: {
    validateName: nameIsDNSSubdomain,
    prepareForCreate({ gate }, object) {
      delete object.status;
      applyGates(gate, object.spec, undefined);
    },
    validate: ({ gate }, object) => validatePodGroup(object, gate),
    prepareForUpdate({ gate }, object, old) {
      keepFields(object, old, "status");
      applyGates(gate, object.spec, old.spec);
    },
    validateUpdate: ({ gate }, object, old) => validatePodGroupUpdate(object, old, gate),
    resetFields: ["status"],
    subresources: {
      status: {
        prepareForUpdate({ gate }, object, old) {
          keepFields(object, old, "spec");
          keepMetadata(object, old);
          const isUsed = (old.spec?.resourceClaims ?? []).length > 0;
          if (gate("DRAWorkloadResourceClaims") || isUsed) return;
          delete object.status?.resourceClaimStatuses;
        },
        validateUpdate: (_context, object) => validatePodGroupStatus(object),
        resetFields: ["metadata", "spec"],
      },
    },
  },
  defaults: {},
};
