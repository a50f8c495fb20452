/** Defaults of volumes. Upstream: pkg/apis/core/v1/defaults.go. */
import type { PersistentVolumeClaimSpec, Volume } from "../types.ts";
import { defaultPullPolicy } from "./image-tag.ts";

const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;

/** The spec of a claim, also inside templates. */
export function setDefaultsPersistentVolumeClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= "Filesystem";
}

/** One volume: a source when it has none, and the source's own defaults. */
export function setDefaultsVolume(volume: Volume): void {
  const hasSource = Object.entries(volume).some(
    ([name, value]) => name !== "name" && value !== undefined,
  );
  if (!hasSource) volume.emptyDir = {};
  for (const source of [volume.secret, volume.configMap, volume.downwardAPI, volume.projected]) {
    if (source !== undefined) source.defaultMode ??= FILE_MODE;
  }
  for (const { serviceAccountToken, downwardAPI } of volume.projected?.sources ?? []) {
    if (serviceAccountToken !== undefined) serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS;
    for (const { fieldRef } of downwardAPI?.items ?? []) setApiVersion(fieldRef);
  }
  for (const { fieldRef } of volume.downwardAPI?.items ?? []) setApiVersion(fieldRef);
  if (volume.hostPath !== undefined) volume.hostPath.type ??= "";
  if (volume.image !== undefined) {
    volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference);
  }
  const claim = volume.ephemeral?.volumeClaimTemplate;
  if (claim !== undefined) {
    claim.spec ??= {};
    setDefaultsPersistentVolumeClaimSpec(claim.spec);
  }
  setDefaultsOldSources(volume);
}

/** A reference to a field is to a field of v1. */
export function setApiVersion(ref: { apiVersion?: string | undefined } | undefined): void {
  if (ref !== undefined) ref.apiVersion ||= "v1";
}

interface SharedSources extends Pick<Volume, "azureDisk"> {
  iscsi?: { iscsiInterface?: string | undefined } | undefined;
  rbd?:
    | { pool?: string | undefined; user?: string | undefined; keyring?: string | undefined }
    | undefined;
  scaleIO?: { storageMode?: string | undefined; fsType?: string | undefined } | undefined;
}

/** Sources that persistent volumes have too. */
export function setDefaultsOldSources({ iscsi, rbd, azureDisk, scaleIO }: SharedSources): void {
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
