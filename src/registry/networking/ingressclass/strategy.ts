/** Upstream: pkg/registry/networking/ingressclass/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setIngressClassDefaults } from "../../../apis/networking/v1/defaults/networking.ts";
import type { IngressClass } from "../../../apis/networking/v1/types.ts";
import {
  validateIngressClass,
  validateIngressClassUpdate,
} from "../../../apis/networking/v1/validation/ingress.ts";
import { bumpGenerationOf } from "../../changed.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<IngressClass>> = {
  group: "networking.k8s.io",
  resource: "ingressclasses",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validateIngressClass(object),
    prepareForUpdate: (_context, object, old) =>
      bumpGenerationOf(object, old, "k8s.io/api/networking/v1.IngressClass", "spec"),
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, object, old) => [
      ...validateIngressClassUpdate(object, old),
      ...validateIngressClass(object),
    ],
  },
  defaults: { v1: setIngressClassDefaults },
};
