import assert from "node:assert/strict";
import { test } from "node:test";
import { exposition } from "../../src/metrics/exposition.ts";
import { MetricRegistry, metrics } from "../../src/metrics/registry.ts";
import { registerStorageMetrics } from "../../src/server/storage-metrics.ts";
import { asRevision, asStorageKey } from "../../src/storage/interfaces.ts";
import { groupAndPlural, meteredBackend, meteredFeed } from "../../src/storage/metrics.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";

const lines = (pattern: RegExp) =>
  exposition(metrics.snapshot())
    .split("\n")
    .filter((line) => pattern.test(line) && !line.startsWith("#"));

test("a resource's calls of the store are counted by what they do", async () => {
  const backend = meteredBackend(await createModelBackend({}), "deployments.apps");
  const key = asStorageKey("/registry/deployments/a/b");
  const value = Buffer.from("x");
  const first = await backend.cas({ key, expected: asRevision(0), value });
  await backend.cas({ key, expected: first.revision, value: Buffer.from("y") });
  await backend.range({ start: key, end: `${key}\0` });
  await backend.range({ start: "/registry/deployments/", end: "/registry/deployments0" });
  await backend.cas({ key, expected: asRevision(first.revision + 1) });
  await backend.close();
  await assert.rejects(backend.range({ start: key, end: `${key}\0` }));
  const of = 'group="apps",resource="deployments"';
  assert.deepEqual(lines(/^etcd_requests_total/).sort(), [
    `etcd_requests_total{operation="create",${of}} 1`,
    `etcd_requests_total{operation="delete",${of}} 1`,
    `etcd_requests_total{operation="get",${of}} 2`,
    `etcd_requests_total{operation="list",${of}} 1`,
    `etcd_requests_total{operation="update",${of}} 1`,
  ]);
  assert.deepEqual(lines(/^etcd_request_errors_total/), [
    `etcd_request_errors_total{operation="get",${of}} 1`,
  ]);
  assert.equal(lines(/^etcd_request_duration_seconds_count/).length, 5);
});

test("what comes to a cache is counted", () => {
  const nothing = () => {};
  const feed = meteredFeed(
    {
      ...{ beginFill: nothing, fill: nothing, endFill: nothing },
      ...{ apply: nothing, advance: nothing, lost: nothing },
    },
    "pods",
  );
  const change = { name: "a/b", revision: asRevision(1), value: undefined };
  feed.beginFill();
  feed.fill([change, change]);
  feed.endFill(asRevision(1));
  feed.apply([change, change, change]);
  const of = 'group="",resource="pods"';
  assert.deepEqual(lines(/(init_events|watch_cache).*pods/), [
    `apiserver_init_events_total{${of}} 2`,
    `apiserver_watch_cache_events_received_total{${of}} 3`,
    `apiserver_watch_cache_initializations_total{${of}} 1`,
  ]);
});

test("objects, versions and the size are told", async () => {
  const registry = new MetricRegistry();
  const storage = {
    config: { resource: "leases.coordination.k8s.io" },
    count: () => 7,
    cacheStats: () => ({ revision: 1_000_000_000_000_042, heldEvents: 12 }),
  };
  const stop = registerStorageMetrics(registry, {
    storages: () => [storage, storage] as never,
    backend: { sizeBytes: async () => 4096 },
    sizeIntervalMs: 60_000,
  });
  await new Promise((resolve) => setImmediate(resolve));
  stop();
  const of = 'group="coordination.k8s.io",resource="leases"';
  const values = exposition(registry.snapshot())
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  assert.deepEqual(values, [
    `apiserver_resource_objects{${of}} 7`,
    'apiserver_storage_objects{resource="leases.coordination.k8s.io"} 7',
    'apiserver_storage_size_bytes{storage_cluster_id="etcd-0"} 4096',
    `apiserver_watch_cache_resource_version{${of}} 42`,
    `watch_cache_capacity{${of}} 12`,
  ]);
  assert.deepEqual(groupAndPlural("pods"), ["", "pods"]);
});
