/** Upstream: kube-aggregator/pkg/registry/apiservice/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import { setAPIServiceDefaults } from "../../../apis/apiregistration/v1/defaults.ts";
import type { APIService } from "../../../apis/apiregistration/v1/types.ts";
import {
  validateAPIService,
  validateAPIServiceStatus,
} from "../../../apis/apiregistration/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<APIService>> = {
  group: "apiregistration.k8s.io",
  resource: "apiservices",
  strategy: {
    validateName: nameIsPathSegment,
    prepareForCreate({ now }, object) {
      object.status = {};
      if (object.spec?.service !== undefined) return;
      const condition = {
        type: "Available",
        status: "True",
        lastTransitionTime: now()
          .toISOString()
          .replace(/\.\d+Z$/, "Z"),
        reason: "Local",
        message: "Local APIServices are always available",
      };
      object.status = { conditions: [condition] };
    },
    validate: (_context, object) => validateAPIService(object),
    prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object) => validateAPIService(object),
    allowUnconditionalUpdate: false,
    resetFields: ["status"],
    subresources: {
      status: {
        prepareForUpdate(_context, object, old) {
          keepFields(object, old, "spec");
          const kept = ["labels", "annotations", "finalizers", "ownerReferences"] as const;
          keepFields(metadataOf(object), old.metadata ?? {}, ...kept);
        },
        validateUpdate: (_context, object) => validateAPIServiceStatus(object),
        resetFields: ["spec", "metadata"],
        allowUnconditionalUpdate: false,
      },
    },
  },
  defaults: { v1: setAPIServiceDefaults },
};
