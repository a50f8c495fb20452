/** Upstream: pkg/registry/core/resourcequota/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { ResourceQuota } from "../../../apis/core/v1/types.ts";
import {
  validateResourceQuota,
  validateResourceQuotaStatusUpdate,
  validateResourceQuotaUpdate,
} from "../../../apis/core/v1/validation/resourcequota.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ResourceQuota>> = {
  group: "",
  resource: "resourcequotas",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    resetFields: ["status"],
    prepareForCreate(_context, object) {
      delete object.status;
    },
    validate: (_context, object) => validateResourceQuota(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    validateUpdate: (_context, object, old) => validateResourceQuotaUpdate(object, old),
    subresources: {
      status: statusStrategy<Kube<ResourceQuota>>((object) =>
        validateResourceQuotaStatusUpdate(object),
      ),
    },
  },
  defaults: {},
};
