/** Upstream: pkg/registry/resource/resourcepoolstatusrequest/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { ResourcePoolStatusRequest } from "../../../apis/resource/v1alpha3/types.ts";
import {
  validateResourcePoolStatusRequest,
  validateResourcePoolStatusRequestStatus,
} from "../../../apis/resource/v1alpha3/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, startGeneration, statusStrategy } from "../../strategy-parts.ts";

type Request = Kube<ResourcePoolStatusRequest>;

const DEFAULT_LIMIT = 100;

export const registration: ResourceRegistration<Request> = {
  group: "resource.k8s.io",
  resource: "resourcepoolstatusrequests",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate(_context, object) {
      delete object.status;
      startGeneration(object);
    },
    validate: (_context, object) => validateResourcePoolStatusRequest(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    validateUpdate: (_context, object, old) => validateResourcePoolStatusRequest(object, old),
    resetFields: ["status"],
    subresources: {
      status: statusStrategy<Request>(validateResourcePoolStatusRequestStatus, {
        keepsMetadata: true,
      }),
    },
  },
  defaults: {
    v1alpha3(object) {
      object.spec ??= {};
      object.spec.limit ??= DEFAULT_LIMIT;
    },
  },
};
