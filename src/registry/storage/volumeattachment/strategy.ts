/** Upstream: pkg/registry/storage/volumeattachment/strategy.go. */
import { nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { VolumeAttachment } from "../../../apis/storage/v1/types.ts";
import {
  validateVolumeAttachment,
  validateVolumeAttachmentUpdate,
} from "../../../apis/storage/v1/validation-csi.ts";
import { goStruct } from "../../../apis/validation/common.ts";
import type { ResourceRegistration, StrategyContext } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

type Attachment = Kube<VolumeAttachment>;

export const registration: ResourceRegistration<Attachment> = {
  group: "storage.k8s.io",
  resource: "volumeattachments",
  strategy: {
    validateName: nameIsDNSSubdomain,
    returnsDeletedObject: true,
    prepareForCreate(_context, object) {
      delete object.status;
    },
    validate: (_context, object) => validateVolumeAttachment(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    updateMetadataRules: ["create"],
    validateUpdate: validateUpdate,
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    subresources: {
      status: {
        ...statusStrategy<Attachment>(() => [], { keepsMetadata: true }),
        validateUpdate,
        allowUnconditionalUpdate: false,
      },
    },
  },
  defaults: {},
};

function validateUpdate(_context: StrategyContext, object: Attachment, old: Attachment) {
  return validateVolumeAttachmentUpdate(object, old, () =>
    goStruct(object.spec ?? {}, "k8s.io/api/storage/v1.VolumeAttachmentSpec"),
  );
}
