/** Upstream: pkg/registry/node/runtimeclass/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { podValidationOptions } from "../../../apis/core/v1/validation/options.ts";
import { deprecatedNodeLabel } from "../../../apis/node/v1/node-labels.ts";
import type { RuntimeClass } from "../../../apis/node/v1/types.ts";
import {
  validateRuntimeClass,
  validateRuntimeClassUpdate,
} from "../../../apis/node/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<RuntimeClass>> = {
  group: "node.k8s.io",
  resource: "runtimeclasses",
  strategy: {
    validateName: nameIsDNSSubdomain,
    validate: (context, object) => validateRuntimeClass(object, podValidationOptions(context)),
    warningsOnCreate: (_context, object) => warnings(object),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (context, object, old) => [
      ...validateRuntimeClass(object, podValidationOptions(context)),
      ...validateRuntimeClassUpdate(object, old),
    ],
    warningsOnUpdate: (_context, object) => warnings(object),
    allowCreateOnUpdate: true,
    allowUnconditionalUpdate: false,
  },
  defaults: {},
};

function warnings(object: Kube<RuntimeClass>): string[] {
  return Object.keys(object.scheduling?.nodeSelector ?? {})
    .sort()
    .flatMap((key) => {
      const message = deprecatedNodeLabel(key);
      return message === undefined ? [] : [`scheduling.nodeSelector: ${message}`];
    });
}
