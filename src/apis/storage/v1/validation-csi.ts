/** CSIDriver, CSINode and VolumeAttachment. Upstream: pkg/apis/storage/validation. */
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  PrintedValue,
  required,
  tooLong,
} from "../../../apimachinery/validation/field.ts";
import {
  byteLength,
  inclusiveRangeError,
  isDNS1123Subdomain,
  isQualifiedName,
} from "../../../apimachinery/validation/names.ts";
import {
  nameIsDNSSubdomain,
  validateImmutableField,
  validateNonnegative,
} from "../../../apimachinery/validation/object-meta.ts";
import { validatePersistentVolumeSpec } from "../../core/v1/validation/persistentvolume.ts";
import type {
  CSIDriver,
  CSIDriverSpec,
  CSINode,
  CSINodeDriver,
  VolumeAttachment,
  VolumeError,
} from "./types.ts";

const MAX_METADATA_SIZE = 256 * 1024;
const MAX_ERROR_MESSAGE = 1024;
const NODE_ID_LONGER_MAX = 192;
const MAX_INT32 = 2147483647;

/** Upstream: core/validation.ValidateCSIDriverName. */
export function validateCSIDriverName(name: string, at: Path | string): ErrorList {
  if (name === "") return [required(at)];
  const errors: ErrorList = [];
  if (byteLength(name) > 63) errors.push(tooLong(at, 63));
  for (const message of isDNS1123Subdomain(name.toLowerCase())) {
    errors.push(invalid(at, name, message));
  }
  return errors;
}

/** Errors of a CSIDriver beyond its metadata. */
export function validateCSIDriver({ spec = {} }: Pick<CSIDriver, "spec">): ErrorList {
  const at = Path.root("spec");
  const errors: ErrorList = [];
  if (spec.attachRequired === undefined) errors.push(required(at.child("attachedRequired")));
  if (spec.podInfoOnMount === undefined) errors.push(required(at.child("podInfoOnMount")));
  if (spec.storageCapacity === undefined) errors.push(required(at.child("storageCapacity")));
  const policies = ["File", "None", "ReadWriteOnceWithFSType"];
  if (spec.fsGroupPolicy !== undefined && !policies.includes(spec.fsGroupPolicy)) {
    errors.push(notSupported(at.child("fsGroupPolicy"), spec.fsGroupPolicy, policies));
  }
  errors.push(...validateTokenRequests(spec, at.child("tokenRequests")));
  for (const mode of spec.volumeLifecycleModes ?? []) {
    const modes = ["Persistent", "Ephemeral"];
    if (!modes.includes(mode)) {
      errors.push(notSupported(at.child("volumeLifecycleModes"), mode, modes));
    }
  }
  if (spec.seLinuxMount === undefined) errors.push(required(at.child("seLinuxMount")));
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < 10) {
    const path = at.child("nodeAllocatableUpdatePeriodSeconds");
    errors.push(invalid(path, period, "must be greater than or equal to 10 seconds"));
  }
  if (spec.serviceAccountTokenInSecrets !== undefined && (spec.tokenRequests ?? []).length === 0) {
    const path = at.child("serviceAccountTokenInSecrets");
    const detail = "serviceAccountTokenInSecrets is set but no tokenRequests are specified";
    errors.push(invalid(path, spec.serviceAccountTokenInSecrets, detail));
  }
  return errors;
}

function validateTokenRequests(spec: CSIDriverSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const audiences = new Set<string>();
  for (const [i, request] of (spec.tokenRequests ?? []).entries()) {
    const audience = request.audience ?? "";
    if (audiences.has(audience)) {
      errors.push(duplicate(at.index(i).child("audience"), audience));
      continue;
    }
    audiences.add(audience);
    const seconds = request.expirationSeconds;
    if (seconds === undefined) continue;
    const path = at.index(i).child("expirationSeconds");
    if (seconds < 600) {
      errors.push(invalid(path, seconds, "may not specify a duration less than 10 minutes"));
    }
    if (seconds > 2 ** 32) {
      errors.push(invalid(path, seconds, "may not specify a duration larger than 2^32 seconds"));
    }
  }
  return errors;
}

/** Errors of an update of a CSIDriver; the misspelled path is upstream's. */
export function validateCSIDriverUpdate(
  driver: Pick<CSIDriver, "spec">,
  old: Pick<CSIDriver, "spec">,
): ErrorList {
  const at = Path.root("spec");
  return [
    ...validateCSIDriver(driver),
    ...validateImmutableField(
      driver.spec?.attachRequired,
      old.spec?.attachRequired,
      at.child("attachedRequired"),
    ),
    ...validateImmutableField(
      driver.spec?.volumeLifecycleModes,
      old.spec?.volumeLifecycleModes,
      at.child("volumeLifecycleModes"),
    ),
  ];
}

/** Errors of a CSINode beyond its metadata. Node IDs of 192 bytes are allowed since 1.23. */
export function validateCSINode(node: Pick<CSINode, "spec">): ErrorList {
  const seen = new Set<string>();
  const at = Path.root("spec", "drivers");
  return (node.spec?.drivers ?? []).flatMap((driver, i) =>
    validateCSINodeDriver(driver, seen, at.index(i)),
  );
}

function validateCSINodeDriver(driver: CSINodeDriver, seen: Set<string>, at: Path): ErrorList {
  const { name = "", nodeID = "", topologyKeys = [] } = driver;
  const errors = validateCSIDriverName(name, at.child("name"));
  if (nodeID === "") errors.push(required(at.child("nodeID")));
  if (byteLength(nodeID) > NODE_ID_LONGER_MAX) {
    const detail = `must be ${NODE_ID_LONGER_MAX} characters or less`;
    errors.push(invalid(at.child("nodeID"), nodeID, detail));
  }
  errors.push(...validateNonnegative(driver.allocatable?.count, at.child("allocatable", "count")));
  if (seen.has(name)) errors.push(duplicate(at.child("name"), name));
  seen.add(name);
  const keys = new Set<string>();
  for (const key of topologyKeys) {
    if (key === "") errors.push(required(at));
    if (keys.has(key)) errors.push(duplicate(at, key));
    keys.add(key);
    for (const message of isQualifiedName(key)) errors.push(invalid(at, key, message));
  }
  return errors;
}

/** Driver entries may be added and removed, and their allocatable count may change; no more. */
export function validateCSINodeUpdate(
  node: Pick<CSINode, "spec">,
  old: Pick<CSINode, "spec">,
): ErrorList {
  const errors = validateCSINode(node);
  for (const oldDriver of old.spec?.drivers ?? []) {
    for (const driver of node.spec?.drivers ?? []) {
      if (driver.name !== oldDriver.name) continue;
      const { allocatable: _now, ...rest } = driver;
      const { allocatable: _then, ...oldRest } = oldDriver;
      if (semanticDeepEqual(rest, oldRest)) continue;
      const { name = "", nodeID = "", topologyKeys } = rest;
      const printed = JSON.stringify({
        Name: name,
        NodeID: nodeID,
        TopologyKeys: topologyKeys ?? null,
        Allocatable: null,
      });
      errors.push(invalid("spec.drivers", new PrintedValue(printed), "field is immutable"));
    }
  }
  return errors;
}

type Attachment = Pick<VolumeAttachment, "spec" | "status">;

/** Errors of a VolumeAttachment beyond its metadata. */
export function validateVolumeAttachment({ spec = {}, status = {} }: Attachment): ErrorList {
  const at = Path.root("spec");
  const errors = validateCSIDriverName(spec.attacher ?? "", at.child("attacher"));
  const { inlineVolumeSpec: inline, persistentVolumeName: name } = spec.source ?? {};
  const source = at.child("source");
  const oneOf = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
  if (inline === undefined && name === undefined) errors.push(required(source, oneOf));
  else if (inline !== undefined && name !== undefined) errors.push(forbidden(source, oneOf));
  else if (name === "") {
    const detail = "must specify non empty persistentVolumeName";
    errors.push(required(source.child("persistentVolumeName"), detail));
  } else if (inline !== undefined) {
    const inlineAt = source.child("inlineVolumeSpec");
    errors.push(...validatePersistentVolumeSpec(inline, { name: "", inline: true, at: inlineAt }));
  }
  const nodeName = spec.nodeName ?? "";
  for (const message of nameIsDNSSubdomain(nodeName, false)) {
    errors.push(invalid(at.child("nodeName"), nodeName, message));
  }
  errors.push(...validateVolumeAttachmentStatus(status));
  for (const message of name === undefined ? [] : nameIsDNSSubdomain(name, false)) {
    errors.push(invalid("spec.source.persistentVolumeName", name, message));
  }
  return errors;
}

function validateVolumeAttachmentStatus(status: NonNullable<Attachment["status"]>): ErrorList {
  const at = Path.root("status");
  const errors: ErrorList = [];
  let size = 0;
  for (const [key, value] of Object.entries(status.attachmentMetadata ?? {})) {
    size += byteLength(key) + byteLength(value);
  }
  if (size > MAX_METADATA_SIZE) {
    errors.push(tooLong(at.child("attachmentMetadata"), MAX_METADATA_SIZE));
  }
  errors.push(
    ...validateVolumeError(status.attachError, at.child("attachError")),
    ...validateVolumeError(status.detachError, at.child("detachError")),
  );
  return errors;
}

/** The message's limit is 1024 bytes; upstream's text names another number. */
function validateVolumeError(error: VolumeError | undefined, at: Path): ErrorList {
  if (error === undefined) return [];
  const errors: ErrorList = [];
  if (byteLength(error.message ?? "") > MAX_ERROR_MESSAGE) {
    errors.push(tooLong(at.child("message"), MAX_METADATA_SIZE));
  }
  const { errorCode } = error;
  if (errorCode !== undefined && errorCode < 0) {
    errors.push(invalid(at.child("errorCode"), errorCode, inclusiveRangeError(0, MAX_INT32)));
  }
  return errors;
}

/** `printed`: the new spec under its Go names. */
export function validateVolumeAttachmentUpdate(
  attachment: Attachment,
  old: Attachment,
  printed: () => unknown,
): ErrorList {
  const errors = validateVolumeAttachment(attachment);
  if (semanticDeepEqual(attachment.spec, old.spec)) return errors;
  return [...errors, invalid("spec", printed(), "field is immutable")];
}
