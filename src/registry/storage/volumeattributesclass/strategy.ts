/** Upstream: pkg/registry/storage/volumeattributesclass/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { VolumeAttributesClass } from "../../../apis/storage/v1/types.ts";
import {
  validateVolumeAttributesClass,
  validateVolumeAttributesClassUpdate,
} from "../../../apis/storage/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<VolumeAttributesClass>> = {
  group: "storage.k8s.io",
  resource: "volumeattributesclasses",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    validate: (_context, object) => validateVolumeAttributesClass(object),
    updateMetadataRules: ["update", "create"],
    validateUpdate: (_context, object, old) => validateVolumeAttributesClassUpdate(object, old),
  },
  defaults: {},
};
