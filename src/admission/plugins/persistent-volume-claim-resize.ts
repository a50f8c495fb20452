/** A bound claim may grow where its class allows it. Upstream: plugin/pkg/admission/storage/persistentvolume/resize. */
import { compareQuantity, parseQuantity } from "../../apimachinery/quantity.ts";
import type { PersistentVolumeClaim } from "../../apis/core/v1/types.ts";
import type { StorageClass } from "../../apis/storage/v1/types.ts";
import { deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, Listers } from "../plugin.ts";

const STORAGE_CLASSES = { group: "storage.k8s.io", resource: "storageclasses" };
const NOT_RESIZABLE =
  "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";

export function persistentVolumeClaimResize(listers: Listers): AdmissionPlugin {
  return {
    name: "PersistentVolumeClaimResize",

    handles(attributes) {
      return (
        attributes.operation === "UPDATE" && isResource(attributes, "", "persistentvolumeclaims")
      );
    },

    async validate(attributes) {
      const claim = attributes.object as PersistentVolumeClaim;
      const old = attributes.oldObject as PersistentVolumeClaim | undefined;
      const size = claim.spec?.resources?.requests?.["storage"] ?? "0";
      const oldSize = old?.spec?.resources?.requests?.["storage"] ?? "0";
      if (compareQuantity(parseQuantity(oldSize), parseQuantity(size)) >= 0) return;
      if (old?.status?.phase !== "Bound") {
        throw deny(attributes, "Only bound persistent volume claims can be expanded");
      }
      const annotated = claim.metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"];
      const name = annotated ?? claim.spec?.storageClassName ?? "";
      const found = await listers.get<StorageClass>(STORAGE_CLASSES, "", name);
      if (name === "" || !found?.allowVolumeExpansion) throw deny(attributes, NOT_RESIZABLE);
    },
  };
}
