/** Sysctls of a pod. Upstream: validateSysctls, component-helpers/node/util/sysctl. */
import {
  duplicate,
  type ErrorList,
  invalid,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { byteLength } from "../../../../apimachinery/validation/names.ts";
import type { PodSpec } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";

const SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const NAME = `^(${SEGMENT}[\\./])*${SEGMENT}$`;
const nameRegExp = new RegExp(NAME);
const NAME_MAX = 253;

const IPC = ["kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"];
const IPC_PREFIXES = ["kernel.msg", "kernel.sem", "fs.mqueue."];

/** Whether the sysctl belongs to the `net` or the `ipc` namespace. */
function namespaceOf(sysctl: string): "net" | "ipc" | undefined {
  const name = normalized(sysctl);
  if (name.startsWith("net.")) return "net";
  if (IPC.includes(name) || name === "kernel.sem") return "ipc";
  return IPC_PREFIXES.some((prefix) => name.startsWith(prefix)) ? "ipc" : undefined;
}

/** Slashes as separators swap with dots, unless a dot comes first. */
function normalized(name: string): string {
  const first = name.search(/[./]/);
  if (first === -1 || name[first] === ".") return name;
  return name.replace(/[./]/g, (char) => (char === "." ? "/" : "."));
}

/** A namespaced sysctl may not be set where the pod shares that namespace with the host. */
export function validateHostSysctl(name: string, spec: PodSpec, at: Path): ErrorList {
  const namespace = namespaceOf(name);
  if (spec.hostNetwork && namespace === "net") {
    return [invalid(at, name, "may not be specified when 'hostNetwork' is true")];
  }
  if (spec.hostIPC && namespace === "ipc") {
    return [invalid(at, name, "may not be specified when 'hostIPC' is true")];
  }
  return [];
}

/** The list of a pod's security context. */
export function validateSysctls(spec: PodSpec, at: Path, options: PodValidationOptions): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, { name = "" }] of (spec.securityContext?.sysctls ?? []).entries()) {
    const path = at.index(i).child("name");
    if (name === "") errors.push(required(path));
    else if (byteLength(name) > NAME_MAX || !nameRegExp.test(name)) {
      const detail = `must have at most ${NAME_MAX} characters and match regex ${NAME}`;
      errors.push(invalid(path, name, detail));
    } else if (seen.has(name)) errors.push(duplicate(path, name));
    if (!options.allowNamespacedSysctlsForHostNetAndHostIPC) {
      errors.push(...validateHostSysctl(name, spec, path));
    }
    seen.add(name);
  }
  return errors;
}
