/**
 * A `default` ServiceAccount and the cluster's CA in every namespace.
 * Upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go and
 * pkg/controller/certificates/rootcacertpublisher.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type ApiClient, ApiError, isConflict } from "../api-client.ts";
import { Informer } from "../informer.ts";
import { WorkQueue } from "../work-queue.ts";

const CONFIG_MAP = "kube-root-ca.crt";
const DESCRIPTION =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

export interface ServiceAccountsConfig {
  readonly rootCa: string;
  readonly signal: AbortSignal;
  readonly onError: (what: string, error: unknown) => void;
}

interface Namespace extends KubeObject {
  status?: { phase?: string };
}

export function runServiceAccounts(client: ApiClient, config: ServiceAccountsConfig): void {
  const { signal } = config;
  const active = new Set<string>();
  const queue = new WorkQueue(
    async (namespace) => {
      if (!active.has(namespace)) return;
      try {
        await ensureAccount(client, namespace);
        await ensureRootCa(client, namespace, config.rootCa);
      } catch (error) {
        // The namespace may have begun to terminate, or be gone.
        const isOver = error instanceof ApiError && (error.code === 403 || error.code === 404);
        if (!isOver) throw error;
      }
    },
    {
      name: "serviceaccount",
      workers: 4,
      signal,
      onError: (key, error) => config.onError(`namespace ${key}`, error),
    },
  );
  const options = { metadataOnly: false, signal };
  const nameOf = (object: KubeObject) => object.metadata?.name ?? "";
  new Informer<Namespace>(
    client,
    "/api/v1/namespaces",
    {
      onChange: (namespace) => {
        if (namespace.status?.phase === "Terminating") active.delete(nameOf(namespace));
        else {
          active.add(nameOf(namespace));
          queue.add(nameOf(namespace));
        }
      },
      onDelete: (namespace) => void active.delete(nameOf(namespace)),
    },
    options,
  );
  const again = (name: string) => (object: KubeObject) => {
    if (nameOf(object) === name) queue.add(object.metadata?.namespace ?? "");
  };
  const watchFor = (path: string, name: string, isChange: boolean) =>
    new Informer<KubeObject>(
      client,
      path,
      { onChange: isChange ? again(name) : () => undefined, onDelete: again(name) },
      { metadataOnly: true, signal },
    );
  watchFor("/api/v1/serviceaccounts", "default", false);
  watchFor("/api/v1/configmaps", CONFIG_MAP, true);
}

async function ensureAccount(client: ApiClient, namespace: string): Promise<void> {
  const collection = `/api/v1/namespaces/${namespace}/serviceaccounts`;
  if ((await client.find(`${collection}/default`)) !== undefined) return;
  await create(client, collection, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace },
  });
}

async function ensureRootCa(client: ApiClient, namespace: string, ca: string): Promise<void> {
  const collection = `/api/v1/namespaces/${namespace}/configmaps`;
  const current = await client.find<KubeObject & { data?: Record<string, string> }>(
    `${collection}/${CONFIG_MAP}`,
  );
  const data = { "ca.crt": ca };
  if (current === undefined) {
    await create(client, collection, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: {
        name: CONFIG_MAP,
        namespace,
        annotations: { "kubernetes.io/description": DESCRIPTION },
      },
      data,
    } as KubeObject);
  } else if (JSON.stringify(current.data) !== JSON.stringify(data)) {
    const { resourceVersion } = current.metadata ?? {};
    await client.update(`${collection}/${CONFIG_MAP}`, {
      ...current,
      metadata: { ...current.metadata, resourceVersion },
      data,
    } as KubeObject);
  }
}

async function create(client: ApiClient, collection: string, object: KubeObject): Promise<void> {
  try {
    await client.create(collection, object);
  } catch (error) {
    if (!isConflict(error)) throw error;
  }
}
