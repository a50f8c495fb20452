/** Rules around Ingresses as they are stored. Upstream: pkg/registry/networking/ingress. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { Ingress } from "../../../apis/networking/v1/types.ts";
import {
  INGRESS_CLASS_ANNOTATION,
  validateIngressCreate,
  validateIngressStatusUpdate,
  validateIngressUpdate,
  warningsForIngressStatus,
} from "../../../apis/networking/v1/validation/ingress.ts";
import { bumpGenerationOf } from "../../changed.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, startGeneration, statusStrategy } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<Ingress>> = {
  group: "networking.k8s.io",
  resource: "ingresses",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    resetFields: ["status"],
    prepareForCreate(_context, object) {
      startGeneration(object);
      delete object.status;
    },
    validate: (_context, object) => validateIngressCreate(object),
    warningsOnCreate(_context, { metadata, spec }) {
      const annotation = metadata?.annotations?.[INGRESS_CLASS_ANNOTATION];
      if (annotation === undefined || spec?.ingressClassName !== undefined) return [];
      const instead = "please use 'spec.ingressClassName' instead";
      return [`annotation "${INGRESS_CLASS_ANNOTATION}" is deprecated, ${instead}`];
    },
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, "status");
      bumpGenerationOf(object, old, "k8s.io/api/networking/v1.Ingress", "spec");
    },
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, object, old) => validateIngressUpdate(object, old),
    subresources: {
      status: {
        ...statusStrategy<Kube<Ingress>>((object, old) => validateIngressStatusUpdate(object, old)),
        warningsOnUpdate: (_context, object) => warningsForIngressStatus(object),
      },
    },
  },
  defaults: {},
};
