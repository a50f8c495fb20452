/** StorageVersion. Upstream: pkg/apis/apiserverinternal/validation/validation.go. */
import {
  duplicate,
  type ErrorList,
  invalid,
  Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import {
  EMPTY_ERROR,
  isDNS1035Label,
  isDNS1123Subdomain,
  isQualifiedName,
  regexError,
} from "../../../apimachinery/validation/names.ts";
import { type NameRule, nameIsDNSSubdomain } from "../../../apimachinery/validation/object-meta.ts";
import type {
  ServerStorageVersion,
  StorageVersion,
  StorageVersionCondition,
  StorageVersionStatus,
} from "./types.ts";

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
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    const path = at.child("storageVersions").index(i);
    const { apiServerID: id = "" } = version;
    if (seen.has(id)) errors.push(duplicate(path.child("apiServerID"), id));
    seen.add(id);
    errors.push(...validateServer(version, path));
  }
  return [
    ...errors,
    ...validateCommonVersion(status, at.child("commonEncodingVersion")),
    // Upstream leaves `conditions` out of the path.
    ...validateStorageVersionConditions(status.conditions ?? [], at),
  ];
}

function validateCommonVersion(status: StorageVersionStatus, at: Path): ErrorList {
  const [first, ...rest] = status.storageVersions ?? [];
  const agrees = rest.every((one) => one.encodingVersion === first?.encodingVersion);
  const common = agrees ? first?.encodingVersion : undefined;
  const claimed = status.commonEncodingVersion;
  if (common === claimed) return [];
  if (common === undefined) {
    const detail =
      "should be nil if servers do not agree on the same encoding version, or if there is no " +
      "server reporting the supported versions yet";
    return [invalid(at, claimed, detail)];
  }
  if (claimed === undefined) {
    return [invalid(at, undefined, `the common encoding version is ${common}`)];
  }
  return [invalid(at, claimed, `the actual common encoding version is ${common}`)];
}

const API_VERSION_ERROR =
  "an apiVersion is a DNS-1035 label, which must consist of lower case alphanumeric characters " +
  "or '-', start with an alphabetic character, and end with an alphanumeric character";

/** What is wrong with `<version>` or `<group>/<version>`. */
function apiVersionProblems(apiVersion: string): readonly string[] {
  const parts = apiVersion.split("/");
  if (parts.length > 2) {
    const label = regexError(API_VERSION_ERROR, "[a-z]([-a-z0-9]*[a-z0-9])?", "my-name", "abc-123");
    const prefix = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')";
    return [`${label} ${prefix}`];
  }
  const version = parts.at(-1) ?? "";
  const group = parts.length === 2 ? parts[0] : undefined;
  const problems: string[] = [];
  if (group === "") problems.push(`group part: ${EMPTY_ERROR}`);
  else if (group !== undefined) {
    problems.push(...isDNS1123Subdomain(group).map((message) => `group part: ${message}`));
  }
  if (version === "") return [...problems, `version part: ${EMPTY_ERROR}`];
  return [...problems, ...isDNS1035Label(version).map((message) => `version part: ${message}`)];
}

function validateServer(server: ServerStorageVersion, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { apiServerID: id = "", encodingVersion: encoding = "" } = server;
  const decodable = server.decodableVersions ?? [];
  for (const message of nameIsDNSSubdomain(id, false)) {
    errors.push(invalid(at.child("apiServerID"), id, message));
  }
  const check = (path: Path, version: string) => {
    const problems = apiVersionProblems(version);
    if (problems.length > 0) errors.push(invalid(path, version, problems.join(",")));
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
    errors.push(invalid(path, version, detail));
  }
  return errors;
}

function validateStorageVersionConditions(
  conditions: readonly StorageVersionCondition[],
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const places = new Map<string, number>();
  for (const [i, { type = "", status = "", reason, message }] of conditions.entries()) {
    const path = at.index(i);
    const place = places.get(type);
    if (place !== undefined) {
      const detail = `the type of the condition is not unique, it also appears in conditions[${place}]`;
      errors.push(invalid(path.child("type"), type, detail));
    }
    places.set(type, i);
    for (const problem of isQualifiedName(type)) {
      errors.push(invalid(path.child("type"), type, problem));
    }
    // The value shown is the type upstream too.
    for (const problem of isQualifiedName(status)) {
      errors.push(invalid(path.child("status"), type, problem));
    }
    if (!reason) errors.push(required(path.child("reason"), "reason cannot be empty"));
    if (!message) errors.push(required(path.child("message"), "message cannot be empty"));
  }
  return errors;
}
