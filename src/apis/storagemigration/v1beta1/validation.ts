/** StorageVersionMigration. Upstream: pkg/apis/storagemigration/validation/validation.go. */
import {
  type ErrorList,
  forbidden,
  invalid,
  Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import { validateConditions } from "../../../apimachinery/validation/labels.ts";
import { isDNS1035Label, isDNS1123Subdomain } from "../../../apimachinery/validation/names.ts";
import { validateImmutableField } from "../../../apimachinery/validation/object-meta.ts";
import type { StorageVersionMigration } from "./types.ts";

type Migration = Omit<StorageVersionMigration, "metadata">;

/** Errors of a migration's spec: which resource to rewrite. */
export function validateStorageVersionMigration({ spec = {} }: Migration): ErrorList {
  const at = Path.root("spec", "resource");
  const { group = "", resource = "" } = spec.resource ?? {};
  const errors: ErrorList = [];
  if (group !== "") {
    for (const message of isDNS1123Subdomain(group)) {
      errors.push(invalid(at.child("group"), group, message));
    }
  }
  if (resource === "") return [...errors, required(at.child("resource"), "resource is required")];
  for (const message of isDNS1035Label(resource)) {
    errors.push(invalid(at.child("resource"), resource, message));
  }
  return errors;
}

/** A migration's spec never changes. */
export function validateStorageVersionMigrationUpdate(
  migration: Migration,
  old: Migration,
): ErrorList {
  return [
    ...validateStorageVersionMigration(migration),
    ...validateImmutableField(
      migration.spec?.resource,
      old.spec?.resource,
      Path.root("spec", "resource"),
    ),
  ];
}

/** Errors of an update of the status: a migration ends once, and starts from one revision. */
export function validateStorageVersionMigrationStatus(
  { status = {} }: Migration,
  old: Migration,
): ErrorList {
  const at = Path.root("status");
  const errors = validateConditions(status.conditions, at.child("conditions"));
  const isTrue = (object: Migration["status"], type: string) =>
    (object?.conditions ?? []).some((one) => one.type === type && one.status === "True");
  if (isTrue(status, "Succeeded") && isTrue(status, "Failed")) {
    const detail = "Both success and failed conditions cannot be true at the same time";
    errors.push(invalid(at.child("conditions"), status.conditions ?? [], detail));
  }
  for (const type of ["Succeeded", "Failed"]) {
    if (!isTrue(old.status, type) || isTrue(status, type)) continue;
    const name = type === "Succeeded" ? "Success" : "Failed";
    const detail = `${name} condition cannot be set to false once it is true`;
    errors.push(invalid(at.child("conditions"), status.conditions ?? [], detail));
  }
  const stored = old.status?.resourceVersion ?? "";
  const version = status.resourceVersion ?? "";
  if (stored !== "" && stored !== version) {
    errors.push(forbidden(at.child("resourceVersion"), "resourceVersion cannot be updated"));
  }
  return errors;
}
