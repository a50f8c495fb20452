/** Upstream: pkg/registry/coordination/lease/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { Lease } from "../../../apis/coordination/v1/types.ts";
import { validateLease } from "../../../apis/coordination/v1/validation/lease.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

/** Fields of coordinated leader election, while it is off and the stored lease has none. */
function dropDisabledFields(
  { gate }: StrategyContext,
  { spec }: Kube<Lease>,
  old?: Kube<Lease>,
): void {
  if (spec === undefined || gate("CoordinatedLeaderElection")) return;
  if (old?.spec?.strategy === undefined) delete spec.strategy;
  if (old?.spec?.preferredHolder === undefined) delete spec.preferredHolder;
}

export const registration: ResourceRegistration<Kube<Lease>> = {
  group: "coordination.k8s.io",
  resource: "leases",
  strategy: {
    validateName: nameIsDNSSubdomain,
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
    prepareForCreate: (context, object) => dropDisabledFields(context, object),
    validate: (_context, object) => validateLease(object),
    prepareForUpdate: dropDisabledFields,
    validateUpdate: (_context, object) => validateLease(object),
  },
  defaults: {},
};
