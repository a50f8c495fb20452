/**
 * The `kubernetes` Service, its endpoints, and the default ServiceCIDR.
 * Upstream: controlplane/controller/{kubernetesservice,defaultservicecidr}, reconcilers/lease.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type ApiClient, isConflict, isNotFound } from "../api-client.ts";
import { ensure } from "./objects.ts";

export interface KubernetesServiceConfig {
  readonly serviceRanges: readonly string[];
  readonly serviceIp: string;
  /** Where clients in the cluster reach this server. */
  readonly advertiseAddress: string;
  readonly securePort: number;
  /** `--kubernetes-service-node-port`; 0: ClusterIP only. */
  readonly nodePort: number;
}

const NAMESPACE = "/api/v1/namespaces/default";
const SLICES = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
const CIDRS = "/apis/networking.k8s.io/v1/servicecidrs";

/** The ServiceCIDR that the flags describe; its condition says the server stands by it. */
export async function ensureServiceCidr(
  client: ApiClient,
  { serviceRanges }: KubernetesServiceConfig,
  now: Date,
): Promise<void> {
  await ensure(client, CIDRS, {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs: serviceRanges },
  } as KubeObject);
  const current = await client.get<ServiceCidr>(`${CIDRS}/kubernetes`);
  await addSecondFamily(client, current, serviceRanges);
  if ((current.status?.conditions?.length ?? 0) > 0) return;
  const condition = {
    type: "Ready",
    status: "True",
    reason: "",
    message: "Kubernetes default Service CIDR is ready",
    lastTransitionTime: `${now.toISOString().slice(0, 19)}Z`,
  };
  await client.patch(`${CIDRS}/kubernetes/status`, { status: { conditions: [condition] } });
}

interface ServiceCidr extends KubeObject {
  spec?: { cidrs?: readonly string[] };
  status?: { conditions?: readonly unknown[] };
}

/** A cluster that becomes dual-stack keeps its range and gets one of the other family. */
async function addSecondFamily(
  client: ApiClient,
  current: ServiceCidr,
  ranges: readonly string[],
): Promise<void> {
  const cidrs = current.spec?.cidrs ?? [];
  if (ranges.length !== 2 || cidrs.length !== 1 || cidrs[0] !== ranges[0]) return;
  await client.patch(`${CIDRS}/kubernetes`, { spec: { cidrs: ranges } });
}

export async function ensureKubernetesService(
  client: ApiClient,
  config: KubernetesServiceConfig,
): Promise<void> {
  const { serviceIp, securePort, nodePort } = config;
  const port = {
    name: "https",
    port: 443,
    protocol: "TCP",
    targetPort: securePort,
    ...(nodePort > 0 ? { nodePort } : {}),
  };
  await ensure(client, `${NAMESPACE}/services`, {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { component: "apiserver", provider: "kubernetes" },
    },
    spec: {
      ports: [port],
      clusterIP: serviceIp,
      ipFamilyPolicy: "SingleStack",
      sessionAffinity: "None",
      type: nodePort > 0 ? "NodePort" : "ClusterIP",
    },
  } as KubeObject);
}

/** Makes Endpoints and EndpointSlice list exactly these addresses. */
export async function reconcileEndpoints(
  client: ApiClient,
  addresses: readonly string[],
  port: number,
): Promise<void> {
  const ports = [{ name: "https", port, protocol: "TCP" }];
  const sorted = [...addresses].sort();
  await replace(client, `${NAMESPACE}/endpoints`, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
    },
    subsets: sorted.length === 0 ? [] : [{ addresses: sorted.map((ip) => ({ ip })), ports }],
  } as KubeObject);
  await replace(client, SLICES, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { "kubernetes.io/service-name": "kubernetes" },
    },
    addressType: sorted[0]?.includes(":") ? "IPv6" : "IPv4",
    endpoints: sorted.map((ip) => ({ addresses: [ip], conditions: { ready: true } })),
    ports,
  } as KubeObject);
}

async function replace(client: ApiClient, collection: string, object: KubeObject): Promise<void> {
  const path = `${collection}/${object.metadata?.name ?? ""}`;
  const current = await client.find<KubeObject>(path);
  try {
    if (current === undefined) await client.create(collection, object);
    else if (contentOf(current) !== contentOf(object)) {
      const resourceVersion = current.metadata?.resourceVersion;
      await client.update(path, { ...object, metadata: { ...object.metadata, resourceVersion } });
    }
  } catch (error) {
    if (!isConflict(error) && !isNotFound(error)) throw error; // the next round sees what it became
  }
}

/** What this controller cares about: everything but the metadata. */
function contentOf({ metadata: _metadata, ...content }: KubeObject): string {
  return JSON.stringify(sorted(content));
}
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
