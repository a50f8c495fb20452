/**
 * Volumes and claims are not removed while a pod uses them.
 * Upstream: plugin/pkg/admission/storage/storageobjectinuseprotection.
 */
import type { AdmissionPlugin } from "../plugin.ts";

const finalizers: Readonly<Record<string, string>> = {
  "persistentvolumes.": "kubernetes.io/pv-protection",
  "persistentvolumeclaims.": "kubernetes.io/pvc-protection",
  "volumeattributesclasses.storage.k8s.io": "kubernetes.io/vac-protection",
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",

  handles({ operation, resource, subresource }) {
    const key = `${resource.resource}.${resource.group}`;
    return operation === "CREATE" && subresource === "" && key in finalizers;
  },

  admit({ object, resource }) {
    const finalizer = finalizers[`${resource.resource}.${resource.group}`] ?? "";
    object.metadata ??= {};
    const current = object.metadata.finalizers ?? [];
    if (!current.includes(finalizer)) object.metadata.finalizers = [...current, finalizer];
  },
};
