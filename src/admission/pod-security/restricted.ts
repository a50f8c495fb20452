/** The checks that the restricted level adds. Upstream: pod-security-admission/policy/check_*.go. */
import type { Volume } from "../../apis/core/v1/types.ts";
import type { DeepReadonly } from "../plugin.ts";
import { isBadSeccomp, procMount, seccompFields, unlessOwnUsers } from "./baseline.ts";
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

const ALLOWED_VOLUMES = [
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
] as const;
const RESTRICTED_VOLUMES = [
  "hostPath",
  "gcePersistentDisk",
  "awsElasticBlockStore",
  "gitRepo",
  "nfs",
  "iscsi",
  "glusterfs",
  "rbd",
  "flexVolume",
  "cinder",
  "cephfs",
  "flocker",
  "fc",
  "azureFile",
  "vsphereVolume",
  "quobyte",
  "azureDisk",
  "photonPersistentDisk",
  "portworxVolume",
  "scaleIO",
  "storageos",
] as const;

const restrictedVolumes: CheckPod = ({ spec }) => {
  const isAllowed = (volume: DeepReadonly<Volume>) =>
    ALLOWED_VOLUMES.some((type) => volume[type] !== undefined);
  const bad = (spec.volumes ?? []).filter((volume) => !isAllowed(volume));
  if (bad.length === 0) return undefined;
  const names = bad.map(({ name }) => name ?? "");
  const types = sorted(
    bad.map((volume) => RESTRICTED_VOLUMES.find((type) => volume[type] !== undefined) ?? "unknown"),
  );
  const what = named(types, "restricted volume type");
  return {
    reason: "restricted volume types",
    detail: `${named(names, "volume")} ${plural(names.length, "uses", "use")} ${what}`,
  };
};

const allowPrivilegeEscalation: CheckPod = (pod) => {
  const bad = namesWhere(
    pod,
    ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false,
  );
  if (bad.length === 0) return undefined;
  const detail = `${named(bad)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: "allowPrivilegeEscalation != false", detail };
};

/** Windows has none of this, and validation keeps the fields unset there. */
const unlessWindows =
  (check: CheckPod): CheckPod =>
  (pod) =>
    pod.spec.os?.name === "windows" ? undefined : check(pod);

const runAsNonRoot: CheckPod = (pod) => {
  const reason = "runAsNonRoot != true";
  const own = pod.spec.securityContext?.runAsNonRoot;
  const flagOf = ({ securityContext }: AnyContainer) => securityContext?.runAsNonRoot;
  const bad = namesWhere(pod, (container) => flagOf(container) === false);
  const setters = settersOf(own === false, bad);
  if (setters !== undefined) {
    return { reason, detail: `${setters} must not set securityContext.runAsNonRoot=false` };
  }
  const silent = own ? [] : namesWhere(pod, (container) => flagOf(container) === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` };
};

const runAsUser: CheckPod = (pod) => {
  const isRoot = (user: number | bigint | undefined) => user !== undefined && Number(user) === 0;
  const bad = namesWhere(pod, ({ securityContext }) => isRoot(securityContext?.runAsUser));
  const setters = settersOf(isRoot(pod.spec.securityContext?.runAsUser), bad);
  if (setters === undefined) return undefined;
  return { reason: "runAsUser=0", detail: `${setters} must not set runAsUser=0` };
};

const seccompProfile: CheckPod = (pod) => {
  const explicit = seccompFields(pod);
  if (explicit !== undefined) return explicit;
  const own = pod.spec.securityContext?.seccompProfile;
  if (own !== undefined && !isBadSeccomp(own)) return undefined;
  const silent = namesWhere(
    pod,
    ({ securityContext }) => securityContext?.seccompProfile === undefined,
  );
  if (silent.length === 0) return undefined;
  return {
    reason: "seccompProfile",
    detail: `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
  };
};

const capabilities: CheckPod = (pod) => {
  const keeping = namesWhere(
    pod,
    ({ securityContext }) => !(securityContext?.capabilities?.drop ?? []).includes("ALL"),
  );
  const extra = ({ securityContext }: AnyContainer) =>
    (securityContext?.capabilities?.add ?? []).filter((name) => name !== "NET_BIND_SERVICE");
  const adding = namesWhere(pod, (container) => extra(container).length > 0);
  const added = joinQuoted(sorted(containersOf(pod).flatMap(extra)));
  const details = [
    ...(keeping.length > 0
      ? [`${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`]
      : []),
    ...(adding.length > 0
      ? [`${named(adding)} must not include ${added} in securityContext.capabilities.add`]
      : []),
  ];
  if (details.length === 0) return undefined;
  return { reason: "unrestricted capabilities", detail: details.join("; ") };
};

export const restrictedChecks: readonly Check[] = [
  {
    id: "restrictedVolumes",
    level: "restricted",
    since: [[0, restrictedVolumes]],
    overrides: ["hostPathVolumes"],
  },
  {
    id: "allowPrivilegeEscalation",
    level: "restricted",
    since: [
      [8, allowPrivilegeEscalation],
      [25, unlessWindows(allowPrivilegeEscalation)],
    ],
  },
  {
    id: "runAsNonRoot",
    level: "restricted",
    since: [
      [0, runAsNonRoot],
      [35, unlessOwnUsers(runAsNonRoot)],
    ],
  },
  {
    id: "runAsUser",
    level: "restricted",
    since: [
      [23, runAsUser],
      [35, unlessOwnUsers(runAsUser)],
    ],
  },
  {
    id: "seccompProfile_restricted",
    level: "restricted",
    since: [
      [19, seccompProfile],
      [25, unlessWindows(seccompProfile)],
    ],
    overrides: ["seccompProfile_baseline"],
  },
  {
    id: "capabilities_restricted",
    level: "restricted",
    since: [
      [22, capabilities],
      [25, unlessWindows(capabilities)],
    ],
    overrides: ["capabilities_baseline"],
  },
  {
    id: "procMount_restricted",
    level: "restricted",
    since: [[35, procMount]],
    overrides: ["procMount"],
  },
];
