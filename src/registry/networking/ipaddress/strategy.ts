/** Upstream: pkg/registry/networking/ipaddress/strategy.go. */
import type { IPAddress } from "../../../apis/networking/v1/types.ts";
import {
  nameIsCanonicalIP,
  validateIPAddress,
  validateIPAddressUpdate,
} from "../../../apis/networking/v1/validation/servicecidr.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<IPAddress>> = {
  group: "networking.k8s.io",
  resource: "ipaddresses",
  strategy: {
    validateName: nameIsCanonicalIP,
    validate: (_context, object) => validateIPAddress(object),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => [
      ...validateIPAddress(object),
      ...validateIPAddressUpdate(object, old),
    ],
  },
  defaults: {},
};
