/** Where containers see volumes. Upstream: ValidateVolumeMounts, ValidateVolumeDevices. */
import {
  type ErrorList,
  forbidden,
  invalid,
  notFound,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import type { Container, Volume, VolumeDevice, VolumeMount } from "../types.ts";
import { validateLocalDescendingPath, validatePathNoBacksteps } from "./paths.ts";

type Volumes = ReadonlyMap<string, Volume>;

const PROPAGATIONS = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY = ["Disabled", "Enabled", "IfPossible"];

/** volumeMounts. */
export function validateVolumeMounts(container: Container, volumes: Volumes, at: Path): ErrorList {
  const errors: ErrorList = [];
  const devices = new Map(
    (container.volumeDevices ?? []).map((device) => [device.name ?? "", device.devicePath ?? ""]),
  );
  const devicePaths = new Set(devices.values());
  const seen = new Set<string>();
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const path = at.index(i);
    const { name = "", mountPath = "" } = mount;
    if (name === "") errors.push(required(path.child("name")));
    if (!volumes.has(name)) errors.push(notFound(path.child("name"), name));
    if (mountPath === "") errors.push(required(path.child("mountPath")));
    if (seen.has(mountPath)) {
      errors.push(invalid(path.child("mountPath"), mountPath, "must be unique"));
    }
    seen.add(mountPath);
    if (devices.has(name)) {
      errors.push(invalid(path.child("name"), name, "must not already exist in volumeDevices"));
    }
    if (devicePaths.has(mountPath)) {
      const detail = "must not already exist as a path in volumeDevices";
      errors.push(invalid(path.child("mountPath"), mountPath, detail));
    }
    errors.push(...validateMountDetails(mount, container, at, path));
  }
  return errors;
}

/** Upstream reports some of these at the list instead of the item; so does this. */
function validateMountDetails(
  mount: VolumeMount,
  container: Container,
  list: Path,
  at: Path,
): ErrorList {
  const { subPath = "", subPathExpr = "", mountPropagation } = mount;
  const errors: ErrorList = [];
  if (subPath !== "") errors.push(...validateLocalDescendingPath(subPath, list.child("subPath")));
  if (subPathExpr !== "") {
    if (subPath !== "") {
      const detail = "subPathExpr and subPath are mutually exclusive";
      errors.push(invalid(at.child("subPathExpr"), subPathExpr, detail));
    }
    errors.push(...validateLocalDescendingPath(subPathExpr, list.child("subPathExpr")));
  }
  if (mountPropagation !== undefined) {
    const path = list.child("mountPropagation");
    if (!PROPAGATIONS.includes(mountPropagation)) {
      errors.push(notSupported(path, mountPropagation, PROPAGATIONS));
    }
    if (mountPropagation === "Bidirectional" && container.securityContext?.privileged !== true) {
      const detail = "Bidirectional mount propagation is available only to privileged containers";
      errors.push(forbidden(path, detail));
    }
  }
  return [...errors, ...validateRecursiveReadOnly(mount, list.child("recursiveReadOnly"))];
}

function validateRecursiveReadOnly(mount: VolumeMount, at: Path): ErrorList {
  const { recursiveReadOnly: mode, mountPropagation: propagation } = mount;
  if (mode === undefined || mode === "Disabled") return [];
  if (!RECURSIVE_READ_ONLY.includes(mode)) return [notSupported(at, mode, RECURSIVE_READ_ONLY)];
  const errors: ErrorList = [];
  if (!mount.readOnly) {
    errors.push(forbidden(at, "may only be specified when readOnly is true"));
  }
  if (propagation !== undefined && propagation !== "None") {
    const detail = "may only be specified when mountPropagation is None or not specified";
    errors.push(forbidden(at, detail));
  }
  return errors;
}

/** volumeDevices: block devices, only from claims. */
export function validateVolumeDevices(container: Container, volumes: Volumes, at: Path): ErrorList {
  const errors: ErrorList = [];
  const mounts = new Map(
    (container.volumeMounts ?? []).map((mount) => [mount.name ?? "", mount.mountPath ?? ""]),
  );
  const mountPaths = new Set(mounts.values());
  const seen = { names: new Set<string>(), paths: new Set<string>() };
  for (const [i, device] of (container.volumeDevices ?? []).entries()) {
    const path = at.index(i);
    const { name = "", devicePath = "" } = device;
    errors.push(...validateDevice(device, volumes, seen, path));
    if (mounts.has(name)) {
      errors.push(invalid(path.child("name"), name, "must not already exist in volumeMounts"));
    }
    if (mountPaths.has(devicePath)) {
      const detail = "must not already exist as a path in volumeMounts";
      errors.push(invalid(path.child("devicePath"), devicePath, detail));
    }
    if (name !== "") seen.names.add(name);
  }
  return errors;
}

function validateDevice(
  { name = "", devicePath = "" }: VolumeDevice,
  volumes: Volumes,
  seen: { readonly names: Set<string>; readonly paths: Set<string> },
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  if (name === "") errors.push(required(at.child("name")));
  if (seen.names.has(name)) errors.push(invalid(at.child("name"), name, "must be unique"));
  const volume = volumes.get(name);
  if (volume === undefined) errors.push(notFound(at.child("name"), name));
  else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
    const detail =
      "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode";
    errors.push(invalid(at.child("name"), name, detail));
  }
  if (devicePath === "") errors.push(required(at.child("devicePath")));
  if (seen.paths.has(devicePath)) {
    errors.push(invalid(at.child("devicePath"), devicePath, "must be unique"));
  }
  if (validatePathNoBacksteps(devicePath, at).length > 0) {
    const detail = "can not contain backsteps ('..')";
    errors.push(invalid(at.child("devicePath"), devicePath, detail));
  } else seen.paths.add(devicePath);
  return errors;
}
