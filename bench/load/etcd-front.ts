/**
 * Question: what do Storage's calls cost in a serving thread, with the store and the caches in the
 * cache thread? CPU is of the whole process: both threads, lmdb's writer and the addon.
 * node --import tsx bench/load/etcd-front.ts [--ops 20000]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openStorage } from "../../src/storage/cacher/open-storage.ts";
import { startCacheThread } from "../../src/storage/cacher/start-cache-thread.ts";
import type { ReadAt, StorageConfig } from "../../src/storage/interfaces.ts";

const { values } = parseArgs({ options: { ops: { type: "string", default: "20000" } } });
const ops = Number(values.ops);

const pods: StorageConfig = {
  resource: "pods",
  prefix: "/pods/",
  namespaced: true,
  goName: "k8s.io/api/core/v1.Pod",
  apiVersion: "v1",
  kind: "Pod",
  mediaType: "protobuf",
  fieldPaths: ["spec.nodeName"],
  watchCache: true,
};
const pod = (name: string, n: number): Uint8Array => {
  const env = Array.from({ length: 30 }, (_, i) => ({ name: `ENV_${i}`, value: "x".repeat(100) }));
  const metadata = { name, namespace: "default", uid: "u", generation: n };
  const spec = { containers: [{ name: "c", image: "nginx", env, resources: {} }] };
  return Buffer.from(JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata, spec }));
};

async function measure(name: string, count: number, inFlight: number, op: (i: number) => unknown) {
  let next = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const worker = async (): Promise<void> => {
    for (let i = next++; i < count; i = next++) await op(i);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const micros = ((user + system) / count).toFixed(1);
  console.log(`${name.padEnd(34)} ${Math.round(count / seconds)}/s  ${micros} us CPU each`);
}

const directory = mkdtempSync(join(tmpdir(), "klystron-bench-"));
const shared = { etcdPrefix: "/registry", compactionIntervalMs: 0, resources: [pods] };
const workerUrl = new URL("../../test/tools/cache-thread.mjs", import.meta.url);
const backend = { kind: "embedded", directory } as const;
const thread = await startCacheThread({ ...shared, backend }, { workerUrl, log: console.log });
await thread.filled;
const factory = await openStorage(thread.connect().ports);
const storage = factory.for(pods);
const target = Buffer.alloc(64 * 1024);
const some: ReadAt = { kind: "Any" };
const recent: ReadAt = { kind: "MostRecent" };

for (let round = 0; round < 2; round++) {
  const at = (i: number): string => `default/pod-${round}-${i}`;
  await measure("create, 64 in flight", ops, 64, (i) =>
    storage.create(at(i), pod(`pod-${round}-${i}`, 1)),
  );
  await measure("create, one by one", 500, 1, (i) =>
    storage.create(`default/solo-${round}-${i}`, pod(`solo-${round}-${i}`, 1)),
  );
  await measure("update, 64 in flight", ops, 64, (i) =>
    storage.guaranteedUpdate(at(i), {}, () => ({ json: pod(`pod-${round}-${i}`, 2) })),
  );
  await measure("get, consistent", ops * 2, 64, (i) => storage.get(at(i % ops), recent));
  await measure("getInto, consistent", ops * 5, 64, (i) =>
    storage.getInto?.(at(i % ops), recent, "json", target),
  );
  await measure("getInto, any", ops * 5, 64, (i) =>
    storage.getInto?.(at(i % ops), some, "json", target),
  );
}
await factory.close();
await thread.close();
rmSync(directory, { recursive: true });
