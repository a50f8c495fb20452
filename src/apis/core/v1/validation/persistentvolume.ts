/** PersistentVolumes. Upstream: ValidatePersistentVolume; pkg/api/persistentvolume/util.go. */
import { posix } from "node:path";
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  isDNS1123Subdomain,
  isValidLabelValue,
} from "../../../../apimachinery/validation/names.ts";
import {
  FIELD_IMMUTABLE_ERROR,
  validateImmutableField,
} from "../../../../apimachinery/validation/object-meta.ts";
import { structOf } from "../../../schemas.ts";
import {
  goMap,
  goStruct,
  invalidEach,
  validatePositiveQuantity,
} from "../../../validation/common.ts";
import type {
  NodeSelectorRequirement,
  PersistentVolume,
  PersistentVolumeSpec,
  VolumeNodeAffinity,
} from "../types.ts";
import { validateNodeSelector, warningsForNodeSelectorTerm } from "./node-selector.ts";
import { persistentVolumeSources } from "./persistentvolume-sources.ts";
import { validateBasicResource } from "./resource-quantity.ts";
import { specDifference } from "./spec-difference.ts";
import { validateAccessModes } from "./volume-claim.ts";

const VOLUME_SOURCE = "k8s.io/api/core/v1.PersistentVolumeSource";
const VOLUME_MODES = ["Block", "Filesystem"];
const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];
export const BETA_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class";
export const DEPRECATED_STORAGE_CLASS =
  'deprecated since v1.8; use "storageClassName" attribute instead';
const specPath = Path.root("spec");

/**
 * `inline`: the spec of a VolumeAttachment, which holds a CSI source and little else. `old`: label
 * values that it holds already are not looked at.
 */
export function validatePersistentVolumeSpec(
  spec: PersistentVolumeSpec,
  {
    name,
    inline = false,
    at = specPath,
    old,
  }: {
    readonly name: string;
    readonly inline?: boolean;
    readonly at?: Path;
    readonly old?: PersistentVolumeSpec | undefined;
  },
): ErrorList {
  const inlineContext = "in the context of inline volumes";
  const errors: ErrorList = [];
  if (inline) {
    const detail = `may not be specified ${inlineContext}`;
    if (spec.claimRef !== undefined) errors.push(forbidden(at.child("claimRef"), detail));
    if (Object.keys(spec.capacity ?? {}).length > 0) {
      errors.push(forbidden(at.child("capacity"), detail));
    }
    if (spec.csi === undefined) {
      errors.push(required(at.child("csi"), `has to be specified ${inlineContext}`));
    }
  }
  if ((spec.accessModes ?? []).length === 0) errors.push(required(at.child("accessModes")));
  errors.push(...validateAccessModes(spec.accessModes ?? [], at.child("accessModes")));
  if (!inline) errors.push(...validateCapacity(spec, at.child("capacity")));
  errors.push(...validateReclaimPolicy(spec, inline, at.child("persistentVolumeReclaimPolicy")));
  errors.push(...validateAffinity(spec, inline, at.child("nodeAffinity"), old));
  errors.push(...validateSources(spec, name, at));
  const isRootHostPath =
    spec.hostPath !== undefined &&
    posix.normalize(spec.hostPath.path ?? "").replace(/(.)\/$/, "$1") === "/";
  if (isRootHostPath && spec.persistentVolumeReclaimPolicy === "Recycle") {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden(at.child("persistentVolumeReclaimPolicy"), detail));
  }
  return [...errors, ...validateClasses(spec, inline, at)];
}

function validateCapacity({ capacity }: PersistentVolumeSpec, at: Path): ErrorList {
  const names = Object.keys(capacity ?? {});
  const errors: ErrorList = names.length === 0 ? [required(at)] : [];
  if (names.length !== 1 || names[0] !== "storage") {
    errors.push(notSupported(at, goMap(capacity), ["storage"]));
  }
  for (const name of names) {
    const text = capacity?.[name] ?? "0";
    errors.push(...validateBasicResource(text, at.key(name)));
    errors.push(...validatePositiveQuantity(text, at.key(name)));
  }
  return errors;
}

function validateReclaimPolicy(spec: PersistentVolumeSpec, inline: boolean, at: Path): ErrorList {
  const policy = spec.persistentVolumeReclaimPolicy ?? "";
  if (policy === "") return [];
  if (inline) {
    if (policy === "Retain") return [];
    return [forbidden(at, "may only be Retain in the context of inline volumes")];
  }
  return RECLAIM_POLICIES.includes(policy) ? [] : [notSupported(at, policy, RECLAIM_POLICIES)];
}

function hasInvalidLabelValue(affinity: VolumeNodeAffinity | undefined): boolean {
  return (affinity?.required?.nodeSelectorTerms ?? []).some(({ matchExpressions = [] }) =>
    matchExpressions.some(({ values = [] }) =>
      values.some((value) => isValidLabelValue(value).length > 0),
    ),
  );
}

function validateAffinity(
  { nodeAffinity }: PersistentVolumeSpec,
  inline: boolean,
  at: Path,
  old: PersistentVolumeSpec | undefined,
): ErrorList {
  if (nodeAffinity === undefined) return [];
  if (inline) return [forbidden(at, "may not be specified in the context of inline volumes")];
  if (nodeAffinity.required === undefined) {
    return [required(at.child("required"), "must specify required node constraints")];
  }
  const allowInvalid = hasInvalidLabelValue(old?.nodeAffinity);
  return validateNodeSelector(nodeAffinity.required, allowInvalid, at.child("required"));
}

function validateSources(spec: PersistentVolumeSpec, name: string, at: Path): ErrorList {
  const errors: ErrorList = [];
  let count = 0;
  for (const { member, forbiddenAt, validate } of persistentVolumeSources) {
    if (spec[member] === undefined) continue;
    // Upstream lets a flexVolume stand beside another source.
    if (count > 0 && member !== "flexVolume") {
      errors.push(forbidden(at.child(forbiddenAt), "may not specify more than 1 volume type"));
      continue;
    }
    count++;
    errors.push(...validate(spec, name, at));
    if (member === "local" && spec.nodeAffinity === undefined) {
      errors.push(required(at.child("nodeAffinity"), "Local volume requires node affinity"));
    }
  }
  if (count === 0) errors.push(required(at, "must specify a volume type"));
  return errors;
}

function validateClasses(spec: PersistentVolumeSpec, inline: boolean, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { storageClassName, volumeMode, volumeAttributesClassName } = spec;
  if (storageClassName) {
    const classAt = at.child("storageClassName");
    if (inline) {
      errors.push(forbidden(classAt, "may not be specified in the context of inline volumes"));
    } else
      errors.push(...invalidEach(classAt, storageClassName, isDNS1123Subdomain(storageClassName)));
  }
  if (volumeMode !== undefined) {
    const modeAt = at.child("volumeMode");
    if (inline && volumeMode !== "Filesystem") {
      const detail =
        "may not specify volumeMode other than Filesystem in the context of inline volumes";
      errors.push(forbidden(modeAt, detail));
    } else if (!inline && !VOLUME_MODES.includes(volumeMode)) {
      errors.push(notSupported(modeAt, volumeMode, VOLUME_MODES));
    }
  }
  if (volumeAttributesClassName === undefined) return errors;
  const classAt = at.child("volumeAttributesClassName");
  const problems = isDNS1123Subdomain(volumeAttributesClassName);
  if (volumeAttributesClassName === "") {
    errors.push(required(classAt, "an empty string is disallowed"));
  } else errors.push(...invalidEach(classAt, volumeAttributesClassName, problems));
  if (spec.csi === undefined) {
    const detail = "has to be specified when using volumeAttributesClassName";
    errors.push(required(at.child("csi"), detail));
  }
  return errors;
}

export function validatePersistentVolume(pv: PersistentVolume, old?: PersistentVolume): ErrorList {
  const name = pv.metadata?.name ?? "";
  return validatePersistentVolumeSpec(pv.spec ?? {}, { name, old: old?.spec });
}

export function validatePersistentVolumeUpdate(
  pv: PersistentVolume,
  old: PersistentVolume,
  allowNodeAffinityChange = false,
): ErrorList {
  const errors = validatePersistentVolume(pv, old);
  const [spec, oldSpec] = [pv.spec ?? {}, old.spec ?? {}];
  const changed = changedSources(spec, oldSpec);
  if (changed !== "") {
    const detail = `spec.persistentvolumesource is immutable after creation\n${changed}`;
    errors.push(forbidden("spec.persistentvolumesource", detail));
  }
  errors.push(
    ...validateImmutableField(spec.volumeMode, oldSpec.volumeMode, Path.root("volumeMode")),
  );
  if (oldSpec.nodeAffinity !== undefined && !allowNodeAffinityChange) {
    errors.push(...validateAffinityUpdate(spec.nodeAffinity, oldSpec.nodeAffinity));
  }
  if (
    oldSpec.volumeAttributesClassName !== undefined &&
    spec.volumeAttributesClassName === undefined
  ) {
    const detail = "update from non-nil value to nil is forbidden";
    errors.push(forbidden("spec.volumeAttributesClassName", detail));
  }
  return errors;
}

/** The sources that differ, as removed and added lines; upstream prints a diff of Go values. */
function changedSources(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): string {
  const [now, before]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const { member } of persistentVolumeSources) {
    now[member] = member === "csi" ? comparableCSI(spec, old) : spec[member];
    before[member] = old[member];
  }
  if (semanticDeepEqual(now, before, structOf(VOLUME_SOURCE))) return "";
  return specDifference(before, now, VOLUME_SOURCE);
}

/** The secret for expanding a volume may be added later. */
function comparableCSI({ csi }: PersistentVolumeSpec, old: PersistentVolumeSpec) {
  if (csi === undefined || old.csi === undefined) return csi;
  if (old.csi.controllerExpandSecretRef !== undefined) return csi;
  const { controllerExpandSecretRef: _added, ...rest } = csi;
  return rest;
}

const betaToStable: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
  "beta.kubernetes.io/os": "kubernetes.io/os",
  "beta.kubernetes.io/arch": "kubernetes.io/arch",
  "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
};

function validateAffinityUpdate(now: VolumeNodeAffinity | undefined, old: VolumeNodeAffinity) {
  const type = structOf("k8s.io/api/core/v1.VolumeNodeAffinity");
  if (semanticDeepEqual(now, followRenames(old, now), type)) return [];
  const detail = `${FIELD_IMMUTABLE_ERROR}, except for updating from beta label to GA`;
  const printed = now && goStruct(now, "k8s.io/api/core/v1.VolumeNodeAffinity");
  return [invalid("nodeAffinity", printed, detail)];
}

/** `old` with the beta labels renamed that `now` calls by their stable names. */
function followRenames(old: VolumeNodeAffinity, now: VolumeNodeAffinity | undefined) {
  if (old.required === undefined) return old;
  const rename = (before: NodeSelectorRequirement, after: NodeSelectorRequirement | undefined) =>
    after?.key !== undefined && betaToStable[before.key ?? ""] === after.key
      ? { ...before, key: after.key }
      : before;
  const terms = (old.required.nodeSelectorTerms ?? []).map((term, i) => {
    const newTerm = now?.required?.nodeSelectorTerms?.[i];
    return {
      ...term,
      ...(term.matchExpressions && {
        matchExpressions: term.matchExpressions.map((before, j) =>
          rename(before, newTerm?.matchExpressions?.[j]),
        ),
      }),
    };
  });
  return { required: { ...old.required, nodeSelectorTerms: terms } };
}

export function validatePersistentVolumeStatusUpdate({ metadata }: PersistentVolume): ErrorList {
  return metadata?.resourceVersion ? [] : [required("resourceVersion")];
}

const GONE_SOURCES: readonly (readonly [keyof PersistentVolumeSpec, string, string])[] = [
  ["cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

export function warningsForPersistentVolume({ metadata, spec = {} }: PersistentVolume): string[] {
  const warnings: string[] = [];
  if (metadata?.annotations?.[BETA_STORAGE_CLASS] !== undefined) {
    const at = Path.root("metadata", "annotations").key(BETA_STORAGE_CLASS);
    warnings.push(`${at}: ${DEPRECATED_STORAGE_CLASS}`);
  }
  if (spec.persistentVolumeReclaimPolicy === "Recycle") {
    warnings.push(
      "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
    );
  }
  const terms = Path.root("spec", "nodeAffinity", "required", "nodeSelectorTerms");
  for (const [i, term] of (spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).entries()) {
    warnings.push(...warningsForNodeSelectorTerm(term, terms.index(i)));
  }
  for (const [member, name, text] of GONE_SOURCES) {
    if (spec[member] !== undefined) warnings.push(`spec.${name}: ${text}`);
  }
  return warnings;
}
