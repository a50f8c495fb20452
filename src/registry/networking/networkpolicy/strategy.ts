/** Upstream: pkg/registry/networking/networkpolicy/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setNetworkPolicyDefaults } from "../../../apis/networking/v1/defaults/networking.ts";
import type { NetworkPolicy } from "../../../apis/networking/v1/types.ts";
import {
  validateNetworkPolicy,
  warningsForNetworkPolicy,
} from "../../../apis/networking/v1/validation/networkpolicy.ts";
import { bumpGenerationOf } from "../../changed.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<NetworkPolicy>> = {
  group: "networking.k8s.io",
  resource: "networkpolicies",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validateNetworkPolicy(object),
    warningsOnCreate: (_context, object) => warningsForNetworkPolicy(object),
    prepareForUpdate: (_context, object, old) =>
      bumpGenerationOf(object, old, "k8s.io/api/networking/v1.NetworkPolicy", "spec"),
    validateUpdate: (_context, object, old) => validateNetworkPolicy(object, old),
    warningsOnUpdate: (_context, object) => warningsForNetworkPolicy(object),
  },
  defaults: { v1: setNetworkPolicyDefaults },
};
