/**
 * The sources a volume can come from, one rule each. PersistentVolumes share most of them.
 * Upstream: the validate...VolumeSource functions of pkg/apis/core/validation.
 */
import {
  type ErrorList,
  invalid,
  notSupported,
  type Path,
  required,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import {
  byteLength,
  inclusiveRangeError,
  isDNS1123Subdomain,
} from "../../../../apimachinery/validation/names.ts";
import { invalidEach, validateDNS1123Label } from "../../../validation/common.ts";
import type {
  AzureDiskVolumeSource,
  CSIVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GitRepoVolumeSource,
  HostPathVolumeSource,
  ISCSIVolumeSource,
  KeyToPath,
  NFSVolumeSource,
  QuobyteVolumeSource,
  StorageOSVolumeSource,
} from "../types.ts";
import {
  validateFileMode,
  validateLocalDescendingPath,
  validateLocalNonReservedPath,
  validatePathNoBacksteps,
} from "./paths.ts";

/** Required for each of the named fields that is empty. */
export function requireFields(object: object, at: Path, ...names: string[]): ErrorList {
  const fields = object as Readonly<Record<string, unknown>>;
  return names
    .filter((name) => {
      const value = fields[name];
      return value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
    })
    .map((name) => required(at.child(name)));
}

/** A reference whose name is missing. */
export function requireSecretName(
  ref: { name?: string | undefined } | undefined,
  at: Path,
): ErrorList {
  return ref !== undefined && !ref.name ? [required(at.child("secretRef", "name"))] : [];
}

const HOST_PATH_TYPES = [
  "",
  "BlockDevice",
  "CharDevice",
  "Directory",
  "DirectoryOrCreate",
  "File",
  "FileOrCreate",
  "Socket",
];

/** hostPath. */
export function validateHostPath({ path = "", type }: HostPathVolumeSource, at: Path): ErrorList {
  if (path === "") return [required(at.child("path"))];
  const errors = validatePathNoBacksteps(path, at.child("path"));
  if (type !== undefined && !HOST_PATH_TYPES.includes(type)) {
    errors.push(notSupported(at.child("type"), type, HOST_PATH_TYPES));
  }
  return errors;
}

/** gitRepo. */
export function validateGitRepo(source: GitRepoVolumeSource, at: Path): ErrorList {
  return [
    ...requireFields(source, at, "repository"),
    ...validateLocalDescendingPath(source.directory ?? "", at.child("directory")),
  ];
}

const INITIATOR_FORMATS: Readonly<Record<string, RegExp>> = {
  iqn: /iqn\.\d{4}-\d{2}\.([A-Za-z0-9.-]+)(:[^,;*&$|\s]+)$/,
  eui: /^eui.[A-Za-z0-9]{16}$/,
  naa: /^naa.[A-Za-z0-9]{32}$/,
};

function validateInitiator(name: string, unknown: string, at: Path): ErrorList {
  const format = INITIATOR_FORMATS[name.slice(0, 3)];
  if (format === undefined) return [invalid(at, name, unknown)];
  return format.test(name) ? [] : [invalid(at, name, "must be valid format")];
}

/** iscsi, in pods and persistent volumes; the latter say less about an unknown format. */
export function validateISCSI(
  source: Omit<ISCSIVolumeSource, "secretRef"> & { secretRef?: object | undefined },
  at: Path,
  unknownFormat = "must be valid format starting with iqn, eui, or naa",
): ErrorList {
  const { iqn = "", lun = 0, initiatorName } = source;
  const errors = requireFields(source, at, "targetPortal", "iqn");
  if (iqn !== "") errors.push(...validateInitiator(iqn, unknownFormat, at.child("iqn")));
  if (lun < 0 || lun > 255) errors.push(invalid(at.child("lun"), lun, inclusiveRangeError(0, 255)));
  if ((source.chapAuthDiscovery || source.chapAuthSession) && source.secretRef === undefined) {
    errors.push(required(at.child("secretRef")));
  }
  if (initiatorName !== undefined) {
    errors.push(...validateInitiator(initiatorName, unknownFormat, at.child("initiatorname")));
  }
  return errors;
}

/** fc. */
export function validateFC(
  { targetWWNs = [], wwids = [], lun }: FCVolumeSource,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const names = at.child("targetWWNs");
  if (targetWWNs.length === 0 && wwids.length === 0) {
    errors.push(required(names, "must specify either targetWWNs or wwids, but not both"));
  }
  if (targetWWNs.length > 0 && wwids.length > 0) {
    const detail = "targetWWNs and wwids can not be specified simultaneously";
    errors.push(invalid(names, targetWWNs, detail));
  }
  if (targetWWNs.length === 0) return errors;
  if (lun === undefined) {
    errors.push(required(at.child("lun"), "lun is required if targetWWNs is specified"));
  } else if (lun < 0 || lun > 255) {
    errors.push(invalid(at.child("lun"), lun, inclusiveRangeError(0, 255)));
  }
  return errors;
}

/** partition of gcePersistentDisk and awsElasticBlockStore. */
export function validatePartition({ partition = 0 }: { partition?: number | undefined }, at: Path) {
  if (partition >= 0 && partition <= 255) return [];
  return [invalid(at.child("partition"), partition, inclusiveRangeError(1, 255))];
}

/** The entries of items in secret and configMap volumes. */
export function validateKeyToPath(item: KeyToPath, at: Path): ErrorList {
  return [
    ...requireFields(item, at, "key", "path"),
    ...validateLocalNonReservedPath(item.path ?? "", at.child("path")),
    ...validateFileMode(item.mode, at.child("mode")),
  ];
}

/** secret (`secretName`) and configMap (`name`) volumes. */
export function validateKeyedSource(
  source: { defaultMode?: number | undefined; items?: KeyToPath[] | undefined },
  nameField: string,
  at: Path,
): ErrorList {
  const items = at.child("items");
  return [
    ...requireFields(source, at, nameField),
    ...validateFileMode(source.defaultMode, at.child("defaultMode")),
    ...(source.items ?? []).flatMap((item, i) => validateKeyToPath(item, items.index(i))),
  ];
}

/** nfs. */
export function validateNFS(source: NFSVolumeSource, at: Path): ErrorList {
  const errors = requireFields(source, at, "server", "path");
  const path = source.path ?? "";
  if (!path.startsWith("/")) {
    errors.push(invalid(at.child("path"), path, "must be an absolute path"));
  }
  return errors;
}

const HOST_PORTS = "must be a host:port pair or multiple pairs separated by commas";

/** quobyte. */
export function validateQuobyte(
  { registry = "", tenant = "", volume }: QuobyteVolumeSource,
  at: Path,
) {
  const errors: ErrorList = [];
  if (registry === "") errors.push(required(at.child("registry"), HOST_PORTS));
  else if (byteLength(tenant) >= 65) {
    const detail = "must be a UUID and may not exceed a length of 64 characters";
    errors.push(required(at.child("tenant"), detail));
  } else {
    for (const pair of registry.split(",")) {
      if (!isHostPort(pair)) errors.push(invalid(at.child("registry"), registry, HOST_PORTS));
    }
  }
  if (!volume) errors.push(required(at.child("volume")));
  return errors;
}

/** What Go's net.SplitHostPort takes. */
function isHostPort(text: string): boolean {
  return /^(?:\[[^[\]]*\]|[^[\]:]*):[^[\]:]*$/.test(text);
}

/** flocker. */
export function validateFlocker(
  { datasetName = "", datasetUUID = "" }: FlockerVolumeSource,
  at: Path,
) {
  const errors: ErrorList = [];
  if (datasetName === "" && datasetUUID === "") {
    errors.push(required(at, "one of datasetName and datasetUUID is required"));
  }
  if (datasetName !== "" && datasetUUID !== "") {
    const detail = "datasetName and datasetUUID can not be specified simultaneously";
    errors.push(invalid(at, "resource", detail));
  }
  if (datasetName.includes("/")) {
    errors.push(invalid(at.child("datasetName"), datasetName, "must not contain '/'"));
  }
  return errors;
}

/** flexVolume: options in Kubernetes' own domains are reserved. */
export function validateFlexVolume(source: Pick<FlexVolumeSource, "driver" | "options">, at: Path) {
  const errors = requireFields(source, at, "driver");
  for (const key of Object.keys(source.options ?? {})) {
    const domain = `.${(key.split("/")[0] ?? "").toLowerCase()}`;
    if (domain.endsWith(".kubernetes.io") || domain.endsWith(".k8s.io")) {
      const detail = "kubernetes.io and k8s.io namespaces are reserved";
      errors.push(invalid(at.child("options").key(key), key, detail));
    }
  }
  return errors;
}

const CACHING_MODES = ["None", "ReadOnly", "ReadWrite"];
const DISK_KINDS = ["Dedicated", "Managed", "Shared"];
const MANAGED_URI =
  "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}";
const BLOB_URI = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";

/** azureDisk. */
export function validateAzureDisk(source: AzureDiskVolumeSource, at: Path): ErrorList {
  const { cachingMode, kind, diskURI = "" } = source;
  const errors = requireFields(source, at, "diskName", "diskURI");
  if (cachingMode !== undefined && !CACHING_MODES.includes(cachingMode)) {
    errors.push(notSupported(at.child("cachingMode"), cachingMode, CACHING_MODES));
  }
  if (kind === undefined) return errors;
  if (!DISK_KINDS.includes(kind)) errors.push(notSupported(at.child("kind"), kind, DISK_KINDS));
  if (kind === "Managed" && !diskURI.startsWith("/subscriptions/")) {
    errors.push(notSupported(at.child("diskURI"), diskURI, [MANAGED_URI]));
  }
  if (kind !== "Managed" && !diskURI.startsWith("https://")) {
    errors.push(notSupported(at.child("diskURI"), diskURI, [BLOB_URI]));
  }
  return errors;
}

/** storageos. */
export function validateStorageOS(
  source: Omit<StorageOSVolumeSource, "secretRef">,
  at: Path,
): ErrorList {
  const { volumeName = "", volumeNamespace = "" } = source;
  const errors = requireFields(source, at, "volumeName");
  if (volumeName !== "") errors.push(...validateDNS1123Label(volumeName, at.child("volumeName")));
  if (volumeNamespace !== "") {
    errors.push(...validateDNS1123Label(volumeNamespace, at.child("volumeNamespace")));
  }
  return errors;
}

const DRIVER_NAME_MAX = 63;

/** The name of a CSI driver: a subdomain of any case, at most 63 bytes. */
export function validateCSIDriverName(name: string, at: Path): ErrorList {
  const errors: ErrorList = name === "" ? [required(at)] : [];
  if (byteLength(name) > DRIVER_NAME_MAX) errors.push(tooLong(at, DRIVER_NAME_MAX));
  return [...errors, ...invalidEach(at, name, isDNS1123Subdomain(name.toLowerCase()))];
}

/** csi, inline in a pod. */
export function validateCSI({ driver = "", nodePublishSecretRef }: CSIVolumeSource, at: Path) {
  const errors = validateCSIDriverName(driver, at.child("driver"));
  if (nodePublishSecretRef === undefined) return errors;
  const { name = "" } = nodePublishSecretRef;
  if (name === "") errors.push(required(at.child("nodePublishSecretRef", "name")));
  else errors.push(...invalidEach(at.child("name"), name, isDNS1123Subdomain(name)));
  return errors;
}
