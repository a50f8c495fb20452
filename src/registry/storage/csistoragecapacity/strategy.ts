/** Upstream: pkg/registry/storage/csistoragecapacity/strategy.go. */
import { Path } from "../../../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import { warningsForNodeSelector } from "../../../apis/node/v1/node-labels.ts";
import type { CSIStorageCapacity } from "../../../apis/storage/v1/types.ts";
import {
  validateCSIStorageCapacity,
  validateCSIStorageCapacityUpdate,
} from "../../../apis/storage/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<CSIStorageCapacity>> = {
  group: "storage.k8s.io",
  resource: "csistoragecapacities",
  strategy: {
    validateName: nameIsDNSSubdomain,
    validate: (_context, object) => validateCSIStorageCapacity(object),
    warningsOnCreate: (_context, object) => warnings(object),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => [
      ...validateCSIStorageCapacity(object, old),
      ...validateCSIStorageCapacityUpdate(object, old),
    ],
    warningsOnUpdate: (_context, object) => warnings(object),
    allowUnconditionalUpdate: false,
  },
  defaults: {},
};

function warnings(object: Kube<CSIStorageCapacity>): string[] {
  return warningsForNodeSelector(object.nodeTopology, Path.root("nodeTopology"));
}
