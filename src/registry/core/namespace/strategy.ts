/** Upstream: pkg/registry/core/namespace/strategy.go. */
import { metadataOf } from "../../../apimachinery/meta/types.ts";
import { nameIsDNSLabel } from "../../../apimachinery/validation/object-meta.ts";
import {
  METADATA_NAME_LABEL,
  setNamespaceDefaults,
} from "../../../apis/core/v1/defaults/namespace.ts";
import type { Namespace } from "../../../apis/core/v1/types.ts";
import {
  validateNamespace,
  validateNamespaceFinalizeUpdate,
  validateNamespaceStatusUpdate,
} from "../../../apis/core/v1/validation/namespace.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import { type Kube, keepFields, statusStrategy } from "../../strategy-parts.ts";

const KUBERNETES_FINALIZER = "kubernetes";

export const registration: ResourceRegistration<Kube<Namespace>> = {
  group: "",
  resource: "namespaces",
  strategy: {
    validateName: nameIsDNSLabel,
    returnsDeletedObject: true,
    resetFields: ["status"],
    prepareForCreate(_context, object) {
      object.status = { phase: "Active" };
      object.spec ??= {};
      const finalizers = object.spec.finalizers ?? [];
      object.spec.finalizers = finalizers.includes(KUBERNETES_FINALIZER)
        ? finalizers
        : [...finalizers, KUBERNETES_FINALIZER];
    },
    validate: (_context, object) => validateNamespace(object),
    prepareForUpdate(_context, object, old) {
      object.spec ??= {};
      keepFields(object.spec, old.spec ?? {}, "finalizers");
      keepFields(object, old, "status");
    },
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, object) => validateNamespace(object),
    canonicalize(object) {
      // A generated name was not known yet when defaults were set.
      const metadata = metadataOf(object);
      if (!metadata.name) return;
      metadata.labels ??= {};
      metadata.labels[METADATA_NAME_LABEL] = metadata.name;
    },
    subresources: {
      status: statusStrategy<Kube<Namespace>>((object) => validateNamespaceStatusUpdate(object)),
      finalize: {
        prepareForUpdate: (_context, object, old) => keepFields(object, old, "status"),
        validateUpdate: (_context, object) => validateNamespaceFinalizeUpdate(object),
        resetFields: ["status"],
      },
    },
  },
  defaults: { v1: setNamespaceDefaults },
};
