/** Upstream: pkg/registry/scheduling/priorityclass/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setPriorityClassDefaults } from "../../../apis/scheduling/v1/defaults.ts";
import type { PriorityClass } from "../../../apis/scheduling/v1/types.ts";
import {
  validatePriorityClass,
  validatePriorityClassUpdate,
} from "../../../apis/scheduling/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<PriorityClass>> = {
  group: "scheduling.k8s.io",
  resource: "priorityclasses",
  strategy: {
    validateName: nameIsDNSSubdomain,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validatePriorityClass(object),
    validateUpdate: (_context, object, old) => validatePriorityClassUpdate(object, old),
  },
  defaults: { v1: setPriorityClassDefaults },
};
