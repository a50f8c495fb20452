/** Upstream: pkg/registry/policy/poddisruptionbudget/strategy.go. */
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import type { PodDisruptionBudget } from "../../../apis/policy/v1/types.ts";
import {
  validatePodDisruptionBudget,
  validatePodDisruptionBudgetStatusUpdate,
} from "../../../apis/policy/v1/validation/poddisruptionbudget.ts";
import { bumpGenerationOf } from "../../changed.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, startGeneration, statusStrategy } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<PodDisruptionBudget>> = {
  group: "policy",
  resource: "poddisruptionbudgets",
  strategy: {
    // Upstream's validator looks at the spec only; the generic checks do the rest.
    ownMetadataRules: true,
    validateName: nameIsPathSegment,
    tracksGeneration: true,
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    prepareForCreate(_context, object) {
      startGeneration(object);
      delete object.status;
    },
    validate: (_context, object) => validatePodDisruptionBudget(object),
    prepareForUpdate(_context, object, old) {
      keepFields(object, old, "status");
      bumpGenerationOf(object, old, "k8s.io/api/policy/v1.PodDisruptionBudget", "spec");
    },
    validateUpdate: (_context, object, old) => validatePodDisruptionBudget(object, old),
    subresources: {
      status: statusStrategy<Kube<PodDisruptionBudget>>((object) =>
        validatePodDisruptionBudgetStatusUpdate(object),
      ),
    },
  },
  defaults: {},
};
