/** Faults against real stores: each scenario makes a history, which the validators judge. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { BackendConfig } from "../../src/storage/cacher/control.ts";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { createEtcdBackend } from "../../src/storage/etcd3/backend.ts";
import { asRevision, asStorageKey, type KvBackend } from "../../src/storage/interfaces.ts";
import { TestEtcd } from "../tools/etcd.ts";
import { cachedBackend, robustConfig } from "./cached-backend.ts";
import { type History, validators } from "./history.ts";
import { PREFIX, pause, Traffic } from "./traffic.ts";

export interface Run {
  readonly seconds: number;
  readonly random: () => number;
  readonly port: number;
}
export interface Report {
  readonly writes: number;
  readonly unknown: number;
  readonly reads: number;
  readonly events: number;
  readonly watches: number;
  readonly faults: number;
}

/** Traffic against `backend` while `fault` does its worst, again and again. */
async function underFaults(
  backend: KvBackend,
  run: Run,
  fault: () => Promise<void>,
): Promise<Report> {
  const traffic = new Traffic(backend, run.random);
  const first = await backend.currentRevision();
  const watches = new AbortController();
  const watching = [
    traffic.watch("reference", first, watches.signal),
    traffic.watch("slow", first, watches.signal, 20),
    traffic.resumer(first, watches.signal),
  ];
  const working = [
    ...Array.from({ length: 6 }, () => traffic.writer()),
    ...Array.from({ length: 3 }, () => traffic.reader()),
  ];
  const end = Date.now() + run.seconds * 1000;
  let faults = 0;
  while (Date.now() < end) {
    await pause(300 + run.random() * 700);
    await fault();
    faults++;
  }
  traffic.stop();
  await Promise.all(working);
  await untilCaughtUp(backend, traffic.history);
  watches.abort();
  await Promise.all(watching);
  judge(traffic.history);
  return { ...summary(traffic.history), faults };
}

/** Waits until the reference watch has everything up to the newest write. */
async function untilCaughtUp(backend: KvBackend, history: History): Promise<void> {
  const key = `${PREFIX}last`;
  const there = await backend.range({ start: key, end: `${key}\0` });
  const record = {
    key,
    value: `end-${Date.now()}`,
    expected: there.kvs[0]?.modRevision ?? 0,
    start: Infinity,
    end: Infinity,
    outcome: "unknown" as const,
    revision: 0,
  };
  history.writes.push(record);
  const result = await backend.cas({
    key: asStorageKey(key),
    expected: asRevision(record.expected),
    value: Buffer.from(record.value),
  });
  assert.ok(result.ok);
  for (let i = 0; i < 600; i++) {
    const events = history.watches[0]?.events ?? [];
    if ((events[events.length - 1]?.revision ?? 0) >= result.revision) return;
    await pause(50);
  }
  throw new Error("the reference watch did not catch up in 30 s");
}

function judge(history: History): void {
  for (const validate of validators) validate(history);
}

function summary(history: History): Omit<Report, "faults"> {
  return {
    writes: history.writes.filter((w) => w.outcome === "ok").length,
    unknown: history.writes.filter((w) => w.outcome === "unknown").length,
    reads: history.reads.length,
    events: history.watches.reduce((sum, w) => sum + w.events.length, 0),
    watches: history.watches.length,
  };
}

async function withEtcd(
  run: Run,
  args: readonly string[],
  use: (etcd: TestEtcd, backend: KvBackend) => Promise<Report>,
): Promise<Report> {
  const etcd = new TestEtcd({ port: run.port, args });
  await etcd.start();
  const backend = createEtcdBackend({ endpoints: [etcd.endpoint] });
  try {
    return await use(etcd, backend);
  } finally {
    await backend.close();
    await etcd.stop();
  }
}

/** Three members; one of them is killed or stopped at a time, the leader among them. */
async function withCluster(
  run: Run,
  use: (members: readonly TestEtcd[], backend: KvBackend) => Promise<Report>,
): Promise<Report> {
  const ports = [run.port, run.port + 2, run.port + 4];
  const cluster = ports.map((port) => new TestEtcd({ port, members: ports }));
  await Promise.all(cluster.map((member) => member.start()));
  const backend = createEtcdBackend({ endpoints: cluster.map((member) => member.endpoint) });
  try {
    return await use(cluster, backend);
  } finally {
    await backend.close();
    for (const member of cluster) await member.stop();
  }
}

export const etcdScenarios: Readonly<Record<string, (run: Run) => Promise<Report>>> = {
  "etcd: kill -9 and restart": (run) =>
    withEtcd(run, [], (etcd, backend) =>
      underFaults(backend, run, async () => {
        await etcd.kill();
        await pause(run.random() * 300);
        await etcd.start();
      }),
    ),
  "etcd: stopped for a while (SIGSTOP)": (run) =>
    withEtcd(run, [], (etcd, backend) =>
      underFaults(backend, run, async () => {
        etcd.signal("SIGSTOP");
        await pause(200 + run.random() * 1500);
        etcd.signal("SIGCONT");
      }),
    ),
  "etcd cluster: kill -9 or SIGSTOP of a member": (run) =>
    withCluster(run, (members, backend) =>
      underFaults(backend, run, async () => {
        const member = members[Math.floor(run.random() * members.length)];
        if (run.random() < 0.5) {
          await member?.kill();
          await pause(run.random() * 1500);
          await member?.start();
        } else {
          member?.signal("SIGSTOP");
          await pause(run.random() * 2500);
          member?.signal("SIGCONT");
        }
      }),
    ),
  "etcd: compaction under watch": (run) =>
    withEtcd(run, [], (_, backend) =>
      underFaults(backend, run, async () => {
        // Far enough behind that the live watches are not meant.
        const revision = (await backend.currentRevision()) - 5000;
        if (revision > 1) await backend.compact(asRevision(revision)).catch(() => {});
      }),
    ),
};

/** The cache thread over a backend, seen from another thread. */
async function withCache(
  config: BackendConfig,
  use: (cached: KvBackend) => Promise<Report>,
): Promise<Report> {
  const { startCacheThread } = await import("../../src/storage/cacher/start-cache-thread.ts");
  const { openStorage } = await import("../../src/storage/cacher/open-storage.ts");
  const options = { workerUrl: new URL("../tools/cache-thread.mjs", import.meta.url) };
  const resource = robustConfig();
  const shared = { backend: config, etcdPrefix: "/registry", compactionIntervalMs: 0 };
  const thread = await startCacheThread({ ...shared, resources: [resource] }, options);
  const factory = await openStorage(thread.connect().ports);
  const storage = factory.for(resource);
  try {
    await thread.filled;
    // One write first: a watch from the very first revision has a ring to stand on.
    const cached = cachedBackend(factory.backend, storage);
    await cached.cas({
      key: asStorageKey(`${PREFIX}warm`),
      expected: asRevision(0),
      value: Buffer.from("up"),
    });
    await storage.get("warm", { kind: "MostRecent" });
    return await use(cached);
  } finally {
    await factory.close();
    await thread.close();
  }
}

/** Need the addon. */
export const cacheScenarios: Readonly<Record<string, (run: Run) => Promise<Report>>> = {
  "cache over embedded: traffic": async (run) => {
    const directory = mkdtempSync(join(tmpdir(), "klystron-robust-"));
    try {
      return await withCache({ kind: "embedded", directory }, (cached) =>
        underFaults(cached, run, async () => {}),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  },
};

/** Need the addon and an etcd. */
export const etcdCacheScenarios: Readonly<Record<string, (run: Run) => Promise<Report>>> = {
  "cache over etcd: kill -9 and restart": (run) =>
    withEtcd(run, [], (etcd) =>
      withCache({ kind: "etcd", etcd: { endpoints: [etcd.endpoint] } }, (cached) =>
        underFaults(cached, run, async () => {
          await etcd.kill();
          await pause(run.random() * 300);
          await etcd.start();
        }),
      ),
    ),
  "cache over etcd: stopped for a while (SIGSTOP)": (run) =>
    withEtcd(run, [], (etcd) =>
      withCache({ kind: "etcd", etcd: { endpoints: [etcd.endpoint] } }, (cached) =>
        underFaults(cached, run, async () => {
          etcd.signal("SIGSTOP");
          await pause(200 + run.random() * 1500);
          etcd.signal("SIGCONT");
        }),
      ),
    ),
};

export const embeddedScenarios: Readonly<Record<string, (run: Run) => Promise<Report>>> = {
  "embedded: traffic and compaction": async (run) => {
    const directory = mkdtempSync(join(tmpdir(), "klystron-robust-"));
    const backend = await openEmbeddedStore({ directory });
    try {
      return await underFaults(backend, run, async () => {
        const revision = (await backend.currentRevision()) - 50_000;
        if (revision > 1) await backend.compact(asRevision(revision));
      });
    } finally {
      await backend.close();
      rmSync(directory, { recursive: true });
    }
  },
  "embedded: kill -9 of the process": killEmbedded,
};

/** A child writes and says what was acknowledged; it is killed; all it said must be there. */
async function killEmbedded(run: Run): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), "klystron-robust-"));
  const acknowledged = new Map<number, string>();
  const end = Date.now() + run.seconds * 1000;
  let faults = 0;
  let events = 0;
  try {
    while (Date.now() < end) {
      await childUntilKilled(directory, 200 + run.random() * 1200, acknowledged);
      faults++;
      events = await checkStore(directory, acknowledged);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  return { writes: acknowledged.size, unknown: 0, reads: 0, events, watches: faults, faults };
}

async function childUntilKilled(
  directory: string,
  ms: number,
  acknowledged: Map<number, string>,
): Promise<void> {
  const entry = fileURLToPath(new URL("./embedded-writer.ts", import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ["--import", "tsx", entry, directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let rest = "";
  let started = (): void => {};
  const ready = new Promise<void>((resolve) => {
    started = resolve;
  });
  child.stdout?.on("data", (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [revision, what] = line.split(" ");
      acknowledged.set(Number(revision), what ?? "");
    }
    started();
  });
  const gone = once(child, "close");
  await Promise.race([ready, gone]);
  await pause(ms);
  child.kill("SIGKILL");
  await gone;
}

async function checkStore(
  directory: string,
  acknowledged: ReadonlyMap<number, string>,
): Promise<number> {
  const store = await openEmbeddedStore({ directory });
  const newest = await store.currentRevision();
  const abort = new AbortController();
  const seen = new Map<number, string>();
  for await (const message of store.watch("/", asRevision(2), abort.signal)) {
    if (message.kind === "events") {
      for (const e of message.events) {
        assert.ok(!seen.has(e.revision));
        seen.set(e.revision, `${e.key}=${Buffer.from(e.value).toString("latin1", 0, 20)}`);
      }
    }
    if (seen.size >= newest - 1) break;
  }
  for (const [revision, what] of acknowledged) {
    assert.equal(seen.get(revision), what, `acknowledged at ${revision} and lost`);
  }
  await store.close();
  return seen.size;
}
