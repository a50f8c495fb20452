/** Upstream: pkg/registry/admissionregistration/mutatingadmissionpolicybinding/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import {
  setAlphaBindingDefaults,
  setBindingDefaults,
} from "../../../apis/admissionregistration/v1/defaults.ts";
import type { MutatingAdmissionPolicyBinding } from "../../../apis/admissionregistration/v1/types.ts";
import { validateMutatingBinding } from "../../../apis/admissionregistration/v1/validation-policies.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<MutatingAdmissionPolicyBinding>> = {
  group: "admissionregistration.k8s.io",
  resource: "mutatingadmissionpolicybindings",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validateMutatingBinding(object.spec),
    prepareForUpdate: (_context, object, old) => bumpGeneration(object, old, "spec"),
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object) => validateMutatingBinding(object.spec),
    allowUnconditionalUpdate: false,
  },
  defaults: {
    v1: setBindingDefaults,
    v1beta1: setBindingDefaults,
    v1alpha1: setAlphaBindingDefaults,
  },
};
