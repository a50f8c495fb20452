/** Upstream: pkg/registry/admissionregistration/mutatingadmissionpolicy/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setMutatingAdmissionPolicyDefaults } from "../../../apis/admissionregistration/v1/defaults.ts";
import type { MutatingAdmissionPolicy } from "../../../apis/admissionregistration/v1/types.ts";
import { validateMutatingAdmissionPolicy } from "../../../apis/admissionregistration/v1/validation-policies.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<MutatingAdmissionPolicy>> = {
  group: "admissionregistration.k8s.io",
  resource: "mutatingadmissionpolicies",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validateMutatingAdmissionPolicy(object),
    prepareForUpdate: (_context, object, old) => bumpGeneration(object, old, "spec"),
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object, old) => validateMutatingAdmissionPolicy(object, old),
    allowUnconditionalUpdate: false,
  },
  defaults: {
    v1: setMutatingAdmissionPolicyDefaults,
    v1beta1: setMutatingAdmissionPolicyDefaults,
    v1alpha1: setMutatingAdmissionPolicyDefaults,
  },
};
