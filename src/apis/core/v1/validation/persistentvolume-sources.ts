/** The sources of PersistentVolumes, one rule each. Upstream: validate…VolumeSource. */
import {
  type ErrorList,
  invalid,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { byteLength, isDNS1123Label } from "../../../../apimachinery/validation/names.ts";
import {
  invalidEach,
  validateDNS1123Label,
  validateDNS1123Subdomain,
} from "../../../validation/common.ts";
import type { PersistentVolumeSpec, SecretReference } from "../types.ts";
import { validatePathNoBacksteps } from "./paths.ts";
import {
  requireFields,
  requireSecretName,
  validateAzureDisk,
  validateCSIDriverName,
  validateFC,
  validateFlexVolume,
  validateFlocker,
  validateHostPath,
  validateISCSI,
  validateNFS,
  validatePartition,
  validateQuobyte,
  validateStorageOS,
} from "./volume-source.ts";

type Source<Member extends keyof PersistentVolumeSpec> = NonNullable<PersistentVolumeSpec[Member]>;

/** One source: its member of the spec, and the paths upstream gives its errors (not always it). */
export interface PersistentVolumeSourceRule {
  readonly member: keyof PersistentVolumeSpec;
  readonly forbiddenAt: string;
  validate(spec: PersistentVolumeSpec, pvName: string, at: Path): ErrorList;
}

function rule<Member extends keyof PersistentVolumeSpec>(
  member: Member,
  validate: (source: Source<Member>, at: Path, pvName: string) => ErrorList,
  { errorsAt = member as string, forbiddenAt = member as string } = {},
): PersistentVolumeSourceRule {
  return {
    member,
    forbiddenAt,
    validate(spec, pvName, at) {
      const source = spec[member];
      if (source === undefined || source === null) return [];
      return validate(source, at.child(errorsAt), pvName);
    },
  };
}

function validateGlusterfs(source: Source<"glusterfs">, at: Path): ErrorList {
  const errors = requireFields(source, at, "endpoints", "path");
  const namespace = source.endpointsNamespace;
  if (namespace === undefined) return errors;
  const namespaceAt = at.child("endpointsNamespace");
  if (namespace !== "") return [...errors, ...validateDNS1123Label(namespace, namespaceAt)];
  const detail = "if the endpointnamespace is set, it must be a valid namespace name";
  return [...errors, invalid(namespaceAt, namespace, detail)];
}

function validateSecretNamespace(ref: SecretReference | undefined, at: Path): ErrorList {
  return ref === undefined ? [] : requireFields(ref, at, "name", "namespace");
}

function validateISCSIVolume(source: Source<"iscsi">, at: Path, pvName: string): ErrorList {
  const errors = validateISCSI(source, at, "must be valid format");
  errors.push(...requireSecretName(source.secretRef, at));
  const portal = source.targetPortal ?? "";
  if (source.initiatorName === undefined || byteLength(`${pvName}:${portal}`) <= 64) return errors;
  const detail =
    "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
  return [...errors, invalid(at.child("targetportal"), portal, detail)];
}

function validateAzureFile(source: Source<"azureFile">, at: Path): ErrorList {
  const errors = requireFields(source, at, "secretName", "shareName");
  if (source.secretNamespace === "") errors.push(required(at.child("secretNamespace")));
  return errors;
}

function validateLocal({ path = "" }: Source<"local">, at: Path): ErrorList {
  if (path === "") return [required(at.child("path"))];
  return validatePathNoBacksteps(path, at.child("path"));
}

function validateStorageOSVolume(source: Source<"storageos">, at: Path): ErrorList {
  const errors = validateStorageOS(source, at);
  if (source.secretRef === undefined) return errors;
  return [
    ...errors,
    ...requireFields(source.secretRef, at.child("secretRef"), "name", "namespace"),
  ];
}

function validateSecretReference({ name = "", namespace = "" }: SecretReference, at: Path) {
  const errors: ErrorList = [];
  if (name === "") errors.push(required(at.child("name")));
  else errors.push(...validateDNS1123Subdomain(name, at.child("name")));
  const namespaceAt = at.child("namespace");
  if (namespace === "") errors.push(required(namespaceAt));
  else errors.push(...invalidEach(namespaceAt, namespace, isDNS1123Label(namespace)));
  return errors;
}

const CSI_SECRETS = [
  "controllerPublishSecretRef",
  "controllerExpandSecretRef",
  "nodePublishSecretRef",
  "nodeExpandSecretRef",
] as const;

function validateCSI(source: Source<"csi">, at: Path): ErrorList {
  const errors = validateCSIDriverName(source.driver ?? "", at.child("driver"));
  errors.push(...requireFields(source, at, "volumeHandle"));
  for (const member of CSI_SECRETS) {
    const ref = source[member];
    if (ref !== undefined) errors.push(...validateSecretReference(ref, at.child(member)));
  }
  return errors;
}

/** In upstream's order. */
export const persistentVolumeSources: readonly PersistentVolumeSourceRule[] = [
  rule("hostPath", validateHostPath),
  rule(
    "gcePersistentDisk",
    (source, at) => [...requireFields(source, at, "pdName"), ...validatePartition(source, at)],
    { errorsAt: "persistentDisk" },
  ),
  rule("awsElasticBlockStore", (source, at) => [
    ...requireFields(source, at, "volumeID"),
    ...validatePartition(source, at),
  ]),
  rule("glusterfs", validateGlusterfs),
  rule("flocker", validateFlocker),
  rule("nfs", validateNFS),
  rule("rbd", (source, at) => requireFields(source, at, "monitors", "image")),
  rule("quobyte", validateQuobyte),
  rule("cephfs", (source, at) => requireFields(source, at, "monitors"), {
    forbiddenAt: "cephFS",
  }),
  rule("iscsi", validateISCSIVolume),
  rule("cinder", (source, at) => [
    ...requireFields(source, at, "volumeID"),
    ...validateSecretNamespace(source.secretRef, at.child("secretRef")),
  ]),
  rule("fc", validateFC),
  rule("flexVolume", validateFlexVolume),
  rule("azureFile", validateAzureFile),
  rule("vsphereVolume", (source, at) => requireFields(source, at, "volumePath")),
  rule("photonPersistentDisk", (source, at) => requireFields(source, at, "pdID")),
  rule("portworxVolume", (source, at) => requireFields(source, at, "volumeID")),
  rule("azureDisk", validateAzureDisk),
  rule("scaleIO", (source, at) => requireFields(source, at, "gateway", "system", "volumeName")),
  rule("local", validateLocal),
  rule("storageos", validateStorageOSVolume),
  rule("csi", validateCSI),
];
