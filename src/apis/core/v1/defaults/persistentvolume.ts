/** Defaults of PersistentVolumes. Upstream: SetDefaults_PersistentVolume and those of sources. */
import type { PersistentVolume, PersistentVolumeSpec } from "../types.ts";
import { setDefaultsOldSources } from "./volumes.ts";

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
  const { hostPath } = spec;
  if (hostPath !== undefined) hostPath.type ??= "";
  setDefaultsOldSources(spec);
}
