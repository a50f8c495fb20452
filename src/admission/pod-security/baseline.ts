/** The checks of the baseline level. Upstream: pod-security-admission/policy/check_*.go. */
import type {
  AppArmorProfile,
  LifecycleHandler,
  Probe,
  SELinuxOptions,
  SecurityContext,
} from "../../apis/core/v1/types.ts";
import type { DeepReadonly } from "../plugin.ts";
import {
  type AnyContainer,
  type Check,
  type CheckPod,
  containersOf,
  joinQuoted,
  named,
  namesWhere,
  plural,
  settersOf,
  sorted,
} from "./check.ts";

const privileged: CheckPod = (pod) => {
  const bad = namesWhere(pod, ({ securityContext }) => securityContext?.privileged === true);
  if (bad.length === 0) return undefined;
  const detail = `${named(bad)} must not set securityContext.privileged=true`;
  return { reason: "privileged", detail };
};

const hostNamespaces: CheckPod = ({ spec }) => {
  const fields = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((field) => spec[field]);
  if (fields.length === 0) return undefined;
  const detail = fields.map((field) => `${field}=true`).join(", ");
  return { reason: "host namespaces", detail };
};

const hostPorts: CheckPod = (pod) => {
  const portsOf = ({ ports }: AnyContainer) =>
    (ports ?? []).map(({ hostPort }) => hostPort ?? 0).filter((port) => port !== 0);
  const bad = namesWhere(pod, (container) => portsOf(container).length > 0);
  if (bad.length === 0) return undefined;
  const ports = sorted(containersOf(pod).flatMap(portsOf).map(String));
  const uses = `${plural(bad.length, "uses", "use")} ${plural(ports.length, "hostPort")}`;
  return { reason: "hostPort", detail: `${named(bad)} ${uses} ${ports.join(", ")}` };
};

const hostPathVolumes: CheckPod = ({ spec }) => {
  const volumes = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined);
  if (volumes.length === 0) return undefined;
  const names = volumes.map(({ name }) => name ?? "");
  return { reason: "hostPath volumes", detail: named(names, "volume") };
};

type Handler = DeepReadonly<Probe | LifecycleHandler> | undefined;

function hostsOf({ livenessProbe, readinessProbe, startupProbe, lifecycle }: AnyContainer) {
  const handlers: Handler[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter((host): host is string => Boolean(host));
}

const hostProbes: CheckPod = (pod) => {
  const bad = sorted(namesWhere(pod, (container) => hostsOf(container).length > 0));
  if (bad.length === 0) return undefined;
  const hosts = sorted(containersOf(pod).flatMap(hostsOf));
  const what = plural(hosts.length, "probe or lifecycle host");
  const uses = `${plural(bad.length, "uses", "use")} ${what} ${joinQuoted(hosts)}`;
  return { reason: "probe or lifecycle host", detail: `${named(bad)} ${uses}` };
};

const DEFAULT_CAPABILITIES = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

const capabilities: CheckPod = (pod) => {
  const extra = ({ securityContext }: AnyContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => !DEFAULT_CAPABILITIES.has(name));
  const bad = namesWhere(pod, (container) => extra(container).length > 0);
  if (bad.length === 0) return undefined;
  const names = joinQuoted(sorted(containersOf(pod).flatMap(extra)));
  return {
    reason: "non-default capabilities",
    detail: `${named(bad)} must not include ${names} in securityContext.capabilities.add`,
  };
};

const APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

function isBadAppArmor(profile: DeepReadonly<AppArmorProfile> | undefined): boolean {
  return profile !== undefined && profile.type !== "RuntimeDefault" && profile.type !== "Localhost";
}

const appArmorProfile: CheckPod = (pod) => {
  const own = pod.spec.securityContext?.appArmorProfile;
  const profileOf = ({ securityContext }: AnyContainer) => securityContext?.appArmorProfile;
  const isPod = isBadAppArmor(own);
  const bad = containersOf(pod).filter((container) => isBadAppArmor(profileOf(container)));
  const profiles = [...(isPod ? [own] : []), ...bad.map(profileOf)];
  const annotations = Object.entries(pod.annotations)
    .filter(([key, value]) => key.startsWith(APPARMOR_ANNOTATION) && !isAppArmorAnnotation(value))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .sort();
  const setters = settersOf(
    isPod,
    bad.map(({ name }) => name ?? ""),
  );
  const all = [
    ...(setters === undefined ? [] : [setters]),
    ...(annotations.length > 0 ? [plural(annotations.length, "annotation")] : []),
  ];
  if (all.length === 0) return undefined;
  const values = [...sorted(profiles.map((profile) => profile?.type ?? "")), ...annotations];
  return {
    reason: plural(values.length, "forbidden AppArmor profile"),
    detail: `${all.join(" and ")} must not set AppArmor profile type to ${joinQuoted(values)}`,
  };
};

function isAppArmorAnnotation(value: string): boolean {
  return value === "" || value === "runtime/default" || value.startsWith("localhost/");
}

const SELINUX_TYPES = ["", "container_t", "container_init_t", "container_kvm_t"];

const seLinuxOptions =
  (types: readonly string[]): CheckPod =>
  (pod) => {
    const isBad = (options: DeepReadonly<SELinuxOptions> | undefined) =>
      options !== undefined &&
      (!types.includes(options.type ?? "") || Boolean(options.user) || Boolean(options.role));
    const own = pod.spec.securityContext?.seLinuxOptions;
    const bad = containersOf(pod).filter(({ securityContext }) =>
      isBad(securityContext?.seLinuxOptions),
    );
    const setters = settersOf(
      isBad(own),
      bad.map(({ name }) => name ?? ""),
    );
    if (setters === undefined) return undefined;
    const all = [own, ...bad.map(({ securityContext }) => securityContext?.seLinuxOptions)];
    const badTypes = sorted(
      all.map((options) => options?.type ?? "").filter((type) => !types.includes(type)),
    );
    const data = [
      ...(badTypes.length > 0 ? [named(badTypes, "type")] : []),
      ...(all.some((options) => options?.user) ? ["user may not be set"] : []),
      ...(all.some((options) => options?.role) ? ["role may not be set"] : []),
    ];
    return {
      reason: "seLinuxOptions",
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.join("; ")}`,
    };
  };

/** A mask over /proc taken away. Shared with the restricted level. */
export const procMount: CheckPod = (pod) => {
  const mountOf = ({ securityContext }: AnyContainer) => securityContext?.procMount ?? "Default";
  const bad = namesWhere(pod, (container) => mountOf(container) !== "Default");
  if (bad.length === 0) return undefined;
  const values = sorted(
    containersOf(pod)
      .map(mountOf)
      .filter((value) => value !== "Default"),
  );
  const detail = `${named(bad)} must not set securityContext.procMount to ${joinQuoted(values)}`;
  return { reason: "procMount", detail };
};

/** In a user namespace of its own a pod may do what would be dangerous outside. */
export const unlessOwnUsers =
  (check: CheckPod): CheckPod =>
  (pod) =>
    pod.spec.hostUsers === false ? undefined : check(pod);

const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";

const seccompAnnotations: CheckPod = (pod) => {
  const keys = [
    SECCOMP_POD,
    ...containersOf(pod).map(({ name = "" }) => `${SECCOMP_CONTAINER}${name}`),
  ];
  const isGood = (value: string) =>
    value === "runtime/default" || value === "docker/default" || value.startsWith("localhost/");
  const bad = sorted(
    keys.flatMap((key) => {
      const value = pod.annotations[key];
      return value === undefined || isGood(value) ? [] : [`${key}=${JSON.stringify(value)}`];
    }),
  );
  if (bad.length === 0) return undefined;
  const detail = `forbidden ${plural(bad.length, "annotation")} ${bad.join(", ")}`;
  return { reason: "seccompProfile", detail };
};

type Seccomp = DeepReadonly<SecurityContext>["seccompProfile"];

export function isBadSeccomp(profile: Seccomp): boolean {
  return profile !== undefined && profile.type !== "RuntimeDefault" && profile.type !== "Localhost";
}

/** A profile that is set must be a sound one. Shared with the restricted level. */
export const seccompFields: CheckPod = (pod) => {
  const own = pod.spec.securityContext?.seccompProfile;
  const bad = containersOf(pod).filter(({ securityContext }) =>
    isBadSeccomp(securityContext?.seccompProfile),
  );
  const setters = settersOf(
    isBadSeccomp(own),
    bad.map(({ name }) => name ?? ""),
  );
  if (setters === undefined) return undefined;
  const types = [
    ...(isBadSeccomp(own) ? [own?.type ?? ""] : []),
    ...bad.map(({ securityContext }) => securityContext?.seccompProfile?.type ?? ""),
  ];
  const values = joinQuoted(sorted(types));
  return {
    reason: "seccompProfile",
    detail: `${setters} must not set securityContext.seccompProfile.type to ${values}`,
  };
};

const SYSCTLS_1_0 = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
];
const SYSCTLS_1_27 = [...SYSCTLS_1_0, "net.ipv4.ip_local_reserved_ports"];
const SYSCTLS_1_29 = [
  ...SYSCTLS_1_27,
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
];
const SYSCTLS_1_32 = [...SYSCTLS_1_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"];

const sysctls =
  (allowed: readonly string[]): CheckPod =>
  ({ spec }) => {
    const names = (spec.securityContext?.sysctls ?? []).map(({ name }) => name ?? "");
    const bad = names.filter((name) => !allowed.includes(name));
    return bad.length === 0 ? undefined : { reason: "forbidden sysctls", detail: bad.join(", ") };
  };

const windowsHostProcess: CheckPod = (pod) => {
  const isSet = (context: DeepReadonly<Pick<SecurityContext, "windowsOptions">> | undefined) =>
    context?.windowsOptions?.hostProcess === true;
  const bad = namesWhere(pod, ({ securityContext }) => isSet(securityContext));
  const setters = settersOf(isSet(pod.spec.securityContext), bad);
  if (setters === undefined) return undefined;
  const detail = `${setters} must not set securityContext.windowsOptions.hostProcess=true`;
  return { reason: "hostProcess", detail };
};

const baseline = (id: string, ...since: Check["since"]): Check => ({
  id,
  level: "baseline",
  since,
});

export const baselineChecks: readonly Check[] = [
  baseline("privileged", [0, privileged]),
  baseline("hostNamespaces", [0, hostNamespaces]),
  baseline("hostPorts", [0, hostPorts]),
  baseline("hostPathVolumes", [0, hostPathVolumes]),
  baseline("hostProbesAndHostLifecycle", [34, hostProbes]),
  baseline("capabilities_baseline", [0, capabilities]),
  baseline("appArmorProfile", [0, appArmorProfile]),
  baseline(
    "seLinuxOptions",
    [0, seLinuxOptions(SELINUX_TYPES)],
    [31, seLinuxOptions([...SELINUX_TYPES, "container_engine_t"])],
  ),
  baseline("procMount", [0, procMount], [35, unlessOwnUsers(procMount)]),
  baseline("seccompProfile_baseline", [0, seccompAnnotations], [19, seccompFields]),
  baseline(
    "sysctls",
    [0, sysctls(SYSCTLS_1_0)],
    [27, sysctls(SYSCTLS_1_27)],
    [29, sysctls(SYSCTLS_1_29)],
    [32, sysctls(SYSCTLS_1_32)],
  ),
  baseline("windowsHostProcess", [0, windowsHostProcess]),
];
