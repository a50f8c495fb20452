/** Upstream: pkg/registry/coordination/leasecandidate/strategy.go. */

import {
  nameIsConfigKey,
  validateLeaseCandidate,
  validateLeaseCandidateUpdate,
} from "../../../apis/coordination/v1/validation/lease.ts";
import type { LeaseCandidate } from "../../../apis/coordination/v1beta1/types.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<LeaseCandidate>> = {
  group: "coordination.k8s.io",
  resource: "leasecandidates",
  strategy: {
    validateName: nameIsConfigKey,
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    validate: (_context, object) => validateLeaseCandidate(object),
    validateUpdate: (_context, object, old) => validateLeaseCandidateUpdate(object, old),
  },
  defaults: {},
};
