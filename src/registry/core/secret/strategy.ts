/** Upstream: pkg/registry/core/secret/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { setSecretDefaults } from "../../../apis/core/v1/defaults/secret.ts";
import type { Secret } from "../../../apis/core/v1/types.ts";
import {
  validateSecret,
  validateSecretUpdate,
  warningsForSecret,
} from "../../../apis/core/v1/validation/secret.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<Secret>> = {
  group: "",
  resource: "secrets",
  strategy: {
    validateName: nameIsDNSSubdomain,
    validate: (_context, object) => validateSecret(object),
    warningsOnCreate: (_context, object) => warningsForSecret(object),
    prepareForUpdate(_context, object, old) {
      if (!object.type && old.type) object.type = old.type;
    },
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, object, old) => validateSecretUpdate(object, old),
    warningsOnUpdate: (_context, object) => warningsForSecret(object),
  },
  defaults: { v1: setSecretDefaults },
};
