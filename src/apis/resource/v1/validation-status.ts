/** What was allocated to a ResourceClaim. Upstream: pkg/apis/resource/validation/validation.go. */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  PrintedValue,
  required,
  tooLong,
  tooMany,
} from "../../../apimachinery/validation/field.ts";
import { validateInterfaceAddress } from "../../../apimachinery/validation/ip.ts";
import { validateConditions, validateLabelName } from "../../../apimachinery/validation/labels.ts";
import { byteLength } from "../../../apimachinery/validation/names.ts";
import { validateNodeSelector } from "../../core/v1/validation/node-selector.ts";
import { goStruct } from "../../validation/common.ts";
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
} from "./types.ts";
import {
  MAX_CONFIG,
  type RequestNames,
  requestNamesOf,
  validateDeviceConfiguration,
  validateRawObject,
  validateRequestRef,
  validateRequestRefs,
} from "./validation.ts";
import {
  validateDriverName,
  validateItemSet,
  validateItems,
  validateLabelAt,
  validatePoolName,
  validateUID,
} from "./validation-names.ts";

const MAX_RESERVED_FOR = 256;
const MAX_RESULTS = 32;
const MAX_CONDITIONS = 8;
const MAX_DATA = 10 * 1024;
const MAX_BINDING_CONDITIONS = 4;
const AT = Path.root("status");

/** Errors of an update of a claim's status. */
export function validateResourceClaimStatusUpdate(
  claim: Omit<ResourceClaim, "metadata"> & KubeObject,
  old: Pick<ResourceClaim, "status">,
): ErrorList {
  const status = claim.status ?? {};
  const stored = old.status ?? {};
  const errors = validateItemSet(
    status.reservedFor ?? [],
    MAX_RESERVED_FOR,
    validateConsumer,
    ({ uid = "" }) => uid,
    AT.child("reservedFor"),
  );
  const results = status.allocation?.devices?.results ?? [];
  const allocated = new Set(results.map(deviceKey));
  errors.push(
    ...validateItemSet(
      status.devices ?? [],
      -1,
      (device, at) => validateDeviceStatus(device, allocated, at),
      deviceKey,
      AT.child("devices"),
      (device) => printedDevice(device),
    ),
  );
  const isDeleted = claim.metadata?.deletionTimestamp !== undefined;
  errors.push(...validateReservations(status, stored, isDeleted));
  const { allocation } = status;
  const names = requestNamesOf(claim.spec?.devices);
  if (allocation === undefined) return errors;
  const at = AT.child("allocation");
  if (stored.allocation === undefined)
    return [...errors, ...validateAllocation(allocation, names, at)];
  if (semanticDeepEqual(allocation, stored.allocation)) return errors;
  const printed = goStruct(allocation, "k8s.io/api/resource/v1.AllocationResult");
  return [...errors, invalid(at, printed, "field is immutable")];
}

function validateConsumer(consumer: ResourceClaimConsumerReference, at: Path): ErrorList {
  return (["resource", "name", "uid"] as const).flatMap((name) =>
    consumer[name] ? [] : [required(at.child(name))],
  );
}

/** Only an allocated claim is reserved, and one that goes away gets no new consumers. */
function validateReservations(
  status: ResourceClaimStatus,
  old: ResourceClaimStatus,
  isDeleted: boolean,
): ErrorList {
  const consumers = status.reservedFor ?? [];
  const at = AT.child("reservedFor");
  if (consumers.length === 0) return [];
  if (status.allocation === undefined) {
    return [forbidden(at, "may not be specified when `allocated` is not set")];
  }
  const isNew = (consumer: ResourceClaimConsumerReference) =>
    !(old.reservedFor ?? []).some((other) => semanticDeepEqual(other, consumer));
  if (!isDeleted || !consumers.some(isNew)) return [];
  const detail =
    "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set";
  return [forbidden(at, detail)];
}

type DeviceIdentity = Pick<AllocatedDeviceStatus, "driver" | "pool" | "device" | "shareID">;

function deviceKey({ driver = "", pool = "", device = "", shareID = "" }: DeviceIdentity): string {
  return JSON.stringify([driver, pool, device, shareID]);
}

/** As upstream's structured.SharedDeviceID prints. */
function printedDevice({ driver = "", pool = "", device = "", shareID }: DeviceIdentity) {
  const printed = { Driver: driver, Pool: pool, Device: device, ShareID: shareID ?? "" };
  return new PrintedValue(JSON.stringify(printed));
}

function validateDeviceStatus(
  device: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
  at: Path,
): ErrorList {
  const errors = [
    ...validateDriverName(device.driver ?? "", at.child("driver")),
    ...validatePoolName(device.pool ?? "", at.child("pool")),
    ...validateLabelAt(device.device ?? "", at.child("device")),
  ];
  if (device.shareID !== undefined) {
    errors.push(...validateUID(device.shareID, at.child("shareID")));
  }
  if (!allocated.has(deviceKey(device))) {
    const detail = "must be an allocated device in the claim";
    errors.push(invalid(at, printedDevice(device), detail));
  }
  const conditions = device.conditions ?? [];
  const path = at.child("conditions");
  if (conditions.length > MAX_CONDITIONS) {
    errors.push(tooMany(path, conditions.length, MAX_CONDITIONS));
  }
  errors.push(...validateConditions(conditions, path));
  if (device.data !== undefined) {
    errors.push(...validateRawObject(device.data, MAX_DATA, at.child("data")));
  }
  return [...errors, ...validateNetworkData(device.networkData, at.child("networkData"))];
}

function validateNetworkData(data: NetworkDeviceData | undefined, at: Path): ErrorList {
  if (data === undefined) return [];
  const errors: ErrorList = [];
  for (const [name, max] of [
    ["interfaceName", 256],
    ["hardwareAddress", 128],
  ] as const) {
    if (byteLength(data[name] ?? "") > max) errors.push(tooLong(at.child(name), max));
  }
  const ips = validateItemSet(
    data.ips ?? [],
    16,
    (ip, path) => validateInterfaceAddress(path, ip),
    (ip) => ip,
    at.child("ips"),
  );
  return [...errors, ...ips];
}

function validateAllocation(
  allocation: AllocationResult,
  names: RequestNames,
  at: Path,
): ErrorList {
  const { results = [], config = [] } = allocation.devices ?? {};
  const devices = at.child("devices");
  const errors = [
    ...validateItems(
      results,
      MAX_RESULTS,
      (result, path) => validateResult(result, names, path),
      devices.child("results"),
    ),
    ...validateItems(
      config,
      2 * MAX_CONFIG,
      (one, path) => validateAllocationConfig(one, names, path),
      devices.child("config"),
    ),
  ];
  if (allocation.nodeSelector === undefined) return errors;
  const path = at.child("nodeSelector");
  return [...errors, ...validateNodeSelector(allocation.nodeSelector, false, path)];
}

function validateResult(
  result: DeviceRequestAllocationResult,
  names: RequestNames,
  at: Path,
): ErrorList {
  const errors = [
    ...validateRequestRef(result.request ?? "", names, at.child("request")),
    ...validateDriverName(result.driver ?? "", at.child("driver")),
    ...validatePoolName(result.pool ?? "", at.child("pool")),
    ...validateLabelAt(result.device ?? "", at.child("device")),
    ...validateBinding(result, at),
  ];
  if (result.shareID === undefined) return errors;
  return [...errors, ...validateUID(result.shareID, at.child("shareID"))];
}

function validateAllocationConfig(
  config: DeviceAllocationConfiguration,
  names: RequestNames,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const sources = ["FromClaim", "FromClass"];
  const { source = "" } = config;
  if (source === "") errors.push(required(at.child("source")));
  else if (!sources.includes(source)) {
    errors.push(notSupported(at.child("source"), source, sources));
  }
  return [
    ...errors,
    ...validateRequestRefs(config.requests ?? [], names, at.child("requests")),
    ...validateDeviceConfiguration(config, at),
  ];
}

/** Conditions that say a device is ready, and those that say it never will be. */
export function validateBinding(
  object: Pick<DeviceRequestAllocationResult, "bindingConditions" | "bindingFailureConditions">,
  at: Path,
): ErrorList {
  const ready = object.bindingConditions ?? [];
  const failed = object.bindingFailureConditions ?? [];
  const readyAt = at.child("bindingConditions");
  const failedAt = at.child("bindingFailureConditions");
  const errors = [
    ...validateItems(ready, MAX_BINDING_CONDITIONS, validateLabelName, readyAt),
    ...validateItems(failed, MAX_BINDING_CONDITIONS, validateLabelName, failedAt),
  ];
  for (const [i, condition] of ready.entries()) {
    if (ready.indexOf(condition) < i) errors.push(duplicate(readyAt.index(i), condition));
  }
  for (const [i, condition] of failed.entries()) {
    if (failed.indexOf(condition) < i) errors.push(duplicate(failedAt.index(i), condition));
    if (!ready.includes(condition)) continue;
    const detail = "bindingFailureConditions must not overlap with bindingConditions";
    errors.push(invalid(failedAt.index(i), condition, detail));
  }
  if (ready.length === 0 && failed.length > 0) {
    const detail = "bindingConditions are required to use bindingFailureConditions";
    errors.push(invalid(readyAt, object.bindingConditions ?? null, detail));
  }
  if (failed.length === 0 && ready.length > 0) {
    const detail = "bindingFailureConditions are required to use bindingConditions";
    errors.push(invalid(failedAt, object.bindingFailureConditions ?? null, detail));
  }
  return errors;
}
