/** Defaults of PersistentVolumeClaims. Upstream: SetDefaults_PersistentVolumeClaim. */
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../types.ts";

export function setPersistentVolumeClaimDefaults(pvc: PersistentVolumeClaim): void {
  pvc.status ??= {};
  pvc.status.phase ||= "Pending";
  pvc.spec ??= {};
  setPersistentVolumeClaimSpecDefaults(pvc.spec);
}

/** Also for claim templates. */
export function setPersistentVolumeClaimSpecDefaults(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= "Filesystem";
}
