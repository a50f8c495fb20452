/** Defaults of PersistentVolumes. Upstream: SetDefaults_PersistentVolume and those of sources. */
import type { PersistentVolume, PersistentVolumeSpec } from "../types.ts";

export function setPersistentVolumeDefaults(pv: PersistentVolume): void {
  pv.status ??= {};
  pv.status.phase ||= "Pending";
  pv.spec ??= {};
  const { spec } = pv;
  spec.persistentVolumeReclaimPolicy ||= "Retain";
  spec.volumeMode ??= "Filesystem";
  setPersistentVolumeSourceDefaults(spec);
}

/** Also for the inline specs of VolumeAttachments. */
export function setPersistentVolumeSourceDefaults(spec: PersistentVolumeSpec): void {
  const { hostPath, iscsi, rbd, azureDisk, scaleIO } = spec;
  if (hostPath !== undefined) hostPath.type ??= "";
  if (iscsi !== undefined) iscsi.iscsiInterface ||= "default";
  if (rbd !== undefined) {
    rbd.pool ||= "rbd";
    rbd.user ||= "admin";
    rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (azureDisk !== undefined) {
    azureDisk.cachingMode ??= "ReadWrite";
    azureDisk.kind ??= "Shared";
    azureDisk.fsType ??= "ext4";
    azureDisk.readOnly ??= false;
  }
  if (scaleIO !== undefined) {
    scaleIO.storageMode ||= "ThinProvisioned";
    scaleIO.fsType ||= "xfs";
  }
}
