/** StorageVersionMigration. Upstream: pkg/apis/storagemigration/validation/validation.go. */
import { type ErrorList, invalid, Path, required } from "../../../apimachinery/validation/field.ts";
import { validateConditions } from "../../../apimachinery/validation/labels.ts";
import { isDNS1035Label, isDNS1123Subdomain } from "../../../apimachinery/validation/names.ts";
import { validateImmutableField } from "../../../apimachinery/validation/object-meta.ts";
import { goStruct } from "../../validation/common.ts";
import type { StorageVersionMigration, StorageVersionMigrationStatus } from "./types.ts";

const GO_SPEC = "k8s.io/api/storagemigration/v1beta1.StorageVersionMigrationSpec";

type Migration = Omit<StorageVersionMigration, "metadata">;

/** Errors of a migration's spec: which resource to rewrite. */
export function validateStorageVersionMigration({ spec = {} }: Migration): ErrorList {
  const at = Path.root("spec", "resource");
  const { group = "", resource = "" } = spec.resource ?? {};
  const errors: ErrorList = [];
  const check = (path: Path, value: string, problems: readonly string[]) => {
    if (problems.length > 0) errors.push(invalid(path, value, problems.join(",")));
  };
  const path = at.child("resource");
  if (resource === "") errors.push(required(path, "resource is required to be set"));
  else check(path, resource, isDNS1035Label(resource));
  if (group !== "") check(at.child("group"), group, isDNS1123Subdomain(group));
  return errors;
}

/** A migration's spec never changes. */
export function validateStorageVersionMigrationUpdate(
  migration: Migration,
  old: Migration,
): ErrorList {
  return [
    ...validateStorageVersionMigration(migration),
    ...validateImmutableField(migration.spec ?? {}, old.spec ?? {}, Path.root("spec"), () =>
      goStruct(migration.spec ?? {}, GO_SPEC),
    ),
  ];
}

/** Errors of an update of the status: a migration ends once, and starts from one revision. */
export function validateStorageVersionMigrationStatus(
  { status = {} }: Migration,
  { status: old = {} }: Migration,
): ErrorList {
  const at = Path.root("status");
  const path = at.child("resourceVersion");
  const version = status.resourceVersion ?? "";
  const errors: ErrorList = [];
  if (!/^[1-9][0-9]*$/.test(version)) {
    errors.push(invalid(path, version, `resource version is not well formed: ${version}`));
  }
  errors.push(...validateConditions(status.conditions, at.child("conditions")));
  if (old.resourceVersion) {
    errors.push(...validateImmutableField(version, old.resourceVersion, path));
  }
  const now = (type: string) => isTrue(status, type);
  const before = (type: string) => isTrue(old, type);
  const rules: readonly (readonly [broken: boolean, detail: string])[] = [
    [
      now("Succeeded") && now("Failed"),
      "Both success and failed conditions cannot be true at the same time",
    ],
    [
      now("Succeeded") && now("Running"),
      "Running condition cannot be true when success condition is true",
    ],
    [
      now("Failed") && now("Running"),
      "Running condition cannot be true when failed condition is true",
    ],
    [
      before("Succeeded") && !now("Succeeded"),
      "Success condition cannot be set to false once it is true",
    ],
    [before("Failed") && !now("Failed"), "Failed condition cannot be set to false once it is true"],
  ];
  for (const [broken, detail] of rules) {
    if (broken) errors.push(invalid(at.child("conditions"), status.conditions ?? [], detail));
  }
  return errors;
}

function isTrue({ conditions = [] }: StorageVersionMigrationStatus, type: string): boolean {
  return conditions.some((one) => one.type === type && one.status === "True");
}
