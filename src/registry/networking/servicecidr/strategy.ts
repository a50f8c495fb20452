/** Upstream: pkg/registry/networking/servicecidr/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { ServiceCIDR } from "../../../apis/networking/v1/types.ts";
import {
  validateServiceCIDR,
  validateServiceCIDRUpdate,
} from "../../../apis/networking/v1/validation/servicecidr.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ServiceCIDR>> = {
  group: "networking.k8s.io",
  resource: "servicecidrs",
  strategy: {
    validateName: nameIsDNSSubdomain,
    resetFields: ["status"],
    prepareForCreate(_context, object) {
      delete object.status;
    },
    validate: (_context, object) => validateServiceCIDR(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    validateUpdate: (_context, object, old) => validateServiceCIDRUpdate(object, old),
    subresources: {
      status: statusStrategy<Kube<ServiceCIDR>>(undefined, { keepsMetadata: true }),
    },
  },
  defaults: {},
};
