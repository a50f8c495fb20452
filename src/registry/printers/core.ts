/** Rows of the core group, of events and of discovery. Upstream: printers.go. */

import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type {
  Endpoints,
  LocalObjectReference,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  ResourceQuota,
  Secret,
  Service,
} from "../../apis/core/v1/types.ts";
import type { EndpointSlice } from "../../apis/discovery/v1/types.ts";
import { firstOf, labelsText, orNone, orUnset, since } from "./human.ts";

type Cells = readonly unknown[];
const SHOWN_ENDPOINTS = 3;
const SHOWN_ADDRESSES_BYTES = 16;

interface WithData extends KubeObject {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
}

export function configMap({ metadata, data, binaryData }: WithData, now: Date): Cells {
  const count = Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length;
  return [metadata?.name ?? "", count, since(metadata?.creationTimestamp, now)];
}

export function secret({ metadata, type, data }: Secret, now: Date): Cells {
  const count = Object.keys(data ?? {}).length;
  return [metadata?.name ?? "", type ?? "", count, since(metadata?.creationTimestamp, now)];
}

export function serviceAccount(
  { metadata }: KubeObject & { imagePullSecrets?: LocalObjectReference[] },
  now: Date,
): Cells {
  return [metadata?.name ?? "", since(metadata?.creationTimestamp, now)];
}

export function namespace({ metadata, status }: Namespace, now: Date): Cells {
  return [metadata?.name ?? "", status?.phase ?? "", since(metadata?.creationTimestamp, now)];
}

export function service(object: Service, now: Date): Cells {
  const { metadata, spec } = object;
  const ports = (spec?.ports ?? []).map((one) => {
    const node = one.nodePort ? `:${one.nodePort}` : "";
    return `${one.port ?? 0}${node}/${one.protocol ?? ""}`;
  });
  return [
    metadata?.name ?? "",
    spec?.type ?? "",
    orNone(spec?.clusterIPs?.[0]),
    externalIp(object),
    orNone(ports.join(",")),
    since(metadata?.creationTimestamp, now),
    labelsText(spec?.selector),
  ];
}

function externalIp({ spec, status }: Service): string {
  const external = spec?.externalIPs ?? [];
  switch (spec?.type) {
    case "ClusterIP":
    case "NodePort":
      return orNone(external.join(","));
    case "LoadBalancer": {
      const ingress = (status?.loadBalancer?.ingress ?? [])
        .map((one) => one.ip || one.hostname || "")
        .filter((one) => one !== "");
      const balancer = [...new Set(ingress)].sort().join(",");
      const shown =
        balancer.length > SHOWN_ADDRESSES_BYTES ? `${balancer.slice(0, 13)}...` : balancer;
      if (external.length > 0) return [...(shown === "" ? [] : [shown]), ...external].join(",");
      return shown === "" ? "<pending>" : balancer;
    }
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

export function endpoints({ metadata, subsets }: Endpoints, now: Date): Cells {
  const list: string[] = [];
  for (const subset of subsets ?? []) {
    const addresses = subset.addresses ?? [];
    const ports = subset.ports ?? [];
    if (ports.length === 0) list.push(...addresses.map((one) => one.ip ?? ""));
    for (const port of ports) {
      for (const { ip = "" } of addresses) {
        list.push(ip.includes(":") ? `[${ip}]:${port.port ?? 0}` : `${ip}:${port.port ?? 0}`);
      }
    }
  }
  const text = list.length === 0 ? "<none>" : firstOf(list, SHOWN_ENDPOINTS);
  return [metadata?.name ?? "", text, since(metadata?.creationTimestamp, now)];
}

export function endpointSlice(slice: EndpointSlice, now: Date): Cells {
  const ports = (slice.ports ?? []).map((one) =>
    one.port !== undefined ? String(one.port) : one.name || "*",
  );
  const addresses = (slice.endpoints ?? []).flatMap((one) => one.addresses ?? []);
  return [
    slice.metadata?.name ?? "",
    slice.addressType ?? "",
    orUnset(firstOf(ports, SHOWN_ENDPOINTS)),
    orUnset(firstOf(addresses, SHOWN_ENDPOINTS)),
    since(slice.metadata?.creationTimestamp, now),
  ];
}

export function node({ metadata, spec, status }: Node, now: Date): Cells {
  const ready = (status?.conditions ?? []).find((one) => one.type === "Ready");
  const state = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  const address = (type: string) =>
    (status?.addresses ?? []).find((one) => one.type === type)?.address;
  const info = status?.nodeInfo;
  const kernel = info?.kernelVersion
    ? info.architecture
      ? `${info.kernelVersion} (${info.architecture})`
      : info.kernelVersion
    : "<unknown>";
  return [
    metadata?.name ?? "",
    spec?.unschedulable ? `${state},SchedulingDisabled` : state,
    orNone(nodeRoles(metadata?.labels ?? {}).join(",")),
    since(metadata?.creationTimestamp, now),
    info?.kubeletVersion ?? "",
    orNone(address("InternalIP")),
    orNone(address("ExternalIP")),
    info?.osImage || "<unknown>",
    kernel,
    info?.containerRuntimeVersion || "<unknown>",
  ];
}

const ROLE_PREFIX = "node-role.kubernetes.io/";

function nodeRoles(labels: Readonly<Record<string, string>>): string[] {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(ROLE_PREFIX)) {
      const role = key.slice(ROLE_PREFIX.length);
      if (role !== "") roles.add(role);
    } else if (key === "kubernetes.io/role" && value !== "") roles.add(value);
  }
  return [...roles].sort();
}

const MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: "RWO",
  ReadOnlyMany: "ROX",
  ReadWriteMany: "RWX",
  ReadWriteOncePod: "RWOP",
};

/** In upstream's fixed order, each once. */
function accessModes(modes: readonly string[] | undefined): string {
  const order = Object.keys(MODES);
  return order
    .filter((mode) => modes?.includes(mode))
    .map((mode) => MODES[mode])
    .join(",");
}

export function persistentVolume({ metadata, spec, status }: PersistentVolume, now: Date): Cells {
  const claim = spec?.claimRef;
  return [
    metadata?.name ?? "",
    spec?.capacity?.["storage"] ?? "0",
    accessModes(spec?.accessModes),
    spec?.persistentVolumeReclaimPolicy ?? "",
    metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
    claim === undefined ? "" : `${claim.namespace ?? ""}/${claim.name ?? ""}`,
    metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] ??
      spec?.storageClassName ??
      "",
    orUnset(spec?.volumeAttributesClassName),
    status?.reason ?? "",
    since(metadata?.creationTimestamp, now),
    orUnset(spec?.volumeMode),
  ];
}

export function persistentVolumeClaim(
  { metadata, spec, status }: PersistentVolumeClaim,
  now: Date,
): Cells {
  const isBound = Boolean(spec?.volumeName);
  return [
    metadata?.name ?? "",
    metadata?.deletionTimestamp ? "Terminating" : (status?.phase ?? ""),
    spec?.volumeName ?? "",
    isBound ? (status?.capacity?.["storage"] ?? "0") : "",
    isBound ? accessModes(status?.accessModes) : "",
    metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"] ??
      spec?.storageClassName ??
      "",
    orUnset(spec?.volumeAttributesClassName),
    since(metadata?.creationTimestamp, now),
    orUnset(spec?.volumeMode),
  ];
}

export function resourceQuota({ metadata, status }: ResourceQuota, now: Date): Cells {
  const names = Object.keys(status?.hard ?? {}).sort();
  const pairs = (wanted: boolean) =>
    names
      .filter((name) => name.startsWith("limits.") === wanted)
      .map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name] ?? "0"}`)
      .join(", ");
  return [metadata?.name ?? "", pairs(false), pairs(true), since(metadata?.creationTimestamp, now)];
}

interface AnyEvent extends KubeObject {
  type?: string;
  reason?: string;
  message?: string;
  note?: string;
  count?: number;
  deprecatedCount?: number;
  firstTimestamp?: string;
  lastTimestamp?: string;
  deprecatedFirstTimestamp?: string;
  deprecatedLastTimestamp?: string;
  eventTime?: string;
  reportingComponent?: string;
  reportingController?: string;
  reportingInstance?: string;
  source?: { component?: string; host?: string };
  deprecatedSource?: { component?: string; host?: string };
  involvedObject?: { kind?: string; name?: string; fieldPath?: string };
  regarding?: { kind?: string; name?: string; fieldPath?: string };
  series?: { count?: number; lastObservedTime?: string };
}

/** Both Event kinds: the fields of events.k8s.io are the core ones renamed. */
export function event(object: AnyEvent, now: Date): Cells {
  const subject = object.involvedObject ?? object.regarding;
  const first = object.firstTimestamp ?? object.deprecatedFirstTimestamp;
  const last = object.lastTimestamp ?? object.deprecatedLastTimestamp;
  const start = first ? since(first, now) : since(object.eventTime, now);
  const end = object.series
    ? since(object.series.lastObservedTime, now)
    : last
      ? since(last, now)
      : start;
  const count = object.series?.count ?? object.count ?? object.deprecatedCount ?? 0;
  const kind = (subject?.kind ?? "").toLowerCase();
  const name = subject?.name ? `${kind}/${subject.name}` : kind;
  const source = object.source ?? object.deprecatedSource;
  const component =
    source?.component || object.reportingComponent || object.reportingController || "";
  const host = source?.host || object.reportingInstance || "";
  return [
    end,
    object.type ?? "",
    object.reason ?? "",
    name,
    subject?.fieldPath ?? "",
    host === "" ? component : `${component}, ${host}`,
    (object.message ?? object.note ?? "").trim(),
    start,
    count === 0 ? 1 : count,
    object.metadata?.name ?? "",
  ];
}

export function componentStatus(object: KubeObject): Cells {
  const { conditions } = object as {
    conditions?: { type?: string; status?: string; message?: string; error?: string }[];
  };
  const healthy = conditions?.find((one) => one.type === "Healthy");
  const text = healthy?.status === "True" ? "Healthy" : "Unhealthy";
  return [
    object.metadata?.name ?? "",
    healthy === undefined ? "Unknown" : text,
    healthy?.message ?? "",
    healthy?.error ?? "",
  ];
}
