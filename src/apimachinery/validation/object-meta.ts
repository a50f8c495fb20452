/**
 * The rules every kind's metadata obeys, on create and on update.
 * Upstream: apimachinery/pkg/api/validation/{objectmeta,generic}.go, pkg/apis/meta/v1/validation.
 */
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from "../meta/types.ts";
import { parseApiVersion } from "../runtime/gvk.ts";
import type { TypeSchema } from "../runtime/type-schema.ts";
import { semanticDeepEqual } from "./equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  type Path,
  quote,
  required,
  tooLong,
} from "./field.ts";
import { validateLabels } from "./labels.ts";
import {
  byteLength,
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isPathSegmentPrefix,
  isQualifiedName,
} from "./names.ts";

export { semanticDeepEqual } from "./equality.ts";

/** Says what is wrong with a name; `prefix` when it is a generateName. */
export type NameRule = (name: string, prefix: boolean) => readonly string[];

export const IS_NEGATIVE_ERROR = "must be greater than or equal to 0";
export const FIELD_IMMUTABLE_ERROR = "field is immutable";
/** Bytes of all annotation keys and values of one object. */
export const TOTAL_ANNOTATION_SIZE_MAX = 256 * 1024;
const MANAGER_MAX = 128;
const SUBRESOURCE_MAX = 256;

/** A generateName may end in a dash. Upstream drops the byte before it too; so does this. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}

/** Upstream: NameIsDNSSubdomain, the rule of most kinds. */
export const nameIsDNSSubdomain: NameRule = (name, prefix) =>
  isDNS1123Subdomain(prefix ? maskTrailingDash(name) : name);
/** Upstream: NameIsDNSLabel. */
export const nameIsDNSLabel: NameRule = (name, prefix) =>
  isDNS1123Label(prefix ? maskTrailingDash(name) : name);
/** Upstream: NameIsDNS1035Label. */
export const nameIsDNS1035Label: NameRule = (name, prefix) =>
  isDNS1035Label(prefix ? maskTrailingDash(name) : name);
/** Upstream: path.ValidatePathSegmentName, the rule of RBAC kinds. */
export const nameIsPathSegment: NameRule = (name, prefix) =>
  prefix ? isPathSegmentPrefix(name) : isPathSegmentName(name);

/** A number that may not be negative. */
export function validateNonnegative(value: number | bigint | undefined, at: Path): ErrorList {
  return value !== undefined && value < 0 ? [invalid(at, value, IS_NEGATIVE_ERROR)] : [];
}

/** Keys and total size of annotations. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  at: Path,
): ErrorList {
  if (annotations === undefined) return [];
  const errors: ErrorList = [];
  let size = 0;
  for (const key in annotations) {
    for (const message of isQualifiedName(key.toLowerCase())) {
      errors.push(invalid(at, key, message));
    }
    size += byteLength(key) + byteLength(annotations[key] ?? "");
  }
  if (size > TOTAL_ANNOTATION_SIZE_MAX) errors.push(tooLong(at, TOTAL_ANNOTATION_SIZE_MAX));
  return errors;
}

/** Owner references; the errors are at the list, as upstream has them. */
export function validateOwnerReferences(
  owners: readonly OwnerReference[] | undefined,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  let controller = "";
  for (const owner of owners ?? []) {
    errors.push(...validateOwnerReference(owner, at));
    if (owner.controller !== true) continue;
    const name = `${owner.kind ?? ""}/${owner.name ?? ""}`;
    if (controller === "") controller = name;
    else {
      const found = `Found "true" in references for ${controller} and ${name}`;
      const detail = `Only one reference can have Controller set to true. ${found}`;
      errors.push(invalid(at, (owners ?? []).map(ownerJson), detail));
    }
  }
  return errors;
}

function ownerJson(owner: OwnerReference): OwnerReference {
  const { apiVersion = "", kind = "", name = "", uid = "" } = owner;
  return { ...owner, apiVersion, kind, name, uid };
}

function validateOwnerReference(owner: OwnerReference, at: Path): ErrorList {
  const errors: ErrorList = [];
  const parsed = parseApiVersion(owner.apiVersion ?? "");
  if (parsed === undefined || parsed.version === "") {
    const detail = "version must not be empty";
    errors.push(invalid(at.child("apiVersion"), owner.apiVersion ?? "", detail));
  }
  for (const name of ["kind", "name", "uid"] as const) {
    if (!owner[name]) errors.push(invalid(at.child(name), "", "must not be empty"));
  }
  if (parsed?.group === "" && parsed.version === "v1" && owner.kind === "Event") {
    const detail = "/v1, Kind=Event is disallowed from being an owner";
    errors.push(invalid(at, ownerJson(owner), detail));
  }
  return errors;
}

/** Qualified names, and not both deletion policies. */
export function validateFinalizers(finalizers: readonly string[] | undefined, at: Path): ErrorList {
  const errors: ErrorList = [];
  for (const finalizer of finalizers ?? []) {
    for (const message of isQualifiedName(finalizer)) errors.push(invalid(at, finalizer, message));
  }
  if (finalizers?.includes("orphan") && finalizers.includes("foregroundDeletion")) {
    const detail = "finalizer orphan and foregroundDeletion cannot be both set";
    errors.push(invalid(at, finalizers, detail));
  }
  return errors;
}

const STANDARD_FINALIZERS = ["kubernetes", "orphan", "foregroundDeletion"];

/**
 * What built-in kinds add to the rules of metadata, on create and on update: a finalizer without a
 * domain must be a standard one. Upstream: ValidateObjectMeta of pkg/apis/core/validation.
 */
export function validateKubeFinalizers(meta: ObjectMeta | undefined, at: Path): ErrorList {
  return (meta?.finalizers ?? []).flatMap((finalizer, i) =>
    validateKubeFinalizer(finalizer, at.child("finalizers").index(i)),
  );
}

/** validateObjectMeta and, after it, what built-in kinds add. */
export function validateKubeObjectMeta(
  meta: ObjectMeta,
  requiresNamespace: boolean,
  validateName: NameRule,
  at: Path,
): ErrorList {
  return [
    ...validateObjectMeta(meta, requiresNamespace, validateName, at),
    ...validateKubeFinalizers(meta, at),
  ];
}

function validateKubeFinalizer(finalizer: string, at: Path): ErrorList {
  if (finalizer.includes("/") || STANDARD_FINALIZERS.includes(finalizer)) return [];
  const detail = "name is neither a standard finalizer name nor is it fully qualified";
  return [invalid(at, finalizer, detail)];
}

/** A finalizer in a namespace's spec. Upstream: core/validation.validateFinalizerName. */
export function validateFinalizerName(finalizer: string, at: Path): ErrorList {
  const errors = isQualifiedName(finalizer).map((message) => invalid(at, finalizer, message));
  return [...errors, ...validateKubeFinalizer(finalizer, at)];
}

function validateManagedFields(
  entries: readonly ManagedFieldsEntry[] | undefined,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, entry] of (entries ?? []).entries()) {
    const path = at.index(i);
    if (entry.operation !== "Apply" && entry.operation !== "Update") {
      const detail = "must be `Apply` or `Update`";
      errors.push(invalid(path.child("operation"), entry.operation ?? "", detail));
    }
    if (entry.fieldsType && entry.fieldsType !== "FieldsV1") {
      errors.push(invalid(path.child("fieldsType"), entry.fieldsType, "must be `FieldsV1`"));
    }
    errors.push(...validateFieldManager(entry.manager ?? "", path.child("manager")));
    if (byteLength(entry.subresource ?? "") > SUBRESOURCE_MAX) {
      errors.push(tooLong(path.child("subresource"), SUBRESOURCE_MAX));
    }
  }
  return errors;
}

/** A field manager's name: at most 128 bytes, printable. */
export function validateFieldManager(manager: string, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (byteLength(manager) > MANAGER_MAX) errors.push(tooLong(at, MANAGER_MAX));
  let position = 0;
  for (const rune of manager) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(rune)) {
      const code = (rune.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
      const detail = `invalid character U+${code} (at position ${position})`;
      errors.push(invalid(at, manager, detail));
    }
    position += byteLength(rune);
  }
  return errors;
}

/** Metadata of a new object. Names have been generated by now. */
export function validateObjectMeta(
  meta: ObjectMeta,
  requiresNamespace: boolean,
  nameRule: NameRule,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const { name, generateName, namespace } = meta;
  if (generateName) {
    for (const message of nameRule(generateName, true)) {
      errors.push(invalid(at.child("generateName"), generateName, message));
    }
  }
  if (!name) errors.push(required(at.child("name"), "name or generateName is required"));
  else {
    for (const message of nameRule(name, false)) {
      errors.push(invalid(at.child("name"), name, message));
    }
  }
  if (requiresNamespace && !namespace) errors.push(required(at.child("namespace")));
  else if (requiresNamespace && namespace) {
    for (const message of nameIsDNSLabel(namespace, false)) {
      errors.push(invalid(at.child("namespace"), namespace, message));
    }
  } else if (namespace) errors.push(forbidden(at.child("namespace"), "not allowed on this type"));
  errors.push(
    ...validateNonnegative(meta.generation, at.child("generation")),
    ...validateLabels(meta.labels, at.child("labels")),
    ...validateAnnotations(meta.annotations, at.child("annotations")),
    ...validateOwnerReferences(meta.ownerReferences, at.child("ownerReferences")),
    ...validateFinalizers(meta.finalizers, at.child("finalizers")),
    ...validateManagedFields(meta.managedFields, at.child("managedFields")),
  );
  return errors;
}

/** Metadata of an updated object, after the server restored what clients may not set. */
export function validateObjectMetaUpdate(meta: ObjectMeta, old: ObjectMeta, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (old.deletionTimestamp !== undefined) {
    errors.push(
      ...validateNoNewFinalizers(meta.finalizers, old.finalizers, at.child("finalizers")),
    );
  }
  if (!meta.resourceVersion) {
    errors.push(invalid(at.child("resourceVersion"), "", "must be specified for an update"));
  }
  errors.push(...validateNonnegative(meta.generation, at.child("generation")));
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    const detail = "must not be decremented";
    errors.push(invalid(at.child("generation"), meta.generation ?? 0, detail));
  }
  for (const name of ["name", "namespace", "uid"] as const) {
    errors.push(...validateImmutableField(meta[name] ?? "", old[name] ?? "", at.child(name)));
  }
  const times = ["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"] as const;
  for (const name of times) {
    errors.push(...validateImmutableField(meta[name], old[name], at.child(name)));
  }
  errors.push(
    ...validateLabels(meta.labels, at.child("labels")),
    ...validateAnnotations(meta.annotations, at.child("annotations")),
    ...validateOwnerReferences(meta.ownerReferences, at.child("ownerReferences")),
    ...validateManagedFields(meta.managedFields, at.child("managedFields")),
  );
  return errors;
}

function validateNoNewFinalizers(
  now: readonly string[] | undefined,
  old: readonly string[] | undefined,
  at: Path,
): ErrorList {
  const known = new Set(old);
  const extra = [...new Set(now)].filter((finalizer) => !known.has(finalizer)).sort();
  if (extra.length === 0) return [];
  const list = `[]string{${extra.map(quote).join(", ")}}`;
  const lead = "no new finalizers can be added if the object is being deleted";
  return [forbidden(at, `${lead}, found new finalizers ${list}`)];
}

/**
 * Invalid when the two differ. `type` makes the comparison exact. `printed`: what the message shows
 * in place of `value`, for structs that print under their Go names.
 */
export function validateImmutableField(
  value: unknown,
  old: unknown,
  at: Path,
  printed: () => unknown = () => value,
  type?: TypeSchema,
): ErrorList {
  return semanticDeepEqual(value, old, type) ? [] : [invalid(at, printed(), FIELD_IMMUTABLE_ERROR)];
}
