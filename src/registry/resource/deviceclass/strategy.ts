/** Upstream: pkg/registry/resource/deviceclass/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { DeviceClass } from "../../../apis/resource/v1/types.ts";
import { validateDeviceClass } from "../../../apis/resource/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { bumpGeneration, type Kube, startGeneration } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<DeviceClass>> = {
  group: "resource.k8s.io",
  resource: "deviceclasses",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    tracksGeneration: true,
    prepareForCreate: (_context, object) => startGeneration(object),
    validate: (_context, object) => validateDeviceClass(object),
    prepareForUpdate: (_context, object, old) => bumpGeneration(object, old, "spec"),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object) => validateDeviceClass(object),
  },
  defaults: {},
};
