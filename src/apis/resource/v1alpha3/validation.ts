/**
 * DeviceTaintRule and ResourcePoolStatusRequest.
 * Upstream: pkg/apis/resource/validation/validation.go.
 */
import {
  type ErrorList,
  invalid,
  Path,
  required,
  tooMany,
} from "../../../apimachinery/validation/field.ts";
import { validateConditions } from "../../../apimachinery/validation/labels.ts";
import {
  validateImmutableField,
  validateNonnegative,
} from "../../../apimachinery/validation/object-meta.ts";
import { goStruct, validateDNS1123Subdomain } from "../../validation/common.ts";
import { validateDriverName, validateLabelAt, validatePoolName } from "../v1/validation-names.ts";
import { validateDeviceTaint } from "../v1/validation-slice.ts";
import type { DeviceTaintRule, PoolStatus, ResourcePoolStatusRequest } from "./types.ts";

const MAX_CONDITIONS = 8;

/** Errors of a rule's spec; `old` as stored, on updates. */
export function validateDeviceTaintRule(
  { spec = {} }: Pick<DeviceTaintRule, "spec">,
  old?: Pick<DeviceTaintRule, "spec">,
): ErrorList {
  const errors: ErrorList = [];
  const at = Path.root("spec", "deviceSelector");
  const { driver, pool, device } = spec.deviceSelector ?? {};
  if (driver !== undefined) errors.push(...validateDriverName(driver, at.child("driver")));
  if (pool !== undefined) errors.push(...validatePoolName(pool, at.child("pool")));
  if (device !== undefined) errors.push(...validateLabelAt(device, at.child("device")));
  const taintAt = Path.root("spec", "taint");
  const stored = old === undefined ? undefined : (old.spec?.taint ?? {});
  return [...errors, ...validateDeviceTaint(spec.taint ?? {}, stored, taintAt)];
}

/** Errors of an update of a rule's status. */
export function validateDeviceTaintRuleStatus({
  status = {},
}: Pick<DeviceTaintRule, "status">): ErrorList {
  const at = Path.root("status", "conditions");
  const conditions = status.conditions ?? [];
  const errors = validateConditions(conditions, at);
  if (conditions.length <= MAX_CONDITIONS) return errors;
  return [...errors, tooMany(at, conditions.length, MAX_CONDITIONS)];
}

type StatusRequest = Pick<ResourcePoolStatusRequest, "spec">;

/** Errors of a request's spec, which never changes. */
export function validateResourcePoolStatusRequest(
  { spec = {} }: StatusRequest,
  old?: StatusRequest,
): ErrorList {
  const at = Path.root("spec");
  if (old !== undefined) {
    return validateImmutableField(spec, old.spec ?? {}, at, () =>
      goStruct(spec, "k8s.io/api/resource/v1alpha3.ResourcePoolStatusRequestSpec"),
    );
  }
  const errors: ErrorList = [];
  if (!spec.driver) errors.push(required(at.child("driver")));
  else errors.push(...validateDriverName(spec.driver, at.child("driver")));
  if (spec.poolName !== undefined) {
    errors.push(...validatePoolName(spec.poolName, at.child("poolName")));
  }
  const { limit } = spec;
  if (limit !== undefined && limit < 1) {
    errors.push(invalid(at.child("limit"), limit, "must be greater than or equal to 1"));
  }
  if (limit !== undefined && limit > 1000) {
    errors.push(invalid(at.child("limit"), limit, "must be less than or equal to 1000"));
  }
  return errors;
}

const POOL_COUNTS = [
  "generation",
  "totalDevices",
  "allocatedDevices",
  "availableDevices",
  "unavailableDevices",
] as const;

/** Errors of an update of the status, which is written once. */
export function validateResourcePoolStatusRequestStatus(
  { status }: Pick<ResourcePoolStatusRequest, "status">,
  { status: old }: Pick<ResourcePoolStatusRequest, "status">,
): ErrorList {
  const at = Path.root("status");
  if (old !== undefined) {
    return validateImmutableField(status, old, at, () =>
      goStruct(status ?? {}, "k8s.io/api/resource/v1alpha3.ResourcePoolStatusRequestStatus"),
    );
  }
  if (status === undefined) return [];
  const errors = validateConditions(status.conditions, at.child("conditions"));
  if (status.poolCount === undefined) errors.push(required(at.child("poolCount")));
  else errors.push(...validateNonnegative(status.poolCount, at.child("poolCount")));
  const pools = status.pools ?? [];
  return [...errors, ...pools.flatMap((pool, i) => validatePool(pool, at.child("pools").index(i)))];
}

function validatePool(pool: PoolStatus, at: Path): ErrorList {
  const { driver, poolName, nodeName } = pool;
  const name = at.child("poolName");
  const errors = driver
    ? validateDriverName(driver, at.child("driver"))
    : [required(at.child("driver"))];
  errors.push(...(poolName ? validatePoolName(poolName, name) : [required(name)]));
  if (nodeName !== undefined) {
    errors.push(...validateDNS1123Subdomain(nodeName, at.child("nodeName")));
  }
  for (const count of POOL_COUNTS) {
    errors.push(...validateNonnegative(pool[count], at.child(count)));
  }
  return errors;
}
