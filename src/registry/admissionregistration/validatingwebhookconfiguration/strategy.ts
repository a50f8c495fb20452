/** Upstream: pkg/registry/admissionregistration/validatingwebhookconfiguration/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setValidatingWebhookConfigurationDefaults } from "../../../apis/admissionregistration/v1/defaults.ts";
import type { ValidatingWebhookConfiguration } from "../../../apis/admissionregistration/v1/types.ts";
import { validateWebhooks } from "../../../apis/admissionregistration/v1/validation-webhooks.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ValidatingWebhookConfiguration>> = {
  group: "admissionregistration.k8s.io",
  resource: "validatingwebhookconfigurations",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validateWebhooks(object),
    prepareForUpdate: (_context, object, old) => bumpGeneration(object, old, "webhooks"),
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object, old) => validateWebhooks(object, old),
    allowUnconditionalUpdate: false,
  },
  defaults: { v1: setValidatingWebhookConfigurationDefaults },
};
