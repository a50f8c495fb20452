/**
 * What is stored, as one thread tells it for all: objects by resource, the store's size, the state
 * of the watch caches. Upstream: apiserver/pkg/storage/etcd3/metrics, storage/cacher/metrics.
 */
import type { MetricRegistry } from "../metrics/registry.ts";
import type { KvBackend, Storage } from "../storage/interfaces.ts";
import { groupAndPlural } from "../storage/metrics.ts";

/** Upstream cuts versions to 15 digits, so that no float loses any. */
const VERSION_MODULUS = 1e15;
const SIZE_AGE_MS = 1_000;

export interface StorageMetricsConfig {
  /** Every storage now; one may come more than once. */
  storages(): Iterable<Storage>;
  readonly backend: Pick<KvBackend, "sizeBytes">;
  /** `--etcd-db-metric-poll-interval` in ms; 0: never asked. */
  readonly sizeIntervalMs: number;
}

/** Returns a function that stops asking for the size. */
export function registerStorageMetrics(
  registry: MetricRegistry,
  { storages, backend, sizeIntervalMs }: StorageMetricsConfig,
): () => void {
  const of = ["group", "resource"];
  const oldObjects = registry.gauge({
    name: "apiserver_storage_objects",
    help: "[DEPRECATED, consider using apiserver_resource_objects instead] Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
    labels: ["resource"],
    stability: "STABLE",
  });
  const objects = registry.gauge({
    name: "apiserver_resource_objects",
    help: "Number of stored objects at the time of last check split by kind. In case of a fetching error, the value will be -1.",
    labels: of,
  });
  const capacity = registry.gauge({
    name: "watch_cache_capacity",
    help: "Total capacity of watch cache broken by resource type.",
    labels: of,
  });
  const version = registry.gauge({
    name: "apiserver_watch_cache_resource_version",
    help: "Current resource version of watch cache broken by resource type. This is truncated to the 15 least significant digits.",
    labels: of,
  });
  registry.onCollect(() => {
    for (const storage of new Set(storages())) {
      const { resource } = storage.config;
      const labels = groupAndPlural(resource);
      const count = storage.count();
      oldObjects.set(count, resource);
      objects.set(count, ...labels);
      const stats = storage.cacheStats?.();
      if (stats === undefined) continue;
      capacity.set(stats.heldEvents, ...labels);
      version.set(stats.revision % VERSION_MODULUS, ...labels);
    }
  });
  return followSize(registry, backend, sizeIntervalMs);
}

function followSize(
  registry: MetricRegistry,
  backend: Pick<KvBackend, "sizeBytes">,
  intervalMs: number,
): () => void {
  const size = registry.gauge({
    name: "apiserver_storage_size_bytes",
    help: "Size of the storage database file physically allocated in bytes.",
    labels: ["storage_cluster_id"],
    stability: "STABLE",
  });
  if (intervalMs <= 0) return () => {};
  let askedAt = 0;
  const ask = () => {
    askedAt = performance.now();
    backend.sizeBytes().then(
      (bytes) => size.set(bytes, "etcd-0"),
      () => {}, // the last known size stays; health checks say what is wrong
    );
  };
  ask();
  registry.onCollect(() => {
    if (performance.now() - askedAt > SIZE_AGE_MS) ask(); // for the next scrape
  });
  const timer = setInterval(ask, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
