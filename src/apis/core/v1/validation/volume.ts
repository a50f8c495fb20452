/** A pod's volumes. Upstream: ValidateVolumes, validateVolumeSource. */
import type { ObjectMeta } from "../../../../apimachinery/meta/types.ts";
import { quantitySign } from "../../../../apimachinery/quantity.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  type Path,
  quote,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { byteLength, isDNS1123Subdomain } from "../../../../apimachinery/validation/names.ts";
import { quantityFrom, validateDNS1123Label } from "../../../validation/common.ts";
import type { Volume } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";
import { validatePullPolicy } from "./pull-policy.ts";
import { validatePersistentVolumeClaimTemplate } from "./volume-claim.ts";
import { validateDownwardAPI, validateProjected } from "./volume-projected.ts";
import * as source from "./volume-source.ts";

type Rule = (volume: Volume, at: Path, options: PodValidationOptions) => ErrorList;
type SourceName = Exclude<keyof Volume, "name">;

interface SourceRule {
  readonly name: SourceName;
  /** Where errors of the source are reported, when that is not its name. */
  readonly path?: string;
  /** Where a second source is refused, when that is not its name. */
  readonly refusedPath?: string;
  readonly rule: Rule;
}

const requiring =
  (name: SourceName, ...fields: string[]): Rule =>
  (volume, at) =>
    source.requireFields(volume[name] ?? {}, at, ...fields);

/** In the order in which upstream looks for them: it decides which is refused as the second. */
const SOURCES: readonly SourceRule[] = [
  { name: "emptyDir", rule: (v, at) => emptyDirErrors(v, at) },
  { name: "hostPath", rule: (v, at) => source.validateHostPath(v.hostPath ?? {}, at) },
  { name: "gitRepo", rule: (v, at) => source.validateGitRepo(v.gitRepo ?? {}, at) },
  {
    name: "gcePersistentDisk",
    path: "persistentDisk",
    rule: (v, at, o) => [
      ...requiring("gcePersistentDisk", "pdName")(v, at, o),
      ...source.validatePartition(v.gcePersistentDisk ?? {}, at),
    ],
  },
  {
    name: "awsElasticBlockStore",
    rule: (v, at, o) => [
      ...requiring("awsElasticBlockStore", "volumeID")(v, at, o),
      ...source.validatePartition(v.awsElasticBlockStore ?? {}, at),
    ],
  },
  { name: "secret", rule: (v, at) => source.validateKeyedSource(v.secret ?? {}, "secretName", at) },
  { name: "nfs", rule: (v, at) => source.validateNFS(v.nfs ?? {}, at) },
  { name: "iscsi", rule: (v, at) => source.validateISCSI(v.iscsi ?? {}, at) },
  { name: "glusterfs", rule: requiring("glusterfs", "endpoints", "path") },
  { name: "flocker", rule: (v, at) => source.validateFlocker(v.flocker ?? {}, at) },
  { name: "persistentVolumeClaim", rule: requiring("persistentVolumeClaim", "claimName") },
  { name: "rbd", rule: requiring("rbd", "monitors", "image") },
  {
    name: "cinder",
    rule: (v, at, o) => [
      ...requiring("cinder", "volumeID")(v, at, o),
      ...source.requireSecretName(v.cinder?.secretRef, at),
    ],
  },
  { name: "cephfs", refusedPath: "cephFS", rule: requiring("cephfs", "monitors") },
  { name: "quobyte", rule: (v, at) => source.validateQuobyte(v.quobyte ?? {}, at) },
  {
    name: "downwardAPI",
    refusedPath: "downwarAPI",
    rule: (v, at) => validateDownwardAPI(v.downwardAPI ?? {}, at),
  },
  { name: "fc", rule: (v, at) => source.validateFC(v.fc ?? {}, at) },
  { name: "flexVolume", rule: (v, at) => source.validateFlexVolume(v.flexVolume ?? {}, at) },
  { name: "configMap", rule: (v, at) => source.validateKeyedSource(v.configMap ?? {}, "name", at) },
  { name: "azureFile", rule: requiring("azureFile", "secretName", "shareName") },
  { name: "vsphereVolume", rule: requiring("vsphereVolume", "volumePath") },
  { name: "photonPersistentDisk", rule: requiring("photonPersistentDisk", "pdID") },
  { name: "portworxVolume", rule: requiring("portworxVolume", "volumeID") },
  { name: "azureDisk", rule: (v, at) => source.validateAzureDisk(v.azureDisk ?? {}, at) },
  {
    name: "storageos",
    rule: (v, at) => [
      ...source.validateStorageOS(v.storageos ?? {}, at),
      ...source.requireSecretName(v.storageos?.secretRef, at),
    ],
  },
  {
    name: "projected",
    rule: (v, at, options) => validateProjected(v.projected ?? {}, at, options),
  },
  { name: "scaleIO", rule: requiring("scaleIO", "gateway", "system", "volumeName") },
  { name: "csi", rule: (v, at) => source.validateCSI(v.csi ?? {}, at) },
  { name: "ephemeral", rule: (v, at) => ephemeralErrors(v, at) },
  { name: "image", rule: (v, at, options) => imageErrors(v, at, options) },
];

function emptyDirErrors({ emptyDir }: Volume, at: Path): ErrorList {
  const limit = emptyDir?.sizeLimit;
  if (limit === undefined || quantitySign(quantityFrom(limit)) >= 0) return [];
  return [forbidden(at.child("sizeLimit"), "SizeLimit field must be a valid resource quantity")];
}

function ephemeralErrors({ ephemeral }: Volume, at: Path): ErrorList {
  const path = at.child("volumeClaimTemplate");
  if (ephemeral?.volumeClaimTemplate === undefined) return [required(path)];
  return validatePersistentVolumeClaimTemplate(ephemeral.volumeClaimTemplate, path);
}

function imageErrors({ image }: Volume, at: Path, options: PodValidationOptions): ErrorList {
  const errors = options.allowEmptyImageVolumeReference
    ? []
    : source.requireFields(image ?? {}, at, "reference");
  return [...errors, ...validatePullPolicy(image?.pullPolicy ?? "", at.child("pullPolicy"))];
}

function validateVolumeSource(
  volume: Volume,
  at: Path,
  podName: string,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  let count = 0;
  for (const { name, path, refusedPath, rule } of SOURCES) {
    if (volume[name] === undefined) continue;
    if (count > 0) {
      const detail = "may not specify more than 1 volume type";
      errors.push(forbidden(at.child(refusedPath ?? name), detail));
    } else {
      errors.push(...rule(volume, at.child(path ?? name), options));
      if (name === "ephemeral") errors.push(...claimNameErrors(volume, at, podName));
    }
    if (name === "iscsi") errors.push(...portalErrors(volume, at));
    count++;
  }
  return count === 0 ? [required(at, "must specify a volume type")] : errors;
}

/** The claim that will be made for an ephemeral volume must have a valid name. */
function claimNameErrors({ name = "" }: Volume, at: Path, podName: string): ErrorList {
  if (podName === "" || name === "") return [];
  const claim = `${podName}-${name}`;
  return isDNS1123Subdomain(claim).map((problem) =>
    invalid(at.child("name"), name, `PVC name ${quote(claim)}: ${problem}`),
  );
}

const PORTAL_MAX = 64;

function portalErrors({ name = "", iscsi }: Volume, at: Path): ErrorList {
  if (iscsi?.initiatorName === undefined) return [];
  if (byteLength(`${name}:${iscsi.targetPortal ?? ""}`) <= PORTAL_MAX) return [];
  const what = "Total length of <volume name>:<iscsi.targetPortal>";
  const detail = `${what} must be under 64 characters if iscsi.initiatorName is specified.`;
  return [invalid(at.child("name"), name, detail)];
}

/**
 * All volumes of a pod. Gives the valid ones by name too: mounts are looked up there. `meta` is the
 * pod's, absent for templates.
 */
export function validateVolumes(
  volumes: readonly Volume[] | undefined,
  meta: ObjectMeta | undefined,
  at: Path,
  options: PodValidationOptions,
): { errors: ErrorList; byName: Map<string, Volume> } {
  const errors: ErrorList = [];
  const byName = new Map<string, Volume>();
  const podName = meta?.name ?? "";
  const created = new Set<string>();
  for (const volume of volumes ?? []) {
    if (podName !== "" && volume.ephemeral !== undefined) created.add(`${podName}-${volume.name}`);
  }
  for (const [i, volume] of (volumes ?? []).entries()) {
    const path = at.index(i);
    const name = volume.name ?? "";
    const own = validateVolumeSource(volume, path, podName, options);
    if (name === "") own.push(required(path.child("name")));
    else own.push(...validateDNS1123Label(name, path.child("name")));
    if (byName.has(name)) own.push(duplicate(path.child("name"), name));
    if (own.length === 0) byName.set(name, volume);
    errors.push(...own);
    const claim = volume.persistentVolumeClaim?.claimName ?? "";
    if (volume.persistentVolumeClaim !== undefined && created.has(claim)) {
      const detail = "must not reference a PVC that gets created for an ephemeral volume";
      errors.push(invalid(path.child("persistentVolumeClaim").child("claimName"), claim, detail));
    }
  }
  return { errors, byName };
}
