/**
 * Empties terminating namespaces and lets them go.
 * Upstream: pkg/controller/namespace/deletion/namespaced_resources_deleter.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { type ApiClient, ApiError, isConflict, isNotFound } from "../api-client.ts";
import { Informer } from "../informer.ts";
import { WorkQueue } from "../work-queue.ts";
import { collectionPath, type DeletableResource, discoverResources } from "./discovery.ts";

const RETRY_MS = 500;
const FINALIZER = "kubernetes";

export interface NamespacesConfig {
  readonly signal: AbortSignal;
  readonly onError: (what: string, error: unknown) => void;
}
interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: string; conditions?: unknown[] };
}

export function runNamespaces(client: ApiClient, config: NamespacesConfig): void {
  const { signal } = config;
  const queue = new WorkQueue(
    async (name) => {
      if (!(await terminate(client, name))) queue.addAfter(name, RETRY_MS);
    },
    {
      name: "namespace",
      workers: 4,
      signal,
      onError: (key, error) => config.onError(`namespace ${key}`, error),
    },
  );
  const onChange = (namespace: Namespace) => {
    if (namespace.metadata?.deletionTimestamp) queue.add(namespace.metadata.name ?? "");
  };
  const handlers = { onChange, onDelete: () => undefined };
  new Informer<Namespace>(client, "/api/v1/namespaces", handlers, { metadataOnly: false, signal });
}

/** True when there is nothing left to do. */
async function terminate(client: ApiClient, name: string): Promise<boolean> {
  const path = `/api/v1/namespaces/${name}`;
  const namespace = await client.find<Namespace>(path);
  if (namespace?.metadata?.deletionTimestamp === undefined) return true;
  const finalizers = namespace.spec?.finalizers ?? [];
  if (!finalizers.includes(FINALIZER)) return true;
  const resources = await discoverResources(client);
  const remaining = await Promise.all(
    resources
      .filter(({ namespaced, verbs }) => namespaced && verbs.includes("delete"))
      .map((of) => empty(client, of, name)),
  );
  const left = remaining.filter(({ count }) => count > 0);
  await reportContent(client, path, left);
  if (left.length > 0) return false;
  const spec = { ...namespace.spec, finalizers: finalizers.filter((one) => one !== FINALIZER) };
  try {
    await client.update(`${path}/finalize`, {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name },
      spec,
    } as KubeObject);
    return true;
  } catch (error) {
    if (isNotFound(error)) return true;
    if (isConflict(error)) return false;
    throw error;
  }
}

interface Remaining {
  readonly of: DeletableResource;
  readonly count: number;
  readonly finalizers: readonly string[];
}

/** Deletes what is there and tells what stays (finalizers, grace). */
async function empty(
  client: ApiClient,
  of: DeletableResource,
  namespace: string,
): Promise<Remaining> {
  const path = collectionPath(of, namespace);
  try {
    const before = await client.list<KubeObject>(path);
    if ((before.items ?? []).length === 0) return { of, count: 0, finalizers: [] };
    await deleteAll(client, of, namespace, before.items);
    const after = await client.list<KubeObject>(path);
    const finalizers = after.items.flatMap(({ metadata }) => metadata?.finalizers ?? []);
    return { of, count: after.items.length, finalizers };
  } catch (error) {
    const isAbsent = error instanceof ApiError && (error.code === 404 || error.code === 405);
    if (isAbsent) return { of, count: 0, finalizers: [] };
    throw error;
  }
}

async function deleteAll(
  client: ApiClient,
  of: DeletableResource,
  namespace: string,
  items: readonly KubeObject[],
): Promise<void> {
  const path = collectionPath(of, namespace);
  // Nobody is left to stop these pods gracefully unless a kubelet runs them: upstream waits for it.
  const options = { propagationPolicy: "Background" };
  if (of.verbs.includes("deletecollection")) {
    await client.delete(path, options);
    return;
  }
  for (const { metadata } of items) {
    try {
      await client.delete(`${path}/${metadata?.name ?? ""}`, options);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

/** The conditions `kubectl describe namespace` shows while something holds it back. */
async function reportContent(
  client: ApiClient,
  path: string,
  left: readonly Remaining[],
): Promise<void> {
  if (left.length === 0) return;
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const nameOf = ({ group, resource }: DeletableResource) =>
    group === "" ? `${resource}.` : `${resource}.${group}`;
  const counts = left.map(({ of, count }) => `${nameOf(of)} has ${count} resource instances`);
  const finalizers = new Map<string, number>();
  for (const one of left.flatMap((remaining) => remaining.finalizers)) {
    finalizers.set(one, (finalizers.get(one) ?? 0) + 1);
  }
  const held = [...finalizers].map(([one, count]) => `${one} in ${count} resource instances`);
  const condition = (type: string, on: boolean, reason: string, message: string) => ({
    type,
    status: on ? "True" : "False",
    lastTransitionTime: now,
    reason,
    message,
  });
  const conditions = [
    condition(
      "NamespaceContentRemaining",
      true,
      "SomeResourcesRemain",
      `Some resources are remaining: ${counts.join(", ")}`,
    ),
    condition(
      "NamespaceFinalizersRemaining",
      held.length > 0,
      held.length > 0 ? "SomeFinalizersRemain" : "ContentHasNoFinalizers",
      held.length > 0
        ? `Some content in the namespace has finalizers remaining: ${held.join(", ")}`
        : "All content-preserving finalizers finished",
    ),
  ];
  try {
    await client.patch(`${path}/status`, { status: { conditions } });
  } catch (error) {
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}
