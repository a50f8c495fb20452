/**
 * Security contexts of pods and containers.
 * Upstream: ValidateSecurityContext, validatePodSpecSecurityContext.
 */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import {
  byteLength,
  isValidGroupID,
  isValidUserID,
} from "../../../../apimachinery/validation/names.ts";
import { goStruct, invalidEach } from "../../../validation/common.ts";
import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";
import { validateLocalDescendingPath } from "./paths.ts";
import { validateSysctls } from "./sysctl.ts";
import { validateWindowsOptions } from "./windows.ts";

const PROFILE_TYPES = ["Localhost", "RuntimeDefault", "Unconfined"];
const LOCALHOST_PROFILE_MAX = 4095;

function validateIds(
  context: { runAsUser?: number | bigint | undefined; runAsGroup?: number | bigint | undefined },
  at: Path,
): ErrorList {
  const { runAsUser: user, runAsGroup: group } = context;
  const errors: ErrorList = [];
  if (user !== undefined)
    errors.push(...invalidEach(at.child("runAsUser"), user, isValidUserID(user)));
  if (group !== undefined) {
    errors.push(...invalidEach(at.child("runAsGroup"), group, isValidGroupID(group)));
  }
  return errors;
}

/** seccompProfile. */
export function validateSeccompProfile(profile: SeccompProfile | undefined, at: Path): ErrorList {
  if (profile === undefined) return [];
  const { type = "", localhostProfile: local } = profile;
  const errors: ErrorList = [];
  if (type === "") {
    errors.push(required(at.child("type"), "type is required when seccompProfile is set"));
  } else if (!PROFILE_TYPES.includes(type)) {
    errors.push(notSupported(at.child("type"), type, PROFILE_TYPES));
  }
  const path = at.child("localhostProfile");
  if (type === "Localhost") {
    if (local === undefined) {
      errors.push(required(path, "must be set when seccomp type is Localhost"));
    } else errors.push(...validateLocalDescendingPath(local, path));
  } else if (local !== undefined) {
    const value = goStruct(profile, "k8s.io/api/core/v1.SeccompProfile");
    errors.push(invalid(path, value, "can only be set when seccomp type is Localhost"));
  }
  return errors;
}

/** appArmorProfile. */
export function validateAppArmorProfile(profile: AppArmorProfile | undefined, at: Path): ErrorList {
  if (profile === undefined) return [];
  const { type = "", localhostProfile: local } = profile;
  const path = at.child("localhostProfile");
  if (type === "Localhost") {
    const missing = "must be set when AppArmor type is Localhost";
    if (local === undefined) return [required(path, missing)];
    const errors: ErrorList = [];
    if (local.trim() !== local) {
      errors.push(invalid(path, local, "must not be padded with whitespace"));
    } else if (local === "") errors.push(required(path, missing));
    if (byteLength(local) > LOCALHOST_PROFILE_MAX)
      errors.push(tooLong(path, LOCALHOST_PROFILE_MAX));
    return errors;
  }
  if (type === "")
    return [required(at.child("type"), "type is required when appArmorProfile is set")];
  if (!PROFILE_TYPES.includes(type)) return [notSupported(at.child("type"), type, PROFILE_TYPES)];
  if (local === undefined) return [];
  return [invalid(path, local, "can only be set when AppArmor type is Localhost")];
}

const PROC_MOUNTS = ["Default", "Unmasked"];

/** securityContext of a container; `hostUsers`: the pod uses the host's user namespace. */
export function validateSecurityContext(
  context: SecurityContext | undefined,
  at: Path,
  hostUsers: boolean,
  options: PodValidationOptions,
): ErrorList {
  if (context === undefined) return [];
  const { privileged, procMount } = context;
  const errors: ErrorList = [];
  if (privileged && !options.allowPrivileged) {
    errors.push(forbidden(at.child("privileged"), "disallowed by cluster policy"));
  }
  errors.push(...validateIds(context, at));
  if (procMount !== undefined) {
    const path = at.child("procMount");
    if (!PROC_MOUNTS.includes(procMount)) errors.push(notSupported(path, procMount, PROC_MOUNTS));
    if (hostUsers && procMount === "Unmasked") {
      errors.push(invalid(path, procMount, "`hostUsers` must be false to use `Unmasked`"));
    }
  }
  errors.push(
    ...validateSeccompProfile(context.seccompProfile, at.child("seccompProfile")),
    ...validateEscalation(context, at),
    ...validateWindowsOptions(context.windowsOptions, at.child("windowsOptions")),
    ...validateAppArmorProfile(context.appArmorProfile, at.child("appArmorProfile")),
  );
  return errors;
}

function validateEscalation(context: SecurityContext, at: Path): ErrorList {
  if (context.allowPrivilegeEscalation !== false) return [];
  const errors: ErrorList = [];
  const lead = "cannot set `allowPrivilegeEscalation` to false and";
  const value = () => goStruct(context, "k8s.io/api/core/v1.SecurityContext");
  if (context.privileged) errors.push(invalid(at, value(), `${lead} \`privileged\` to true`));
  for (const capability of context.capabilities?.add ?? []) {
    if (capability !== "CAP_SYS_ADMIN") continue;
    errors.push(invalid(at, value(), `${lead} \`capabilities.Add\` CAP_SYS_ADMIN`));
  }
  return errors;
}

const FS_GROUP_POLICIES = ["Always", "OnRootMismatch"];
const GROUPS_POLICIES = ["Merge", "Strict"];
const SELINUX_POLICIES = ["MountOption", "Recursive"];

/** securityContext of a pod. */
export function validatePodSecurityContext(
  spec: PodSpec,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const context = spec.securityContext;
  const errors: ErrorList = [];
  const { fsGroup, fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } =
    context ?? {};
  if (fsGroup !== undefined) {
    errors.push(...invalidEach(at.child("fsGroup"), fsGroup, isValidGroupID(fsGroup)));
  }
  errors.push(...validateIds(context ?? {}, at));
  const groups = at.child("supplementalGroups");
  for (const [i, group] of (context?.supplementalGroups ?? []).entries()) {
    errors.push(...invalidEach(groups.index(i), group, isValidGroupID(group)));
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = "ShareProcessNamespace and HostPID cannot both be enabled";
    errors.push(invalid(at.child("shareProcessNamespace"), true, detail));
  }
  errors.push(...validateSysctls(spec, at.child("sysctls"), options));
  const isOneOf = (name: string, value: string | undefined, known: readonly string[]) => {
    if (value === undefined || known.includes(value)) return;
    errors.push(notSupported(at.child(name), value, known));
  };
  isOneOf("fsGroupChangePolicy", fsGroupChangePolicy, FS_GROUP_POLICIES);
  errors.push(
    ...validateSeccompProfile(context?.seccompProfile, at.child("seccompProfile")),
    ...validateWindowsOptions(context?.windowsOptions, at.child("windowsOptions")),
    ...validateAppArmorProfile(context?.appArmorProfile, at.child("appArmorProfile")),
  );
  isOneOf("supplementalGroupsPolicy", supplementalGroupsPolicy, GROUPS_POLICIES);
  const onlyRecursive = options.allowOnlyRecursiveSELinuxChangePolicy;
  const selinux = onlyRecursive ? ["Recursive"] : SELINUX_POLICIES;
  isOneOf("seLinuxChangePolicy", seLinuxChangePolicy, selinux);
  return errors;
}
