/** Upstream: pkg/registry/resource/resourceclaimtemplate/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setResourceClaimTemplateDefaults } from "../../../apis/resource/v1/defaults.ts";
import type { ResourceClaimTemplate } from "../../../apis/resource/v1/types.ts";
import {
  validateResourceClaimTemplate,
  validateResourceClaimTemplateUpdate,
} from "../../../apis/resource/v1/validation.ts";
import { templateFromV1, templateToV1 } from "../../../apis/resource/v1beta1/conversion.ts";
import { setClaimSpecDefaults } from "../../../apis/resource/v1beta1/defaults.ts";
import type { ResourceClaimSpec as V1beta1Spec } from "../../../apis/resource/v1beta1/types.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";
import { dropDisabledClaimFields } from "../claim-features.ts";

export const registration: ResourceRegistration<Kube<ResourceClaimTemplate>> = {
  group: "resource.k8s.io",
  resource: "resourceclaimtemplates",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    prepareForCreate: ({ gate }, object) =>
      dropDisabledClaimFields(gate, object.spec?.spec, undefined),
    validate: (_context, object) => validateResourceClaimTemplate(object),
    prepareForUpdate: ({ gate }, object, old) =>
      dropDisabledClaimFields(gate, object.spec?.spec, old.spec?.spec),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => [
      ...validateResourceClaimTemplate(object),
      ...validateResourceClaimTemplateUpdate(object, old),
    ],
  },
  defaults: {
    v1: setResourceClaimTemplateDefaults,
    v1beta2: setResourceClaimTemplateDefaults,
    v1beta1: (template) => setClaimSpecDefaults(template.spec?.spec as V1beta1Spec | undefined),
  },
  converters: { v1beta1: { toStorage: templateToV1, fromStorage: templateFromV1 } },
};
