/** Upstream: pkg/apis/storage/v1/defaults.go. */
import type { CSIDriver, StorageClass } from "./types.ts";

/** Upstream: SetDefaults_StorageClass. */
export function setStorageClassDefaults(
  storageClass: Pick<StorageClass, "reclaimPolicy" | "volumeBindingMode">,
): void {
  storageClass.reclaimPolicy ??= "Delete";
  storageClass.volumeBindingMode ??= "Immediate";
}

/** Upstream: SetDefaults_CSIDriver. */
export function setCSIDriverDefaults(driver: Pick<CSIDriver, "spec">): void {
  driver.spec ??= {};
  const { spec } = driver;
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ["Persistent"];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}
