/** Upstream: pkg/registry/storagemigration/storagemigration/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { StorageVersionMigration } from "../../../apis/storagemigration/v1beta1/types.ts";
import {
  validateStorageVersionMigration,
  validateStorageVersionMigrationStatus,
  validateStorageVersionMigrationUpdate,
} from "../../../apis/storagemigration/v1beta1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

type Migration = Kube<StorageVersionMigration>;

export const registration: ResourceRegistration<Migration> = {
  group: "storagemigration.k8s.io",
  resource: "storageversionmigrations",
  strategy: {
    validateName: nameIsDNSSubdomain,
    prepareForCreate(_context, object) {
      delete object.status;
    },
    validate: (_context, object) => validateStorageVersionMigration(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object, old) => validateStorageVersionMigrationUpdate(object, old),
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    subresources: {
      status: {
        ...statusStrategy<Migration>(validateStorageVersionMigrationStatus, {
          keepsMetadata: true,
        }),
        allowUnconditionalUpdate: false,
      },
    },
  },
  defaults: {},
};
