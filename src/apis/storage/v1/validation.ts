/** StorageClass, VolumeAttributesClass and CSIStorageCapacity. Upstream: pkg/apis/storage/validation. */
import { parseQuantity, quantitySign } from "../../../apimachinery/quantity.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
  tooLong,
} from "../../../apimachinery/validation/field.ts";
import {
  labelSelectorHasInvalidLabelValue,
  validateLabelName,
  validateLabelSelector,
} from "../../../apimachinery/validation/labels.ts";
import { byteLength, isQualifiedName } from "../../../apimachinery/validation/names.ts";
import {
  FIELD_IMMUTABLE_ERROR,
  nameIsDNSSubdomain,
} from "../../../apimachinery/validation/object-meta.ts";
import type { TopologySelectorTerm } from "../../core/v1/types.ts";
import { goMap, goSelector } from "../../validation/common.ts";
import type { CSIStorageCapacity, StorageClass, VolumeAttributesClass } from "./types.ts";

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_SIZE = 256 * 1024;

type Class = Omit<StorageClass, "metadata">;

/** Errors of a StorageClass beyond its metadata. */
export function validateStorageClass(storageClass: Class): ErrorList {
  const { reclaimPolicy = "", volumeBindingMode: mode } = storageClass;
  const errors = [
    ...validateProvisioner(storageClass.provisioner ?? "", "provisioner"),
    ...validateParameters(storageClass.parameters ?? {}, true),
  ];
  if (reclaimPolicy !== "" && reclaimPolicy !== "Delete" && reclaimPolicy !== "Retain") {
    errors.push(notSupported("reclaimPolicy", reclaimPolicy, ["Delete", "Retain"]));
  }
  if (mode === undefined) errors.push(required("volumeBindingMode"));
  else if (mode !== "Immediate" && mode !== "WaitForFirstConsumer") {
    errors.push(notSupported("volumeBindingMode", mode, ["Immediate", "WaitForFirstConsumer"]));
  }
  return [...errors, ...validateAllowedTopologies(storageClass.allowedTopologies ?? [])];
}

function validateProvisioner(name: string, at: string): ErrorList {
  if (name === "") return [required(at)];
  const lower = name.toLowerCase();
  return isQualifiedName(lower).map((message) => invalid(at, lower, message));
}

function validateParameters(
  parameters: Readonly<Record<string, string>>,
  allowEmpty: boolean,
): ErrorList {
  const entries = Object.entries(parameters);
  if (entries.length > MAX_PARAMETERS) return [tooLong("parameters", MAX_PARAMETERS)];
  const errors: ErrorList = [];
  let size = 0;
  for (const [key, value] of entries) {
    if (key === "") errors.push(invalid("parameters", key, "field can not be empty."));
    size += byteLength(key) + byteLength(value);
  }
  if (size > MAX_PARAMETERS_SIZE) errors.push(tooLong("parameters", MAX_PARAMETERS_SIZE));
  if (!allowEmpty && entries.length === 0) {
    errors.push(required("parameters", "must contain at least one key/value pair"));
  }
  return errors;
}

/**
 * Each term differs from those before it. Upstream compares with as many empty terms as there are
 * terms, too: an empty term counts as their duplicate.
 */
function validateAllowedTopologies(terms: readonly TopologySelectorTerm[]): ErrorList {
  const errors: ErrorList = [];
  const seen: string[] = terms.map(() => "[]");
  for (const [i, term] of terms.entries()) {
    const at = Path.root("allowedTopologies").index(i).child("matchLabelExpressions");
    const [text, wrong] = validateTopologySelectorTerm(term, at);
    errors.push(...wrong);
    for (const other of seen) if (other === text) errors.push(duplicate(at, ""));
    seen.push(text);
  }
  return errors;
}

function validateTopologySelectorTerm(term: TopologySelectorTerm, at: Path): [string, ErrorList] {
  const errors: ErrorList = [];
  const sets = new Map<string, readonly string[]>();
  for (const [i, { key = "", values = [] }] of (term.matchLabelExpressions ?? []).entries()) {
    const path = at.index(i);
    if (values.length === 0) errors.push(required(path.child("values")));
    const set = new Set<string>();
    for (const [j, value] of values.entries()) {
      if (set.has(value)) errors.push(duplicate(path.child("values").index(j), value));
      set.add(value);
    }
    errors.push(...validateLabelName(key, path.child("key")));
    if (sets.has(key)) errors.push(duplicate(path.child("key"), key));
    sets.set(key, [...set].sort());
  }
  const sorted = [...sets].sort(([a], [b]) => (a < b ? -1 : 1));
  return [JSON.stringify(sorted), errors];
}

/** What an update of a StorageClass may not change. */
export function validateStorageClassUpdate(storageClass: Class, old: Class): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"] as const) {
    const value = name === "parameters" ? goMap(storageClass[name]) : storageClass[name];
    if (!same(value, old[name])) errors.push(invalid(name, value, FIELD_IMMUTABLE_ERROR));
  }
  return errors;
}

function same(a: unknown, b: unknown): boolean {
  return semanticDeepEqual(a, b);
}

type Attributes = Omit<VolumeAttributesClass, "metadata">;

/** Errors of a VolumeAttributesClass beyond its metadata. */
export function validateVolumeAttributesClass(object: Attributes): ErrorList {
  return [
    ...validateProvisioner(object.driverName ?? "", "driverName"),
    ...validateParameters(object.parameters ?? {}, false),
  ];
}

/** What an update of a VolumeAttributesClass may not change, and its other errors. */
export function validateVolumeAttributesClassUpdate(
  object: Attributes,
  old: Attributes,
): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["driverName", "parameters"] as const) {
    if (!same(object[name], old[name])) {
      errors.push(forbidden(name, `updates to ${name} are forbidden.`));
    }
  }
  return [...errors, ...validateVolumeAttributesClass(object)];
}

type Capacity = Omit<CSIStorageCapacity, "metadata">;

/** Errors of a CSIStorageCapacity beyond its metadata; `old` as stored, on updates. */
export function validateCSIStorageCapacity(capacity: Capacity, old?: Capacity): ErrorList {
  const allowInvalidLabelValueInSelector = labelSelectorHasInvalidLabelValue(old?.nodeTopology);
  const errors = validateLabelSelector(
    capacity.nodeTopology,
    { allowInvalidLabelValueInSelector },
    Path.root("nodeTopology"),
  );
  const className = capacity.storageClassName ?? "";
  for (const message of nameIsDNSSubdomain(className, false)) {
    errors.push(invalid("storageClassName", className, message));
  }
  for (const name of ["capacity", "maximumVolumeSize"] as const) {
    const text = capacity[name];
    if (text !== undefined && quantitySign(parseQuantity(text)) < 0 && name === "capacity") {
      errors.push(invalid(name, text, "must be greater than or equal to 0"));
    }
  }
  return errors;
}

/** The input of CSI's GetCapacity stays as it was. */
export function validateCSIStorageCapacityUpdate(capacity: Capacity, old: Capacity): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["nodeTopology", "storageClassName"] as const) {
    if (!same(capacity[name], old[name])) {
      const value = name === "nodeTopology" ? goSelector(capacity[name]) : capacity[name];
      errors.push(invalid(name, value, FIELD_IMMUTABLE_ERROR));
    }
  }
  return errors;
}
