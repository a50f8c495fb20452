/** Upstream: pkg/registry/storage/csinode/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { CSINode } from "../../../apis/storage/v1/types.ts";
import { validateCSINode, validateCSINodeUpdate } from "../../../apis/storage/v1/validation-csi.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<CSINode>> = {
  group: "storage.k8s.io",
  resource: "csinodes",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    validate: (_context, object) => validateCSINode(object),
    updateMetadataRules: ["create"],
    validateUpdate: (_context, object, old) => validateCSINodeUpdate(object, old),
    allowUnconditionalUpdate: false,
  },
  defaults: {},
};
