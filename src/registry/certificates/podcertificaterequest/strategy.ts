/** Upstream: pkg/registry/certificates/podcertificaterequest/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { PodCertificateRequest } from "../../../apis/certificates/v1beta1/types.ts";
import {
  validatePodCertificateRequest,
  validatePodCertificateRequestStatus,
  validatePodCertificateRequestUpdate,
} from "../../../apis/certificates/v1beta1/validation-pod-request.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

type Request = Kube<PodCertificateRequest>;

const DAY = 24 * 60 * 60;

export const registration: ResourceRegistration<Request> = {
  group: "certificates.k8s.io",
  resource: "podcertificaterequests",
  strategy: {
    validateName: nameIsDNSSubdomain,
    prepareForCreate(_context, object) {
      delete object.status;
    },
    validate: (_context, object) => validatePodCertificateRequest(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    validateUpdate: (_context, object, old) => validatePodCertificateRequestUpdate(object, old),
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    subresources: {
      status: {
        ...statusStrategy<Request>(
          (object, old, { now }) => validatePodCertificateRequestStatus(object, old, now()),
          { keepsMetadata: true },
        ),
        allowUnconditionalUpdate: false,
      },
    },
  },
  defaults: {
    v1beta1(object) {
      object.spec ??= {};
      object.spec.maxExpirationSeconds ??= DAY;
    },
  },
};
