/**
 * Question: what does a guarded write cost this process, over the lean client and over the etcd3
 * package, and what over the embedded store? Decides which client the hot path uses.
 * node --import tsx bench/load/etcd-txn.ts [--ops 8000] [--size 4096] [--in-flight 64]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Etcd3 } from "etcd3";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { createEtcdBackend } from "../../src/storage/etcd3/backend.ts";
import { asRevision, asStorageKey, type KvBackend } from "../../src/storage/interfaces.ts";
import { findEtcd, TestEtcd } from "../../test/tools/etcd.ts";

const { values } = parseArgs({
  options: {
    ops: { type: "string", default: "8000" },
    size: { type: "string", default: "4096" },
    "in-flight": { type: "string", default: "64" },
    port: { type: "string", default: "21390" },
  },
});
const ops = Number(values.ops);
const value = Buffer.alloc(Number(values.size), 120);
const inFlight = Number(values["in-flight"]);

type Create = (key: string) => Promise<boolean>;

/** Creates `ops` keys; returns operations a second and microseconds of CPU each. */
async function measure(create: Create, prefix: string) {
  let next = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const worker = async (): Promise<void> => {
    while (next < ops) {
      if (!(await create(`${prefix}${next++}`))) throw new Error("a create was refused");
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: Math.round(ops / seconds), cpuMicros: Math.round((user + system) / ops) };
}

const over =
  (backend: KvBackend): Create =>
  async (key) =>
    (await backend.cas({ key: asStorageKey(key), expected: asRevision(0), value })).ok;

async function rounds(contenders: Record<string, Create>): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const [name, create] of Object.entries(contenders)) {
      const result = await measure(create, `/bench/${name}/${process.pid}-${round}/`);
      console.log(`round ${round}  ${name.padEnd(10)} ${JSON.stringify(result)}`);
    }
  }
}

const directory = mkdtempSync(join(tmpdir(), "klystron-bench-"));
const embedded = await openEmbeddedStore({ directory });
await rounds({ embedded: over(embedded) });
await embedded.close();
rmSync(directory, { recursive: true });

if (findEtcd() !== undefined) {
  const etcd = new TestEtcd({ port: Number(values.port) });
  await etcd.start();
  const lean = createEtcdBackend({ endpoints: [etcd.endpoint] });
  const full = new Etcd3({ hosts: etcd.endpoint });
  await rounds({
    lean: over(lean),
    etcd3: async (key) => {
      const txn = full.if(key, "Mod", "==", 0).then(full.put(key).value(value));
      return (await txn.else(full.get(key)).commit()).succeeded;
    },
  });
  full.close();
  await lean.close();
  await etcd.stop();
}
