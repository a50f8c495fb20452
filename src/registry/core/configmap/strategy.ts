/** Upstream: pkg/registry/core/configmap/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { ConfigMap } from "../../../apis/core/v1/types.ts";
import {
  validateConfigMap,
  validateConfigMapUpdate,
} from "../../../apis/core/v1/validation/configmap.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ConfigMap>> = {
  group: "",
  resource: "configmaps",
  strategy: {
    validateName: nameIsDNSSubdomain,
    validate: (_context, object) => validateConfigMap(object),
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, object, old) => validateConfigMapUpdate(object, old),
  },
  defaults: {},
};
