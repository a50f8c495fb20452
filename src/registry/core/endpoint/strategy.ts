/** Upstream: pkg/registry/core/endpoint/strategy.go. */
import { Path } from "../../../apimachinery/validation/field.ts";
import {
  nameIsDNSSubdomain,
  validateKubeObjectMeta,
} from "../../../apimachinery/validation/object-meta.ts";
import { setEndpointsDefaults } from "../../../apis/core/v1/defaults/endpoints.ts";
import type { Endpoints } from "../../../apis/core/v1/types.ts";
import {
  validateEndpoints,
  warningsForEndpoints,
} from "../../../apis/core/v1/validation/endpoints.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

const METADATA = Path.root("metadata");

export const registration: ResourceRegistration<Kube<Endpoints>> = {
  group: "",
  resource: "endpoints",
  strategy: {
    validateName: nameIsDNSSubdomain,
    allowCreateOnUpdate: true,
    validate: (_context, object) => validateEndpoints(object),
    warningsOnCreate: (_context, object) => warningsForEndpoints(object),
    validateUpdate: (_context, object, old) => [
      ...validateKubeObjectMeta(object.metadata ?? {}, true, nameIsDNSSubdomain, METADATA),
      ...validateEndpoints(object, old),
    ],
    warningsOnUpdate: (_context, object) => warningsForEndpoints(object),
  },
  defaults: { v1: setEndpointsDefaults },
};
