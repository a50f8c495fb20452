/** StorageVersion. Upstream: pkg/apis/apiserverinternal/validation/validation.go. */
import {
  type ErrorList,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import { isDNS1035Label, isDNS1123Subdomain } from "../../../apimachinery/validation/names.ts";
import { type NameRule, nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type { ServerStorageVersion, StorageVersion, StorageVersionCondition } from "./types.ts";

/** `<group>.<resource>`. */
export const storageVersionName: NameRule = (name) => {
  const dot = name.lastIndexOf(".");
  if (dot === -1) return ["name must be in the form of <group>.<resource>"];
  return [
    ...isDNS1123Subdomain(name.slice(0, dot)).map((message) => `the group segment ${message}`),
    ...isDNS1035Label(name.slice(dot + 1)).map((message) => `the resource segment ${message}`),
  ];
};

/** Errors of the status, which says what each server writes and reads. */
export function validateStorageVersionStatus({
  status = {},
}: Pick<StorageVersion, "status">): ErrorList {
  const at = Path.root("status");
  const versions = status.storageVersions ?? [];
  const errors = versions.flatMap((version, i) =>
    validateServer(version, at.child("storageVersions").index(i)),
  );
  const [first] = versions;
  const common =
    first !== undefined && versions.every((one) => one.encodingVersion === first.encodingVersion)
      ? first.encodingVersion
      : undefined;
  const path = at.child("commonEncodingVersion");
  if (common !== status.commonEncodingVersion) {
    const detail =
      common === undefined
        ? "should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet"
        : status.commonEncodingVersion === undefined
          ? `the common encoding version is ${common}`
          : `the actual common encoding version is ${common}`;
    errors.push(invalid(path, status.commonEncodingVersion ?? null, detail));
  }
  const conditions = at.child("conditions");
  return [
    ...errors,
    ...(status.conditions ?? []).flatMap((one, i) => validateCondition(one, conditions.index(i))),
  ];
}

function isApiVersion(version: string): boolean {
  const [first = "", second, ...more] = version.split("/");
  if (more.length > 0) return false;
  if (second === undefined) return isDNS1035Label(first).length === 0;
  return isDNS1123Subdomain(first).length === 0 && isDNS1035Label(second).length === 0;
}

function validateServer(server: ServerStorageVersion, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { apiServerID: id = "", encodingVersion: encoding = "" } = server;
  const decodable = server.decodableVersions ?? [];
  for (const message of nameIsDNSSubdomain(id, false)) {
    errors.push(invalid(at.child("apiServerID"), id, message));
  }
  const check = (path: Path, version: string) => {
    if (!isApiVersion(version)) errors.push(invalid(path, version, "must be a valid API version"));
  };
  check(at.child("encodingVersion"), encoding);
  for (const [i, version] of decodable.entries()) {
    check(at.child("decodableVersions").index(i), version);
  }
  if (!decodable.includes(encoding)) {
    const detail = `decodableVersions must include encodingVersion ${encoding}`;
    errors.push(invalid(at.child("decodableVersions"), decodable, detail));
  }
  for (const [i, version] of (server.servedVersions ?? []).entries()) {
    const path = at.child("servedVersions").index(i);
    check(path, version);
    if (decodable.includes(version)) continue;
    const list = `[${decodable.join(" ")}]`;
    const detail = `individual served version : ${version} must be included in decodableVersions : ${list}`;
    errors.push(invalid(at.child("servedVersions"), server.servedVersions ?? [], detail));
  }
  return errors;
}

function validateCondition(condition: StorageVersionCondition, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (!condition.type) errors.push(required(at.child("type")));
  const statuses = ["True", "False", "Unknown"];
  if (!statuses.includes(condition.status ?? "")) {
    errors.push(notSupported(at.child("status"), condition.status ?? "", statuses));
  }
  if (!condition.reason) errors.push(required(at.child("reason")));
  if (!condition.message) errors.push(required(at.child("message")));
  return errors;
}
