/**
 * PersistentVolumeClaims, and the claim templates of other kinds.
 * Upstream: ValidatePersistentVolumeClaim; pkg/api/persistentvolumeclaim/util.go.
 */
import { cloneJson } from "../../../../apimachinery/runtime/clone.ts";
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { labelSelectorHasInvalidLabelValue } from "../../../../apimachinery/validation/labels.ts";
import { isQualifiedName } from "../../../../apimachinery/validation/names.ts";
import {
  FIELD_IMMUTABLE_ERROR,
  validateImmutableField,
} from "../../../../apimachinery/validation/object-meta.ts";
import { structOf } from "../../../schemas.ts";
import { compareQuantityTexts, invalidEach } from "../../../validation/common.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../types.ts";
import { BETA_STORAGE_CLASS, DEPRECATED_STORAGE_CLASS } from "./persistentvolume.ts";
import { isNativeResource } from "./resource-names.ts";
import { isFractional, validateBasicResource } from "./resource-quantity.ts";
import { validateResourceQuantityValue } from "./resources.ts";
import { specDifference } from "./spec-difference.ts";
import { validatePersistentVolumeClaimSpec } from "./volume-claim.ts";

const specPath = Path.root("spec");
const CLAIM_SPEC = "k8s.io/api/core/v1.PersistentVolumeClaimSpec";
const RESIZE_STATUSES = ["ControllerResizeInProgress", "ControllerResizeInfeasible"].concat(
  ["NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"].sort(),
);

/** `old`: what it has wrong already is not held against the new spec. */
export function validatePersistentVolumeClaim(
  pvc: PersistentVolumeClaim,
  old?: PersistentVolumeClaim,
): ErrorList {
  const before = old?.spec;
  return validatePersistentVolumeClaimSpec(pvc.spec ?? {}, specPath, {
    allowInvalidLabelValueInSelector: labelSelectorHasInvalidLabelValue(before?.selector),
    allowInvalidAPIGroupInDataSourceOrRef:
      before?.dataSource?.apiGroup !== undefined || before?.dataSourceRef?.apiGroup !== undefined,
  });
}

export function validatePersistentVolumeClaimUpdate(
  pvc: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
): ErrorList {
  const errors = validatePersistentVolumeClaim(pvc, old);
  const [spec, oldSpec] = [pvc.spec ?? {}, old.spec ?? {}];
  const { comparable, comparableOld, classErrors } = comparableSpecs(pvc, old);
  errors.push(...classErrors);
  if (!semanticDeepEqual(comparable, comparableOld, structOf(CLAIM_SPEC))) {
    const diff = specDifference(comparableOld, comparable, CLAIM_SPEC);
    const detail =
      "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    errors.push(forbidden(specPath, `${detail}\n${diff}`));
  }
  errors.push(...validateSize(pvc, old));
  const modeAt = Path.root("volumeMode");
  errors.push(...validateImmutableField(spec.volumeMode, oldSpec.volumeMode, modeAt));
  const [before, now] = [oldSpec.volumeAttributesClassName, spec.volumeAttributesClassName];
  const current = old.status?.currentVolumeAttributesClassName;
  if (current !== undefined && before !== now && !now) {
    const to = now === undefined ? "nil" : "empty string";
    const detail = `update to ${to} is forbidden when status.currentVolumeAttributesClassName is not nil`;
    errors.push(forbidden(specPath.child("volumeAttributesClassName"), detail));
  }
  return errors;
}

/** Both specs with what may change made equal. */
function comparableSpecs(pvc: PersistentVolumeClaim, old: PersistentVolumeClaim) {
  const comparable = cloneJson(pvc.spec ?? {});
  const comparableOld = cloneJson(old.spec ?? {});
  const classErrors: ErrorList = [];
  if (!comparableOld.volumeName && comparable.volumeName) {
    comparableOld.volumeName = comparable.volumeName;
  }
  const annotation = old.metadata?.annotations?.[BETA_STORAGE_CLASS];
  const newAnnotation = pvc.metadata?.annotations?.[BETA_STORAGE_CLASS];
  const [oldClass, newClass] = [comparableOld.storageClassName, comparable.storageClassName];
  const isMigrated =
    annotation !== undefined &&
    oldClass === undefined &&
    newClass === annotation &&
    (newAnnotation === undefined || newAnnotation === annotation);
  if (isMigrated) delete comparable.storageClassName;
  else {
    if ((annotation ?? "") !== (newAnnotation ?? "")) {
      const at = Path.root("metadata", "annotations", BETA_STORAGE_CLASS);
      classErrors.push(invalid(at, newAnnotation ?? "", FIELD_IMMUTABLE_ERROR));
    }
    const mayBeSet = annotation === undefined || annotation === newClass;
    if (newClass !== undefined && oldClass === undefined && mayBeSet) {
      delete comparable.storageClassName;
    }
  }
  if (pvc.status?.phase === "Bound") {
    const size = comparableOld.resources?.requests?.["storage"];
    if (comparable.resources?.requests !== undefined) {
      comparable.resources.requests["storage"] = size ?? "0";
    }
    if (comparable.volumeAttributesClassName !== undefined) {
      comparable.volumeAttributesClassName = comparableOld.volumeAttributesClassName;
    }
  }
  return { comparable, comparableOld, classErrors };
}

/** A claim may shrink only to recover from an expansion that failed. */
function validateSize(pvc: PersistentVolumeClaim, old: PersistentVolumeClaim): ErrorList {
  const size = pvc.spec?.resources?.requests?.["storage"];
  if (compareQuantityTexts(size, old.spec?.resources?.requests?.["storage"]) >= 0) return [];
  if (compareQuantityTexts(size, old.status?.capacity?.["storage"]) > 0) return [];
  const at = specPath.child("resources", "requests", "storage");
  return [forbidden(at, "field can not be less than status.capacity")];
}

export function validatePersistentVolumeClaimStatusUpdate(pvc: PersistentVolumeClaim): ErrorList {
  const errors: ErrorList = pvc.metadata?.resourceVersion ? [] : [required("resourceVersion")];
  if ((pvc.spec?.accessModes ?? []).length === 0) errors.push(required("Spec.accessModes"));
  const {
    capacity = {},
    allocatedResourceStatuses = {},
    allocatedResources = {},
  } = pvc.status ?? {};
  const statusPath = Path.root("status");
  for (const name in capacity) {
    const at = statusPath.child("capacity").key(name);
    errors.push(...validateBasicResource(capacity[name] ?? "0", at));
  }
  const resizeAt = statusPath.child("allocatedResourceStatus");
  for (const name in allocatedResourceStatuses) {
    errors.push(...validateResourceKey(name, resizeAt));
    if (!RESIZE_STATUSES.includes(allocatedResourceStatuses[name] ?? "")) {
      errors.push(notSupported(resizeAt, name, RESIZE_STATUSES));
    }
  }
  const allocatedAt = statusPath.child("allocatedResources");
  for (const name in allocatedResources) {
    const keyErrors = validateResourceKey(name, allocatedAt);
    errors.push(...keyErrors);
    if (keyErrors.length > 0) continue;
    const text = allocatedResources[name] ?? "0";
    const basic = validateBasicResource(text, allocatedAt.key(name));
    errors.push(...basic);
    if (basic.length > 0) continue;
    errors.push(...validateResourceQuantityValue("storage", text, allocatedAt.key(name)));
  }
  return errors;
}

function validateResourceKey(name: string, at: Path): ErrorList {
  const errors = invalidEach(at, name, isQualifiedName(name));
  if (errors.length > 0 || !isNativeResource(name) || name === "storage") return errors;
  return [notSupported(at, name, ["storage"])];
}

export function warningsForPersistentVolumeClaim(pvc: PersistentVolumeClaim): string[] {
  const warnings: string[] = [];
  if (pvc.metadata?.annotations?.[BETA_STORAGE_CLASS] !== undefined) {
    const at = Path.root("metadata", "annotations").key(BETA_STORAGE_CLASS);
    warnings.push(`${at}: ${DEPRECATED_STORAGE_CLASS}`);
  }
  return [...warnings, ...warningsForPersistentVolumeClaimSpec(pvc.spec ?? {}, specPath)];
}

/** Sizes that are no whole number of bytes. */
export function warningsForPersistentVolumeClaimSpec(
  { resources }: PersistentVolumeClaimSpec,
  at: Path,
): string[] {
  return (["requests", "limits"] as const).flatMap((member) => {
    const text = resources?.[member]?.["storage"];
    if (text === undefined || !isFractional(text)) return [];
    const path = at.child("resources", member).key("storage");
    return [`${path}: fractional byte value "${text}" is invalid, must be an integer`];
  });
}
