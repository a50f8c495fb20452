/** ResourceSlice and device taints. Upstream: pkg/apis/resource/validation/validation.go. */
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
  tooLong,
} from "../../../apimachinery/validation/field.ts";
import { validateLabelName } from "../../../apimachinery/validation/labels.ts";
import { byteLength, isValidLabelValue } from "../../../apimachinery/validation/names.ts";
import {
  nameIsDNSSubdomain,
  validateImmutableField,
} from "../../../apimachinery/validation/object-meta.ts";
import { validateNodeSelector } from "../../core/v1/validation/node-selector.ts";
import { goStruct } from "../../validation/common.ts";
import type {
  CounterSet,
  Device,
  DeviceAttribute,
  DeviceCapacity,
  DeviceCounterConsumption,
  DeviceTaint,
  ResourcePool,
  ResourceSlice,
  ResourceSliceSpec,
} from "./types.ts";
import { TAINT_EFFECTS } from "./validation.ts";
import { validateRequestPolicy } from "./validation-capacity.ts";
import {
  QUALIFIED_NAME_MAX,
  validateDriverName,
  validateEntries,
  validateItemSet,
  validateItems,
  validateLabelAt,
  validatePoolName,
  validateResourceQualifiedName,
} from "./validation-names.ts";
import { validateBinding } from "./validation-status.ts";

const MAX_DEVICES = 128;
const MAX_DEVICES_WITH_TAINTS = 64;
const MAX_ATTRIBUTES = 32;
const MAX_COUNTER_SETS = 8;
const MAX_COUNTERS = 32;
const MAX_CONSUMPTIONS = 2;
const MAX_TAINTS = 16;
const MAX_ATTRIBUTE_VALUE = 64;
const SPEC = Path.root("spec");

type Slice = Pick<ResourceSlice, "spec">;

/** Errors of a ResourceSlice's spec; `old` as stored, on updates. */
export function validateResourceSlice({ spec = {} }: Slice, old?: Slice): ErrorList {
  const errors = [
    ...validateDriverName(spec.driver ?? "", SPEC.child("driver")),
    ...validatePool(spec.pool ?? {}, SPEC.child("pool")),
  ];
  const stored = old?.spec;
  if (stored !== undefined) {
    const poolAt = SPEC.child("pool", "name");
    errors.push(
      ...validateImmutableField(spec.pool?.name ?? "", stored.pool?.name ?? "", poolAt),
      ...validateImmutableField(spec.driver ?? "", stored.driver ?? "", SPEC.child("driver")),
      ...validateImmutableField(spec.nodeName, stored.nodeName, SPEC.child("nodeName")),
    );
  }
  errors.push(...validateNodes(spec));
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) {
    errors.push(invalid(SPEC, "", "only one of `sharedCounters` or `devices` is allowed"));
  }
  const devices = spec.devices ?? [];
  const isHeavy = devices.some(
    ({ taints = [], consumesCounters = [] }) => taints.length > 0 || consumesCounters.length > 0,
  );
  const oldDevice = (name: string) => stored?.devices?.find((device) => device.name === name);
  errors.push(
    ...validateItemSet(
      devices,
      isHeavy ? MAX_DEVICES_WITH_TAINTS : MAX_DEVICES,
      (device, at) => validateDevice(device, oldDevice(device.name ?? ""), spec, at),
      ({ name = "" }) => name,
      SPEC.child("devices"),
    ),
    ...validateItemSet(
      spec.sharedCounters ?? [],
      MAX_COUNTER_SETS,
      validateCounterSet,
      ({ name = "" }) => name,
      SPEC.child("sharedCounters"),
    ),
  );
  return errors;
}

function validatePool(pool: ResourcePool, at: Path): ErrorList {
  const { name = "", resourceSliceCount = 0, generation = 0 } = pool;
  const errors = validatePoolName(name, at.child("name"));
  if (resourceSliceCount <= 0) {
    const detail = "must be greater than zero";
    errors.push(invalid(at.child("resourceSliceCount"), resourceSliceCount, detail));
  }
  if (generation < 0) {
    const detail = "must be greater than or equal to zero";
    errors.push(invalid(at.child("generation"), generation, detail));
  }
  return errors;
}

function validateNodeName(name: string, at: Path): ErrorList {
  return nameIsDNSSubdomain(name, false).map((message) => invalid(at, name, message));
}

function validateNodes(spec: ResourceSliceSpec): ErrorList {
  const errors: ErrorList = [];
  const set: string[] = [];
  if (spec.nodeName === "") {
    const detail = "must be either unset or set to a non-empty string";
    errors.push(invalid(SPEC.child("nodeName"), "", detail));
  } else if (spec.nodeName !== undefined) {
    set.push("`nodeName`");
    errors.push(...validateNodeName(spec.nodeName, SPEC.child("nodeName")));
  }
  if (spec.nodeSelector !== undefined) {
    set.push("`nodeSelector`");
    const at = SPEC.child("nodeSelector");
    errors.push(...validateNodeSelector(spec.nodeSelector, false, at));
    const terms = spec.nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const texts = terms.map((term) => goStruct(term, "k8s.io/api/core/v1.NodeSelectorTerm").text);
      const printed = Object.assign(goStruct({}, ""), { text: `[${texts.join(",")}]` });
      const detail = "must have exactly one node selector term";
      errors.push(invalid(at.child("nodeSelectorTerms"), printed, detail));
    }
  }
  for (const name of ["allNodes", "perDeviceNodeSelection"] as const) {
    if (spec[name] === undefined) continue;
    if (spec[name]) set.push(`\`${name}\``);
    else {
      errors.push(invalid(SPEC.child(name), false, "must be either unset or set to true"));
    }
  }
  const one =
    "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  if (set.length === 0) errors.push(required(SPEC, one));
  if (set.length > 1) {
    errors.push(invalid(SPEC, `{${set.join(", ")}}`, `${one}, but multiple fields are set`));
  }
  return errors;
}

function validateDevice(
  device: Device,
  old: Device | undefined,
  spec: ResourceSliceSpec,
  at: Path,
): ErrorList {
  const errors = validateLabelAt(device.name ?? "", at.child("name"));
  const { attributes = {}, capacity = {} } = device;
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > MAX_ATTRIBUTES) {
    const detail = `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES}`;
    errors.push(invalid(at, count, detail));
  }
  const shared = device.allowMultipleAllocations === true;
  const keyed = <T>(map: Record<string, T>, check: (value: T, at: Path) => ErrorList, path: Path) =>
    validateEntries(map, -1, QUALIFIED_NAME_MAX, validateResourceQualifiedName, check, path);
  errors.push(
    ...keyed(attributes, validateAttribute, at.child("attributes")),
    ...keyed(capacity, (one, path) => validateCapacity(one, shared, path), at.child("capacity")),
  );
  if (old === undefined || !semanticDeepEqual(old.taints, device.taints)) {
    const check = (taint: DeviceTaint, path: Path) => validateDeviceTaint(taint, undefined, path);
    errors.push(...validateItems(device.taints ?? [], MAX_TAINTS, check, at.child("taints")));
  }
  errors.push(
    ...validateItemSet(
      device.consumesCounters ?? [],
      MAX_CONSUMPTIONS,
      validateConsumption,
      ({ counterSet = "" }) => counterSet,
      at.child("consumesCounters"),
    ),
    ...validateDeviceNodes(device, spec.perDeviceNodeSelection === true, at),
    ...validateBinding(device, at),
  );
  return errors;
}

function validateDeviceNodes(device: Device, perDevice: boolean, at: Path): ErrorList {
  const { nodeName, nodeSelector, allNodes } = device;
  const any = nodeName !== undefined || nodeSelector !== undefined || allNodes !== undefined;
  const when = "if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (!perDevice) {
    if (!any) return [];
    return [
      invalid(at, null, `\`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set ${when}`),
    ];
  }
  const errors: ErrorList = [];
  const set: string[] = [];
  if (nodeName === "") errors.push(invalid(at.child("nodeName"), "", "must not be empty"));
  else if (nodeName !== undefined) {
    set.push("`nodeName`");
    errors.push(...validateNodeName(nodeName, at.child("nodeName")));
  }
  if (nodeSelector !== undefined) {
    set.push("`nodeSelector`");
    errors.push(...validateNodeSelector(nodeSelector, false, at.child("nodeSelector")));
  }
  if (allNodes === true) set.push("`allNodes`");
  if (allNodes === false) {
    errors.push(invalid(at.child("allNodes"), false, "must be either unset or set to true"));
  }
  const one =
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  if (set.length === 0) errors.push(required(at, one));
  if (set.length > 1) errors.push(invalid(at, `{${set.join(", ")}}`, one));
  return errors;
}

const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

function validateAttribute(attribute: DeviceAttribute, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { string, version } = attribute;
  if (string !== undefined && byteLength(string) > MAX_ATTRIBUTE_VALUE) {
    errors.push(tooLong(at.child("string"), MAX_ATTRIBUTE_VALUE));
  }
  if (version !== undefined) {
    const path = at.child("version");
    if (!SEMVER.test(version)) {
      const detail = "must be a string compatible with semver.org spec 2.0.0";
      errors.push(invalid(path, version, detail));
    }
    if (byteLength(version) > MAX_ATTRIBUTE_VALUE) errors.push(tooLong(path, MAX_ATTRIBUTE_VALUE));
  }
  const set = Object.values(attribute).filter((value) => value !== undefined).length;
  if (set === 1) return errors;
  const printed = goStruct(attribute, "k8s.io/api/resource/v1.DeviceAttribute");
  return [...errors, invalid(at, set === 0 ? "" : printed, "exactly one value must be specified")];
}

function validateCapacity(capacity: DeviceCapacity, shared: boolean, at: Path): ErrorList {
  if (capacity.requestPolicy === undefined) return [];
  const path = at.child("requestPolicy");
  if (!shared) return [forbidden(path, "allowMultipleAllocations must be true")];
  return validateRequestPolicy(capacity.value ?? "0", capacity.requestPolicy, path);
}

function validateCounters(counters: CounterSet["counters"], at: Path): ErrorList {
  if (Object.keys(counters ?? {}).length === 0) return [required(at)];
  return validateEntries(counters ?? {}, MAX_COUNTERS, 63, validateLabelAt, () => [], at);
}

function validateCounterSet({ name = "", counters }: CounterSet, at: Path): ErrorList {
  const path = at.child("name");
  const errors = name === "" ? [required(path)] : validateLabelAt(name, path);
  return [...errors, ...validateCounters(counters, at.child("counters"))];
}

function validateConsumption(
  { counterSet = "", counters }: DeviceCounterConsumption,
  at: Path,
): ErrorList {
  const path = at.child("counterSet");
  const errors = counterSet === "" ? [required(path)] : validateLabelAt(counterSet, path);
  return [...errors, ...validateCounters(counters, at.child("counters"))];
}

/** A taint; an effect that stays as stored is not looked at. */
export function validateDeviceTaint(
  { key = "", value = "", effect = "" }: DeviceTaint,
  old: DeviceTaint | undefined,
  at: Path,
): ErrorList {
  const errors = validateLabelName(key, at.child("key"));
  for (const message of isValidLabelValue(value)) {
    errors.push(invalid(at.child("value"), value, message));
  }
  if (old !== undefined && (old.effect ?? "") === effect) return errors;
  const path = at.child("effect");
  if (effect === "") errors.push(required(path));
  else if (!TAINT_EFFECTS.includes(effect)) errors.push(notSupported(path, effect, TAINT_EFFECTS));
  return errors;
}
