/** Upstream: pkg/registry/apiserverinternal/storageversion/strategy.go. */
import type { StorageVersion } from "../../../apis/internal/v1alpha1/types.ts";
import {
  storageVersionName,
  validateStorageVersionStatus,
} from "../../../apis/internal/v1alpha1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<StorageVersion>> = {
  group: "internal.apiserver.k8s.io",
  resource: "storageversions",
  strategy: {
    validateName: storageVersionName,
    prepareForCreate(_context, object) {
      delete object.status;
    },
    validate: (_context, object) => validateStorageVersionStatus(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    validateUpdate: (_context, object) => validateStorageVersionStatus(object),
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    subresources: {
      status: {
        ...statusStrategy<Kube<StorageVersion>>(validateStorageVersionStatus, {
          keepsMetadata: true,
        }),
        allowUnconditionalUpdate: false,
      },
    },
  },
  defaults: {},
};
