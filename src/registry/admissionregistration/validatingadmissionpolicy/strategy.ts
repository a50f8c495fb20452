/** Upstream: pkg/registry/admissionregistration/validatingadmissionpolicy/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setValidatingAdmissionPolicyDefaults } from "../../../apis/admissionregistration/v1/defaults.ts";
import type { ValidatingAdmissionPolicy } from "../../../apis/admissionregistration/v1/types.ts";
import {
  validatePolicyStatus,
  validateValidatingAdmissionPolicy,
} from "../../../apis/admissionregistration/v1/validation-policies.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import {
  bumpGeneration,
  type Kube,
  keepFields,
  startGeneration,
  statusStrategy,
} from "../../strategy-parts.ts";

type Policy = Kube<ValidatingAdmissionPolicy>;

export const registration: ResourceRegistration<Policy> = {
  group: "admissionregistration.k8s.io",
  resource: "validatingadmissionpolicies",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate(_context, object) {
      delete object.status;
      startGeneration(object);
    },
    validate: (_context, object) => validateValidatingAdmissionPolicy(object),
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, "status");
      bumpGeneration(object, old, "spec");
    },
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object, old) => validateValidatingAdmissionPolicy(object, old),
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    subresources: {
      status: {
        ...statusStrategy<Policy>((object) => validatePolicyStatus(object.status), {
          keepsMetadata: true,
        }),
        allowUnconditionalUpdate: false,
      },
    },
  },
  defaults: { v1: setValidatingAdmissionPolicyDefaults },
};
