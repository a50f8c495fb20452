import assert from "node:assert/strict";
import { test } from "node:test";
import { detailsOf, evaluatePod } from "../../../src/admission/pod-security/evaluate.ts";
import { LATEST, type Level } from "../../../src/admission/pod-security/policy.ts";

type Spec = Record<string, unknown>;
/** From the first minor that refuses to the last. */
type Refused = readonly [first: number, last: number];
const ALWAYS: Refused = [0, Number.POSITIVE_INFINITY];
const NEVER: Refused = [1, 0];
const since = (first: number): Refused => [first, Number.POSITIVE_INFINITY];
const until = (last: number): Refused => [0, last];

interface Row {
  readonly name: string;
  /** Laid over the good pod; `container` over its container. */
  readonly spec?: Spec;
  readonly container?: Spec;
  readonly annotations?: Record<string, string>;
  readonly baseline: Refused;
  readonly restricted?: Refused;
  readonly says: string;
  /** Where the restricted level says it with other words. */
  readonly restrictedSays?: string;
}

const context = (fields: Spec) => ({
  securityContext: { ...good.container.securityContext, ...fields },
});
const podContext = (fields: Spec) => ({
  securityContext: { ...good.spec.securityContext, ...fields },
});

/** A pod that every version of restricted lets in. */
const good = {
  container: {
    name: "c",
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
    } as Spec,
  },
  spec: {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } as Spec,
  },
};

const sysctl = (name: string) => podContext({ sysctls: [{ name, value: "1" }] });
const selinux = (options: Spec) => context({ seLinuxOptions: options });
const rows: readonly Row[] = [
  { name: "nothing bad", baseline: NEVER, says: "" },
  {
    name: "privileged",
    container: context({ privileged: true }),
    baseline: ALWAYS,
    says: 'privileged (container "c" must not set securityContext.privileged=true)',
  },
  {
    name: "hostIPC",
    spec: { hostIPC: true },
    baseline: ALWAYS,
    says: "host namespaces (hostIPC=true)",
  },
  {
    name: "all host namespaces",
    spec: { hostIPC: true, hostPID: true, hostNetwork: true },
    baseline: ALWAYS,
    says: "host namespaces (hostNetwork=true, hostPID=true, hostIPC=true)",
  },
  {
    name: "a host port",
    container: { ports: [{ hostPort: 0 }, { hostPort: 80 }] },
    baseline: ALWAYS,
    says: 'hostPort (container "c" uses hostPort 80)',
  },
  {
    name: "hostPath",
    spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] },
    baseline: ALWAYS,
    says: 'hostPath volumes (volume "v")',
    restrictedSays: 'restricted volume types (volume "v" uses restricted volume type "hostPath")',
  },
  {
    name: "restricted volumes",
    spec: {
      volumes: [
        { name: "v", nfs: {} },
        { name: "w", iscsi: {} },
        { name: "x", secret: {} },
      ],
    },
    baseline: NEVER,
    restricted: ALWAYS,
    says: 'restricted volume types (volumes "v", "w" use restricted volume types "iscsi", "nfs")',
  },
  {
    name: "a probe's host",
    container: { livenessProbe: { httpGet: { host: "h" } } },
    baseline: since(34),
    says: 'probe or lifecycle host (container "c" uses probe or lifecycle host "h")',
  },
  {
    name: "a hook's host",
    container: { lifecycle: { preStop: { tcpSocket: { host: "i" }, httpGet: { host: "h" } } } },
    baseline: since(34),
    says: 'probe or lifecycle host (container "c" uses probe or lifecycle hosts "h", "i")',
  },
  {
    name: "a default capability",
    container: context({ capabilities: { drop: ["ALL"], add: ["CHOWN"] } }),
    baseline: NEVER,
    restricted: since(22),
    says: 'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)',
  },
  {
    name: "NET_BIND_SERVICE",
    container: context({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } }),
    baseline: NEVER,
    says: "",
  },
  {
    name: "nothing dropped",
    container: context({ capabilities: {} }),
    baseline: NEVER,
    restricted: since(22),
    says: 'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
  },
  {
    name: "an AppArmor annotation",
    annotations: { "container.apparmor.security.beta.kubernetes.io/c": "unconfined" },
    baseline: ALWAYS,
    says: 'forbidden AppArmor profile (annotation must not set AppArmor profile type to "container.apparmor.security.beta.kubernetes.io/c="unconfined"")',
  },
  {
    name: "AppArmor of pod and container",
    spec: podContext({ appArmorProfile: { type: "Unconfined" } }),
    container: context({ appArmorProfile: { type: "X" } }),
    baseline: ALWAYS,
    says: 'forbidden AppArmor profiles (pod and container "c" must not set AppArmor profile type to "Unconfined", "X")',
  },
  {
    name: "container_engine_t",
    container: selinux({ type: "container_engine_t" }),
    baseline: until(30),
    says: 'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
  },
  {
    name: "SELinux user, role, type",
    container: selinux({ type: "x", user: "u", role: "r" }),
    baseline: ALWAYS,
    says: 'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "x"; user may not be set; role may not be set)',
  },
  { name: "container_t", container: selinux({ type: "container_t" }), baseline: NEVER, says: "" },
  {
    name: "unmasked /proc",
    container: context({ procMount: "Unmasked" }),
    baseline: ALWAYS,
    says: 'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  },
  {
    name: "unmasked /proc, own users",
    spec: { hostUsers: false },
    container: context({ procMount: "Unmasked" }),
    baseline: until(34),
    restricted: ALWAYS,
    says: 'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  },
  {
    name: "a seccomp annotation",
    annotations: { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" },
    baseline: until(18),
    says: 'seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="unconfined")',
  },
  {
    name: "seccomp Unconfined",
    spec: podContext({ seccompProfile: { type: "Unconfined" } }),
    baseline: since(19),
    says: 'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")',
  },
  {
    name: "no seccomp",
    spec: { securityContext: { runAsNonRoot: true } },
    baseline: NEVER,
    restricted: since(19),
    says: 'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
  {
    name: "no seccomp on windows",
    spec: { securityContext: { runAsNonRoot: true }, os: { name: "windows" } },
    baseline: NEVER,
    restricted: [19, 24],
    says: 'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  },
  {
    name: "a sysctl of no version",
    spec: sysctl("kernel.x"),
    baseline: ALWAYS,
    says: "forbidden sysctls (kernel.x)",
  },
  {
    name: "a sysctl of 1.27",
    spec: sysctl("net.ipv4.ip_local_reserved_ports"),
    baseline: until(26),
    says: "forbidden sysctls (net.ipv4.ip_local_reserved_ports)",
  },
  {
    name: "a sysctl of 1.29",
    spec: sysctl("net.ipv4.tcp_fin_timeout"),
    baseline: until(28),
    says: "forbidden sysctls (net.ipv4.tcp_fin_timeout)",
  },
  {
    name: "a sysctl of 1.32",
    spec: sysctl("net.ipv4.tcp_rmem"),
    baseline: until(31),
    says: "forbidden sysctls (net.ipv4.tcp_rmem)",
  },
  {
    name: "a sysctl of 1.37, which this server does not know",
    spec: sysctl("net.ipv4.tcp_notsent_lowat"),
    baseline: ALWAYS,
    says: "forbidden sysctls (net.ipv4.tcp_notsent_lowat)",
  },
  {
    name: "hostProcess",
    spec: podContext({ windowsOptions: { hostProcess: true } }),
    baseline: ALWAYS,
    says: "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
  },
  {
    name: "privilege escalation",
    container: context({ allowPrivilegeEscalation: undefined }),
    baseline: NEVER,
    restricted: since(8),
    says: 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
  },
  {
    name: "privilege escalation on windows",
    spec: { os: { name: "windows" } },
    container: context({ allowPrivilegeEscalation: undefined }),
    baseline: NEVER,
    restricted: [8, 24],
    says: 'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
  },
  {
    name: "runAsNonRoot false",
    container: context({ runAsNonRoot: false }),
    baseline: NEVER,
    restricted: ALWAYS,
    says: 'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)',
  },
  {
    name: "runAsNonRoot unset, own users",
    spec: { securityContext: { seccompProfile: { type: "Localhost" } }, hostUsers: false },
    baseline: NEVER,
    restricted: until(34),
    says: 'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
  },
  {
    name: "runAsUser 0",
    spec: podContext({ runAsUser: 0 }),
    container: context({ runAsUser: 0 }),
    baseline: NEVER,
    restricted: since(23),
    says: 'runAsUser=0 (pod and container "c" must not set runAsUser=0)',
  },
  {
    name: "runAsUser 0, own users",
    spec: { ...podContext({ runAsUser: 0 }), hostUsers: false },
    baseline: NEVER,
    restricted: [23, 34],
    says: "runAsUser=0 (pod must not set runAsUser=0)",
  },
];

const versions = [...Array.from({ length: 41 }, (_, minor) => minor), LATEST];
const isIn = ([first, last]: Refused, minor: number) => minor >= first && minor <= last;

function expected(row: Row, level: Level, minor: number): string {
  if (level === "privileged") return "";
  if (level === "baseline") return isIn(row.baseline, minor) ? row.says : "";
  return isIn(row.restricted ?? row.baseline, minor) ? (row.restrictedSays ?? row.says) : "";
}

for (const row of rows) {
  test(`${row.name}, in every level and version`, () => {
    const pod = {
      annotations: row.annotations ?? {},
      spec: { ...good.spec, ...row.spec, containers: [{ ...good.container, ...row.container }] },
    };
    for (const level of ["privileged", "baseline", "restricted"] as const) {
      for (const version of versions) {
        const found = detailsOf(evaluatePod({ level, version }, pod));
        assert.equal(found, expected(row, level, version), `${level}:${version}`);
      }
    }
  });
}

test("of any two together, each says its own, in a fixed order", () => {
  let combinations = 0;
  for (const a of rows) {
    for (const b of rows) {
      const containers = [
        { ...good.container, ...a.container },
        { ...good.container, ...b.container, name: "d" },
      ];
      for (const version of [0, 20, 24, 30, LATEST]) {
        for (const level of ["baseline", "restricted"] as const) {
          combinations++;
          const pod = { annotations: {}, spec: { ...good.spec, containers } };
          const reasons = evaluatePod({ level, version }, pod).map(({ reason }) => reason);
          // One check tells of both containers: no reason comes twice.
          assert.equal(new Set(reasons).size, reasons.length);
          const swapped = {
            annotations: {},
            spec: { ...good.spec, containers: containers.toReversed() },
          };
          const again = evaluatePod({ level, version }, swapped).map(({ reason }) => reason);
          assert.deepEqual(again, reasons);
        }
      }
    }
  }
  assert.ok(combinations > 10_000);
});

test("init containers come first, ephemeral ones last", () => {
  const bad = (name: string) => ({ name, securityContext: { privileged: true } });
  const spec = {
    containers: [bad("b"), { name: "ok" }],
    initContainers: [bad("a")],
    ephemeralContainers: [bad("c")],
  };
  assert.equal(
    detailsOf(evaluatePod({ level: "baseline", version: LATEST }, { annotations: {}, spec })),
    'privileged (containers "a", "b", "c" must not set securityContext.privileged=true)',
  );
});
