/** Upstream: pkg/registry/core/limitrange/strategy.go. */
import { randomUUID } from "node:crypto";
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setLimitRangeDefaults } from "../../../apis/core/v1/defaults/limitrange.ts";
import type { LimitRange } from "../../../apis/core/v1/types.ts";
import { validateLimitRange } from "../../../apis/core/v1/validation/limitrange.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<LimitRange>> = {
  group: "",
  resource: "limitranges",
  strategy: {
    validateName: nameIsDNSSubdomain,
    allowCreateOnUpdate: true,
    prepareForCreate(_context, object) {
      metadataOf(object).name ||= randomUUID();
    },
    validate: (_context, object) => validateLimitRange(object),
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object) => validateLimitRange(object),
  },
  defaults: { v1: setLimitRangeDefaults },
};
