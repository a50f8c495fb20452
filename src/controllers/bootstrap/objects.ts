/** Objects that every cluster has from its first second, and how they are kept. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type ApiClient, isConflict } from "../api-client.ts";
import { flowSchemas, priorityLevels } from "./flowcontrol.ts";

const SYSTEM_NAMESPACES = ["kube-system", "kube-public", "default", "kube-node-lease"];

const priorityClasses: readonly KubeObject[] = [
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-node-critical" },
    value: 2_000_001_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  } as KubeObject,
  {
    apiVersion: "scheduling.k8s.io/v1",
    kind: "PriorityClass",
    metadata: { name: "system-cluster-critical" },
    value: 2_000_000_000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  } as KubeObject,
];

/** Creates what is missing; somebody else may be doing the same. */
export async function ensure(
  client: ApiClient,
  collection: string,
  object: KubeObject,
): Promise<void> {
  if ((await client.find(`${collection}/${object.metadata?.name ?? ""}`)) !== undefined) return;
  await create(client, collection, object);
}

/** Somebody else may have been quicker. */
async function create(client: ApiClient, collection: string, object: KubeObject): Promise<void> {
  try {
    await client.create(collection, object);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}

/** As ensure, with one look at a collection that holds little else. */
async function ensureAll(
  client: ApiClient,
  collection: string,
  objects: readonly KubeObject[],
): Promise<void> {
  const { items } = await client.list(collection);
  const known = new Set(items.map(({ metadata }) => metadata?.name));
  const missing = objects.filter(({ metadata }) => !known.has(metadata?.name));
  await Promise.all(missing.map((one) => create(client, collection, one)));
}

/** Upstream: controller/systemnamespaces; repeated every minute. */
export async function ensureNamespaces(client: ApiClient): Promise<void> {
  await Promise.all(
    SYSTEM_NAMESPACES.map((name) =>
      ensure(client, "/api/v1/namespaces", {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name },
      }),
    ),
  );
}

/** Upstream: registry/scheduling/rest/storage_scheduling.go. */
export async function ensurePriorityClasses(client: ApiClient): Promise<void> {
  const collection = "/apis/scheduling.k8s.io/v1/priorityclasses";
  await Promise.all(priorityClasses.map((one) => ensure(client, collection, one)));
}

/** Upstream: registry/flowcontrol/rest/storage_flowcontrol.go. */
export async function ensureFlowControl(client: ApiClient): Promise<void> {
  const root = "/apis/flowcontrol.apiserver.k8s.io/v1";
  await Promise.all([
    ensureAll(client, `${root}/prioritylevelconfigurations`, priorityLevels),
    ensureAll(client, `${root}/flowschemas`, flowSchemas),
  ]);
}

/** What extension servers need to trust this server's clients and proxy. */
export interface ClusterAuthentication {
  readonly clientCa: string;
  readonly requestHeaderCa: string;
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
  readonly allowedNames: readonly string[];
}

/** Upstream: controller/clusterauthenticationtrust; rewritten every minute. */
export async function ensureClusterAuthentication(
  client: ApiClient,
  info: ClusterAuthentication,
): Promise<void> {
  const data: Record<string, string> = {};
  if (info.clientCa !== "") data["client-ca-file"] = info.clientCa;
  if (info.requestHeaderCa !== "") {
    data["requestheader-client-ca-file"] = info.requestHeaderCa;
    data["requestheader-username-headers"] = JSON.stringify(info.usernameHeaders);
    if (info.uidHeaders.length > 0) {
      data["requestheader-uid-headers"] = JSON.stringify(info.uidHeaders);
    }
    data["requestheader-group-headers"] = JSON.stringify(info.groupHeaders);
    data["requestheader-extra-headers-prefix"] = JSON.stringify(info.extraHeaderPrefixes);
    data["requestheader-allowed-names"] = JSON.stringify(info.allowedNames);
  }
  const collection = "/api/v1/namespaces/kube-system/configmaps";
  const name = "extension-apiserver-authentication";
  const current = await client.find<KubeObject & { data?: Record<string, string> }>(
    `${collection}/${name}`,
  );
  if (current === undefined) {
    await ensure(client, collection, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name, namespace: "kube-system" },
      data,
    } as KubeObject);
    return;
  }
  const isSame = Object.entries(data).every(([key, value]) => current.data?.[key] === value);
  if (!isSame) await client.patch(`${collection}/${name}`, { data });
}

/** Upstream: controller/legacytokentracking: since when last uses of legacy tokens are known. */
export async function ensureLegacyTokenTracking(client: ApiClient, now: Date): Promise<void> {
  const name = "kube-apiserver-legacy-service-account-token-tracking";
  await ensure(client, "/api/v1/namespaces/kube-system/configmaps", {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace: "kube-system" },
    data: { since: now.toISOString().slice(0, 10) },
  } as KubeObject);
}
