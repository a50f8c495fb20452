/** Upstream: pkg/registry/core/endpoint/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setEndpointsDefaults } from "../../../apis/core/v1/defaults/endpoints.ts";
import type { Endpoints } from "../../../apis/core/v1/types.ts";
import {
  validateEndpoints,
  warningsForEndpoints,
} from "../../../apis/core/v1/validation/endpoints.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<Endpoints>> = {
  group: "",
  resource: "endpoints",
  strategy: {
    validateName: nameIsDNSSubdomain,
    allowCreateOnUpdate: true,
    validate: (_context, object) => validateEndpoints(object),
    warningsOnCreate: (_context, object) => warningsForEndpoints(object),
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, object, old) => validateEndpoints(object, old),
    warningsOnUpdate: (_context, object) => warningsForEndpoints(object),
  },
  defaults: { v1: setEndpointsDefaults },
};
