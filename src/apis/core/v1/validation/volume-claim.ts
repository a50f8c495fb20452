/**
 * Specs of persistent volume claims, in claims of their own and in templates of pods and stateful
 * sets. Upstream: ValidatePersistentVolumeClaimSpec, ValidatePersistentVolumeClaimTemplate.
 */

import type { ObjectMeta } from "../../../../apimachinery/meta/types.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  validateLabelSelector,
  validateLabels,
} from "../../../../apimachinery/validation/labels.ts";
import { isDNS1123Label, isDNS1123Subdomain } from "../../../../apimachinery/validation/names.ts";
import { validateAnnotations } from "../../../../apimachinery/validation/object-meta.ts";
import { invalidEach, validatePositiveQuantity } from "../../../validation/common.ts";
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
  TypedObjectReference,
} from "../types.ts";
import { validateResourceQuantityValue } from "./resources.ts";

export interface VolumeClaimOptions {
  readonly allowInvalidLabelValueInSelector?: boolean;
  readonly allowInvalidAPIGroupInDataSourceOrRef?: boolean;
}

const ACCESS_MODES = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const VOLUME_MODES = ["Block", "Filesystem"];

/** accessModes of claims and volumes: known ones, and ReadWriteOncePod alone. */
export function validateAccessModes(modes: readonly string[], at: Path): ErrorList {
  const errors = modes
    .filter((mode) => !ACCESS_MODES.includes(mode))
    .map((mode) => notSupported(at, mode, ACCESS_MODES));
  const others = modes.some((mode) => mode !== "ReadWriteOncePod" && ACCESS_MODES.includes(mode));
  if (modes.includes("ReadWriteOncePod") && others) {
    errors.push(forbidden(at, "may not use ReadWriteOncePod with other access modes"));
  }
  return errors;
}

/** The spec of a claim. */
export function validatePersistentVolumeClaimSpec(
  spec: PersistentVolumeClaimSpec,
  at: Path,
  options: VolumeClaimOptions = {},
): ErrorList {
  const { accessModes = [], storageClassName, volumeMode, volumeAttributesClassName } = spec;
  const errors: ErrorList = [];
  if (accessModes.length === 0) {
    errors.push(required(at.child("accessModes"), "at least 1 access mode is required"));
  }
  errors.push(
    ...validateLabelSelector(spec.selector, options, at.child("selector")),
    ...validateAccessModes(accessModes, at.child("accessModes")),
    ...validateStorageRequest(spec, at.child("resources").key("storage")),
  );
  if (storageClassName) {
    const problems = isDNS1123Subdomain(storageClassName);
    errors.push(...invalidEach(at.child("storageClassName"), storageClassName, problems));
  }
  if (volumeMode !== undefined && !VOLUME_MODES.includes(volumeMode)) {
    errors.push(notSupported(at.child("volumeMode"), volumeMode, VOLUME_MODES));
  }
  errors.push(...validateDataSources(spec, at, options));
  if (volumeAttributesClassName) {
    const problems = isDNS1123Subdomain(volumeAttributesClassName);
    const path = at.child("volumeAttributesClassName");
    errors.push(...invalidEach(path, volumeAttributesClassName, problems));
  }
  return errors;
}

function validateStorageRequest(spec: PersistentVolumeClaimSpec, at: Path): ErrorList {
  const storage = spec.resources?.requests?.["storage"];
  if (storage === undefined) return [required(at)];
  const errors = validatePositiveQuantity(storage, at);
  return errors.length > 0 ? errors : validateResourceQuantityValue("storage", storage, at);
}

function validateDataSources(
  spec: PersistentVolumeClaimSpec,
  at: Path,
  options: VolumeClaimOptions,
): ErrorList {
  const { dataSource, dataSourceRef } = spec;
  const errors: ErrorList = [];
  if (dataSource !== undefined) {
    errors.push(...validateDataSource(dataSource, at.child("dataSource"), options));
  }
  if (dataSourceRef !== undefined) {
    const path = at.child("dataSourceRef");
    errors.push(...validateDataSource(dataSourceRef, path, options));
    if (dataSourceRef.namespace) {
      const problems = isDNS1123Label(dataSourceRef.namespace);
      errors.push(...invalidEach(path.child("namespace"), dataSourceRef.namespace, problems));
    }
  }
  if (dataSource === undefined || dataSourceRef === undefined) return errors;
  if (dataSourceRef.namespace) {
    const detail = "may not be specified when dataSourceRef.namespace is specified";
    errors.push(invalid(at, {}, detail));
  } else if (!sameSource(dataSource, dataSourceRef)) {
    errors.push(invalid(at, {}, "must match dataSourceRef"));
  }
  return errors;
}

function sameSource(a: TypedLocalObjectReference, b: TypedObjectReference): boolean {
  return a.apiGroup === b.apiGroup && a.kind === b.kind && a.name === b.name;
}

function validateDataSource(
  { apiGroup = "", kind = "", name = "" }: TypedLocalObjectReference,
  at: Path,
  options: VolumeClaimOptions,
): ErrorList {
  const errors: ErrorList = [];
  if (name === "") errors.push(required(at.child("name")));
  if (kind === "") errors.push(required(at.child("kind")));
  if (apiGroup === "" && kind !== "PersistentVolumeClaim") {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(invalid(at, kind, detail));
  }
  if (apiGroup !== "" && !options.allowInvalidAPIGroupInDataSourceOrRef) {
    errors.push(...invalidEach(at.child("apiGroup"), apiGroup, isDNS1123Subdomain(apiGroup)));
  }
  return errors;
}

/** A template inside a pod's volume. */
export function validatePersistentVolumeClaimTemplate(
  template: PersistentVolumeClaimTemplate,
  at: Path,
): ErrorList {
  return [
    ...validateTemplateObjectMeta(template.metadata ?? {}, at.child("metadata")),
    ...validatePersistentVolumeClaimSpec(template.spec ?? {}, at.child("spec")),
  ];
}

/** All other fields of ObjectMeta, in the order of upstream's struct. */
const UNSET_IN_TEMPLATES = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
  "managedFields",
] as const;

/**
 * The metadata of a template from which objects are made: labels and annotations, nothing else.
 * Upstream: ValidateTemplateObjectMeta.
 */
export function validateTemplateObjectMeta(meta: ObjectMeta, at: Path): ErrorList {
  const errors = [
    ...validateAnnotations(meta.annotations, at.child("annotations")),
    ...validateLabels(meta.labels, at.child("labels")),
  ];
  for (const name of UNSET_IN_TEMPLATES) {
    if (isSet(meta[name])) errors.push(forbidden(at.child(goFieldName(name)), "cannot be set"));
  }
  return errors;
}

/** The path shows the Go field's name with its first letter in lower case. */
function goFieldName(name: string): string {
  return name === "uid" ? "uID" : name;
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== "" && value !== 0;
}
