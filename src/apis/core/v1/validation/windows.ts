/**
 * Pods that say which operating system they are for, and Windows' own options.
 * Upstream: validateOS, validateWindows, validateLinux, validateWindowsSecurityContextOptions.
 */
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { byteLength, isDNS1123Subdomain } from "../../../../apimachinery/validation/names.ts";
import { invalidEach } from "../../../validation/common.ts";
import type { Container, PodSpec, WindowsSecurityContextOptions } from "../types.ts";
import type { PodValidationOptions } from "./options.ts";

/** Calls `visit` for init, regular and ephemeral containers, each with its path. */
export function visitContainers(
  spec: PodSpec,
  at: Path,
  visit: (container: Container, path: Path) => void,
): void {
  for (const list of ["initContainers", "containers", "ephemeralContainers"] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      visit(container, at.child(list).index(i));
    }
  }
}

const SPEC_MAX_KIB = 64;

/** windowsOptions of pods and containers. */
export function validateWindowsOptions(
  options: WindowsSecurityContextOptions | undefined,
  at: Path,
): ErrorList {
  if (options === undefined) return [];
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  const errors: ErrorList = [];
  if (name !== undefined) {
    errors.push(...invalidEach(at.child("gmsaCredentialSpecName"), name, isDNS1123Subdomain(name)));
  }
  const path = at.child("gmsaCredentialSpec");
  if (spec === "") errors.push(invalid(path, spec, "gmsaCredentialSpec cannot be an empty string"));
  else if (spec !== undefined && byteLength(spec) > SPEC_MAX_KIB * 1024) {
    errors.push(invalid(path, spec, `gmsaCredentialSpec size must be under ${SPEC_MAX_KIB} KiB`));
  }
  if (user !== undefined) {
    const problems = runAsUserNameProblems(user);
    errors.push(...invalidEach(at.child("runAsUserName"), user, problems));
  }
  return errors;
}

const DOMAIN_MAX = 256;
const USER_MAX = 104;
const NETBIOS = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const DNS_LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?";
const DNS_NAME = new RegExp(`^${DNS_LABEL}(?:\\.${DNS_LABEL})*$`);

function runAsUserNameProblems(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\x00-\x1f\x7f]/.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const problems: string[] = [];
  const user = parts[parts.length - 1] ?? "";
  const domain = parts.length === 2 ? (parts[0] ?? "") : undefined;
  if (domain !== undefined && byteLength(domain) >= DOMAIN_MAX) {
    problems.push(`runAsUserName's Domain length must be under ${DOMAIN_MAX} characters`);
  }
  if (domain !== undefined && !NETBIOS.test(domain) && !DNS_NAME.test(domain)) {
    problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") problems.push("runAsUserName's User cannot be empty");
  else if (byteLength(user) > USER_MAX) {
    problems.push(`runAsUserName's User length must not be longer than ${USER_MAX} characters`);
  }
  if (/^[. ]+$/.test(user)) {
    problems.push("runAsUserName's User cannot contain only periods or spaces");
  }
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    const characters = '"/\\:;|=,+*?<>@[]';
    problems.push(`runAsUserName's User cannot contain the following characters: ${characters}`);
  }
  return problems;
}

/** Host process containers: all or none, on the host's network, if the cluster allows it. */
export function validateWindowsHostProcess(
  spec: PodSpec,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  const podValue = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let hosted = 0;
  visitContainers(spec, at, (container, path) => {
    all++;
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (podValue !== undefined && own !== undefined && podValue !== own) {
      const where = path.child("securityContext", "windowsOptions", "hostProcess");
      const detail = `pod hostProcess value must be identical if both are specified, was ${podValue}`;
      errors.push(invalid(where, own, detail));
    }
    if (own ?? podValue) hosted++;
  });
  if (hosted === 0) return errors;
  if (hosted !== all) {
    const detail =
      "If pod contains any hostProcess containers then all containers must be HostProcess containers";
    errors.push(invalid(at, "", detail));
  }
  if (!spec.hostNetwork) {
    const detail = "hostNetwork must be true if pod contains any hostProcess containers";
    errors.push(invalid(at.child("hostNetwork"), false, detail));
  }
  if (!options.allowPrivileged) {
    errors.push(forbidden(at, "hostProcess containers are disallowed by cluster policy"));
  }
  return errors;
}

/** spec.os, and what the named system does not have. */
export function validateOS(spec: PodSpec, at: Path): ErrorList {
  const name = spec.os?.name ?? "";
  if (spec.os === undefined) return [];
  if (name === "") return [required(at.child("os", "name"))];
  if (name === "linux") return validateLinux(spec, at);
  if (name === "windows") return validateWindows(spec, at);
  return [notSupported(at.child("os"), name, ["linux", "windows"])];
}

function validateLinux(spec: PodSpec, at: Path): ErrorList {
  const detail = "windows options cannot be set for a linux pod";
  const errors: ErrorList = [];
  if (spec.securityContext?.windowsOptions !== undefined) {
    errors.push(forbidden(at.child("securityContext").child("windowsOptions"), detail));
  }
  visitContainers(spec, at, (container, path) => {
    if (container.securityContext?.windowsOptions === undefined) return;
    errors.push(forbidden(path.child("securityContext").child("windowsOptions"), detail));
  });
  return errors;
}

const POD_FIELDS = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "fsGroup",
  "fsGroupChangePolicy",
  "sysctls",
  "runAsUser",
  "runAsGroup",
  "supplementalGroups",
  "supplementalGroupsPolicy",
  "seLinuxChangePolicy",
] as const;
const CONTAINER_FIELDS = [
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
] as const;

function validateWindows(spec: PodSpec, at: Path): ErrorList {
  const detail = "cannot be set for a windows pod";
  const errors: ErrorList = [];
  for (const name of ["hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"] as const) {
    const isPointer = name === "hostUsers" || name === "shareProcessNamespace";
    const isSet = isPointer ? spec[name] !== undefined : spec[name] === true;
    if (isSet) errors.push(forbidden(at.child(name), detail));
  }
  for (const name of POD_FIELDS) {
    const value = spec.securityContext?.[name];
    if (value === undefined || (name === "sysctls" && (value as unknown[]).length === 0)) continue;
    errors.push(forbidden(at.child("securityContext").child(name), detail));
  }
  visitContainers(spec, at, (container, path) => {
    for (const name of CONTAINER_FIELDS) {
      if (container.securityContext?.[name] === undefined) continue;
      errors.push(forbidden(path.child("securityContext").child(name), detail));
    }
  });
  return errors;
}
