/** Upstream: pkg/registry/admissionregistration/validatingadmissionpolicybinding/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setBindingDefaults } from "../../../apis/admissionregistration/v1/defaults.ts";
import type { ValidatingAdmissionPolicyBinding } from "../../../apis/admissionregistration/v1/types.ts";
import { validateValidatingBinding } from "../../../apis/admissionregistration/v1/validation-policies.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ValidatingAdmissionPolicyBinding>> = {
  group: "admissionregistration.k8s.io",
  resource: "validatingadmissionpolicybindings",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validateValidatingBinding(object.spec),
    prepareForUpdate: (_context, object, old) => bumpGeneration(object, old, "spec"),
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object) => validateValidatingBinding(object.spec),
    allowUnconditionalUpdate: false,
  },
  defaults: { v1: setBindingDefaults },
};
