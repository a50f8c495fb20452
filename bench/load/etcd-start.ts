/**
 * Question: how long does the cache thread take from nothing to full, with N pods in etcd and
 * every built-in resource watched? The budget: 10,000 pods within the server's 1.2 s start.
 * node --import tsx bench/load/etcd-start.ts [--pods 10000]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { resourceTable } from "../../src/apis/schemas.ts";
import type { BackendConfig } from "../../src/storage/cacher/control.ts";
import { openBackend } from "../../src/storage/cacher/open-backend.ts";
import { openStorage } from "../../src/storage/cacher/open-storage.ts";
import { startCacheThread } from "../../src/storage/cacher/start-cache-thread.ts";
import { asRevision, asStorageKey, type StorageConfig } from "../../src/storage/interfaces.ts";
import { nativeCodec } from "../../src/storage/native-codec.ts";
import { TestEtcd } from "../../test/tools/etcd.ts";

const { values } = parseArgs({
  options: {
    pods: { type: "string", default: "10000" },
    port: { type: "string", default: "21394" },
  },
});

const configs = new Map<string, StorageConfig>();
for (const entry of resourceTable()) {
  const { group, resource, storage, etcdPrefix } = entry;
  if (storage === undefined || etcdPrefix === undefined || !entry.default) continue;
  const name = group === "" ? resource : `${resource}.${group}`;
  if ([...configs.values()].some((c) => c.prefix === `/${etcdPrefix}/`)) continue;
  configs.set(name, {
    resource: name,
    prefix: `/${etcdPrefix}/`,
    namespaced: entry.namespaced,
    goName: resource === "pods" ? "k8s.io/api/core/v1.Pod" : "",
    apiVersion: storage.group === "" ? storage.version : `${storage.group}/${storage.version}`,
    kind: storage.kind,
    mediaType: resource === "pods" ? "protobuf" : "json",
    fieldPaths: resource === "pods" ? ["spec.nodeName", "status.phase"] : [],
    watchCache: true,
  });
}
const pods = configs.get("pods");
if (pods === undefined) throw new Error("no pods");

/** About 10 KB of JSON, as the anchors of the other benchmarks have it. */
function pod(i: number): Uint8Array {
  const env = Array.from({ length: 60 }, (_, n) => ({ name: `ENV_${n}`, value: "x".repeat(100) }));
  const metadata = {
    name: `pod-${i}`,
    namespace: `ns-${i % 20}`,
    uid: `00000000-0000-0000-0000-${String(i).padStart(12, "0")}`,
    labels: { app: `app-${i % 100}` },
  };
  const spec = { containers: [{ name: "c", image: "nginx", env }], nodeName: `node-${i % 100}` };
  return Buffer.from(JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata, spec }));
}

async function fill(backend: BackendConfig, close: boolean): Promise<void> {
  const store = await openBackend(backend, () => {});
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < Number(values.pods); i = next++) {
      const value = nativeCodec.toStored(pod(i), pods as StorageConfig);
      const key = asStorageKey(`/registry/pods/ns-${i % 20}/pod-${i}`);
      await store.cas({ key, expected: asRevision(0), value });
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  if (close) await store.close();
}

async function start(name: string, backend: BackendConfig): Promise<void> {
  const resources = [...configs.values()];
  const begun = performance.now();
  const config = { backend, etcdPrefix: "/registry", compactionIntervalMs: 0, resources };
  const workerUrl = new URL("../../test/tools/cache-thread.mjs", import.meta.url);
  const thread = await startCacheThread(config, { workerUrl, log: console.log });
  const opened = performance.now() - begun;
  await thread.filled;
  const filled = performance.now() - begun;
  const factory = await openStorage(thread.connect().ports);
  const storage = factory.for(pods as StorageConfig);
  const listing = performance.now();
  const page = await storage.list({ at: { kind: "MostRecent" }, limit: 0 });
  const listed = performance.now() - listing;
  const times = { opened, filled, firstConsistentList: listed };
  const shown = Object.entries(times).map(([k, v]) => `${k} ${v.toFixed(0)} ms`);
  const rss = Math.round(process.memoryUsage.rss() / 1e6);
  console.log(`${name}: ${page.count} pods: ${shown.join(", ")}, rss ${rss} MB`);
  page.close();
  await factory.close();
  await thread.close();
}

console.log(`${configs.size} resources; times include the thread's start (tsx compiles in it)`);
const directory = mkdtempSync(join(tmpdir(), "klystron-bench-"));
await start("embedded, empty", { kind: "embedded", directory: `${directory}-empty` });
await fill({ kind: "embedded", directory }, true);
await start("embedded", { kind: "embedded", directory });
const etcd = new TestEtcd({ port: Number(values.port) });
await etcd.start();
const backend: BackendConfig = { kind: "etcd", etcd: { endpoints: [etcd.endpoint] } };
await fill(backend, true);
await start("etcd", backend);
await etcd.stop();
rmSync(directory, { recursive: true, force: true });
rmSync(`${directory}-empty`, { recursive: true, force: true });
