/** Upstream: pkg/registry/storage/storageclass/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { deprecatedNodeLabel } from "../../../apis/node/v1/node-labels.ts";
import { setStorageClassDefaults } from "../../../apis/storage/v1/defaults.ts";
import type { StorageClass } from "../../../apis/storage/v1/types.ts";
import {
  validateStorageClass,
  validateStorageClassUpdate,
} from "../../../apis/storage/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<StorageClass>> = {
  group: "storage.k8s.io",
  resource: "storageclasses",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    validate: (_context, object) => validateStorageClass(object),
    warningsOnCreate: (_context, object) => warnings(object),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => [
      ...validateStorageClass(object),
      ...validateStorageClassUpdate(object, old),
    ],
    warningsOnUpdate: (_context, object) => warnings(object),
  },
  defaults: { v1: setStorageClassDefaults },
};

function warnings(object: Kube<StorageClass>): string[] {
  const found: string[] = [];
  for (const [i, term] of (object.allowedTopologies ?? []).entries()) {
    for (const [j, { key = "" }] of (term.matchLabelExpressions ?? []).entries()) {
      const message = deprecatedNodeLabel(key);
      const path = `allowedTopologies[${i}].matchLabelExpressions[${j}].key`;
      if (message !== undefined) found.push(`${path}: ${message}`);
    }
  }
  return found;
}
