/** Leases and LeaseCandidates. Upstream: pkg/apis/coordination/validation/validation.go. */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { isConfigMapKey, isQualifiedName } from "../../../../apimachinery/validation/names.ts";
import {
  type NameRule,
  validateImmutableField,
} from "../../../../apimachinery/validation/object-meta.ts";
import { invalidEach } from "../../../validation/common.ts";
import type { LeaseCandidate } from "../../v1beta1/types.ts";
import type { Lease } from "../types.ts";

const OLDEST_EMULATION_VERSION = "OldestEmulationVersion";
const specPath = Path.root("spec");

export function validateLease({ spec = {} }: Lease): ErrorList {
  const errors: ErrorList = [];
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec;
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    const at = specPath.child("leaseDurationSeconds");
    errors.push(invalid(at, leaseDurationSeconds, "must be greater than 0"));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    const at = specPath.child("leaseTransitions");
    errors.push(invalid(at, leaseTransitions, "must be greater than or equal to 0"));
  }
  if (strategy !== undefined) errors.push(...validateStrategy(strategy));
  if (preferredHolder && !strategy) {
    const detail = "may only be specified if `strategy` is defined";
    errors.push(forbidden(specPath.child("preferredHolder"), detail));
  }
  return errors;
}

/** Upstream names the field twice in the path. */
function validateStrategy(strategy: string): ErrorList {
  const at = specPath.child("strategy", "strategy");
  if (strategy.includes("/")) return invalidEach(at, strategy, isQualifiedName(strategy));
  if (strategy === OLDEST_EMULATION_VERSION) return [];
  return [notSupported(at, strategy, [OLDEST_EMULATION_VERSION])];
}

export const nameIsConfigKey: NameRule = (name) => isConfigMapKey(name);

interface Version {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: readonly string[];
}

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

function parseVersion(text: string): Version | undefined {
  const match = SEMVER.exec(text);
  if (match === null) return undefined;
  const prerelease = match[4]?.split(".") ?? [];
  if (prerelease.some((part) => /^0\d+$/.test(part))) return undefined;
  const [major, minor, patch] = [match[1], match[2], match[3]].map((part) => BigInt(part ?? 0));
  return { numbers: [major ?? 0n, minor ?? 0n, patch ?? 0n], prerelease };
}

function isLess(a: Version, b: Version): boolean {
  for (const i of [0, 1, 2] as const) {
    if (a.numbers[i] !== b.numbers[i]) return a.numbers[i] < b.numbers[i];
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return a.prerelease.length > b.prerelease.length;
  }
  for (const [i, left] of a.prerelease.entries()) {
    const right = b.prerelease[i];
    if (right === undefined) return false;
    if (left === right) continue;
    const [leftIsNumber, rightIsNumber] = [/^\d+$/.test(left), /^\d+$/.test(right)];
    if (leftIsNumber && rightIsNumber) return BigInt(left) < BigInt(right);
    return leftIsNumber === rightIsNumber ? left < right : leftIsNumber;
  }
  return a.prerelease.length < b.prerelease.length;
}

const ZERO: Version = { numbers: [0n, 0n, 0n], prerelease: [] };
const isZero = (version: Version) => !isLess(ZERO, version) && !isLess(version, ZERO);

export function validateLeaseCandidate({ spec = {} }: LeaseCandidate): ErrorList {
  const { leaseName = "", binaryVersion = "", emulationVersion = "", strategy = "" } = spec;
  const errors: ErrorList = [];
  const notAVersion = (member: string, text: string) =>
    errors.push(invalid(specPath.child(member), text, "must be a valid semantic version"));
  if (leaseName === "") errors.push(required(specPath.child("leaseName")));
  const emulated = emulationVersion === "" ? undefined : parseVersion(emulationVersion);
  if (emulationVersion !== "" && emulated === undefined) {
    notAVersion("emulationVersion", emulationVersion);
  }
  const binary = parseVersion(binaryVersion);
  const binaryAt = specPath.child("binaryVersion");
  if (binaryVersion === "") errors.push(required(binaryAt));
  else if (binary === undefined) notAVersion("binaryVersion", binaryVersion);
  if (binaryVersion !== "" && emulationVersion !== "" && isLess(binary ?? ZERO, emulated ?? ZERO)) {
    const detail = "must be greater than or equal to `emulationVersion`";
    errors.push(invalid(binaryAt, binaryVersion, detail));
  }
  if (strategy === "") return [...errors, required(specPath.child("strategy"))];
  if (strategy === OLDEST_EMULATION_VERSION && isZero(emulated ?? ZERO)) {
    const detail = "must be specified when `strategy` is 'OldestEmulationVersion'";
    errors.push(required(specPath.child("emulationVersion"), detail));
  }
  return [...errors, ...validateStrategy(strategy)];
}

export function validateLeaseCandidateUpdate(object: LeaseCandidate, old: LeaseCandidate) {
  const [now, before] = [object.spec?.leaseName ?? "", old.spec?.leaseName ?? ""];
  return [
    ...validateLeaseCandidate(object),
    ...validateImmutableField(now, before, specPath.child("leaseName")),
  ];
}
