/** Scenarios 8 to 11: writes, start, memory, custom resource definitions. */
import { rmSync } from "node:fs";
import { CONFIG_MAPS, configMap, inParallel, loadPods, PODS, pod } from "./corpus.ts";
import { type Context, type Scenario, spent } from "./measure.ts";
import { memoryOf, sleep } from "./process.ts";
import { type Load, runLoad } from "./requests.ts";
import { failOn } from "./scenarios-read.ts";
import { call, startKlystron, type Target } from "./target.ts";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
let serial = 0;

async function timed(
  context: Context,
  name: string,
  load: Omit<Load, "connections" | "amount">,
  budget?: number,
): Promise<void> {
  const { target, sizes } = context;
  const amount = sizes.writes;
  let result = { failed: 0, p99: 0, perSecond: 0 };
  const { cpuMs } = await spent(context, async () => {
    result = await runLoad(target, { ...load, connections: 8, amount });
  });
  failOn(result.failed, name);
  const limit = budget === undefined ? {} : { budget };
  context.report({ name, unit: "ms", value: cpuMs / amount, ...limit });
  context.report({ name: `${name}, p99`, unit: "ms", value: result.p99 });
  const { perSecond } = result;
  context.report({ name: `${name}, reached`, unit: "1/s", value: perSecond, higherIsBetter: true });
}

async function writes(context: Context): Promise<void> {
  const { target, sizes } = context;
  const run = `w${Date.now()}-${serial++}`;
  const name = (i: number) => `${run}-${i}`;
  const create = { method: "POST", path: () => PODS };
  // The compiler of V8 is part of a young server: the first thousand writes are told apart.
  await timed(context, "create pod, first", { ...create, body: (i) => pod(`first-${name(i)}`, i) });
  await timed(context, "create pod", { ...create, body: (i) => pod(name(i), i) }, 1.2);
  const one = (i: number) => `${PODS}/${name(i % sizes.writes)}`;
  const merge = { "content-type": "application/merge-patch+json" };
  const patch = (i: number) => JSON.stringify({ metadata: { labels: { touched: String(i) } } });
  const patching = { method: "PATCH", path: one, body: patch };
  await timed(context, "merge patch of a pod", { ...patching, headers: merge }, 0.8);
  const strategic = { "content-type": "application/strategic-merge-patch+json" };
  await timed(context, "strategic merge patch of a pod", { ...patching, headers: strategic }, 0.8);
  const status = (i: number) => JSON.stringify({ status: { message: `m${i}` } });
  await timed(context, "patch of a pod's status", {
    method: "PATCH",
    path: (i) => `${one(i)}/status`,
    body: status,
    headers: merge,
  });
  const apply = { "content-type": "application/apply-patch+yaml" };
  const metadata = (i: number) => ({ name: name(i), namespace: "default" });
  const fields = (i: number) =>
    Object.fromEntries(Array.from({ length: 100 }, (_, k) => [`field-${k}`, `value-${i}`]));
  const applied = (i: number) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: metadata(i % 100),
      data: fields(i),
    });
  await timed(
    context,
    "server-side apply of 100 fields",
    {
      method: "PATCH",
      path: (i) => `${CONFIG_MAPS}/${name(i % 100)}?fieldManager=bench&force=true`,
      body: applied,
      headers: apply,
    },
    0.9,
  );
  const lease = (i: number) =>
    JSON.stringify({ spec: { holderIdentity: "bench", leaseTransitions: i } });
  await inParallel(100, 8, (i) => {
    const object = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: metadata(i) };
    return call(target, "POST", LEASES, JSON.stringify(object));
  });
  await timed(context, "lease renewal", {
    method: "PATCH",
    path: (i) => `${LEASES}/${name(i % 100)}`,
    body: lease,
    headers: merge,
  });
  await removeAll(target, run);
}

/** Leaves the pods of the reads alone. */
async function removeAll(target: Target, run: string): Promise<void> {
  const { body } = await call(target, "GET", PODS, undefined, {
    accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
  });
  const names = [...body.matchAll(/"name":"((?:first-)?w\d[^"]*)"/g)].map(([, name]) => name ?? "");
  const ours = names.filter((name) => name.includes(run));
  await inParallel(ours.length, 8, (i) =>
    call(target, "DELETE", `${PODS}/${ours[i]}?gracePeriodSeconds=0`),
  );
}

/** Servers of our own only: a peer's start is its own affair. */
async function start(context: Context): Promise<void> {
  const { port, sizes } = context;
  if (context.target.name !== "klystron") return context.note("a peer is not started here");
  const empty = await startKlystron(port + 1);
  context.report({ name: "empty, exec to ready", unit: "ms", value: empty.wallMs, budget: 500 });
  context.report({ name: "empty, CPU until then", unit: "ms", value: empty.cpuMs });
  await sleep(3_000);
  const { rss, anonymous } = memoryOf(empty.target.pid);
  context.report({ name: "empty, RSS", unit: "MB", value: rss / 1e6, budget: 120 });
  context.report({ name: "empty, anonymous", unit: "MB", value: anonymous / 1e6 });
  await loadPods(empty.target, sizes.pods);
  await empty.target.stop();
  const full = await startKlystron(port + 1, [], empty.dataDir);
  const what = `${sizes.pods} pods in the store`;
  context.report({ name: `${what}, exec to ready`, unit: "ms", value: full.wallMs, budget: 1_200 });
  context.report({ name: `${what}, CPU until then`, unit: "ms", value: full.cpuMs });
  await sleep(3_000);
  const later = memoryOf(full.target.pid);
  const each = (bytes: number) => bytes / sizes.pods / 1024;
  context.report({
    name: "RSS per 10 KB pod after a restart",
    unit: "KB",
    value: each(later.rss - rss),
    budget: 20,
  });
  context.report({
    name: "anonymous per 10 KB pod after a restart",
    unit: "KB",
    value: each(later.anonymous - anonymous),
  });
  await call(full.target, "GET", `${PODS}?resourceVersion=0`, undefined, {
    accept: "application/vnd.kubernetes.protobuf",
  });
  await sleep(2_000);
  const both = memoryOf(full.target.pid);
  context.report({
    name: "RSS per 10 KB pod after a protobuf LIST",
    unit: "KB",
    value: each(both.rss - rss),
  });
  await full.target.stop();
  rmSync(empty.dataDir, { recursive: true, force: true });
}

/** What objects cost where they were written, and what remains when they are gone. */
async function memory(context: Context): Promise<void> {
  const { target, sizes } = context;
  const before = memoryOf(target.pid);
  const count = sizes.configMaps;
  const run = `m${Date.now()}-${serial++}`;
  await inParallel(count, 16, (i) =>
    call(target, "POST", CONFIG_MAPS, configMap(`${run}-${i}`, 2_000)),
  );
  await sleep(5_000);
  const loaded = memoryOf(target.pid);
  const each = (bytes: number) => bytes / count / 1024;
  context.report({
    name: "RSS per ConfigMap of 2 KB",
    unit: "KB",
    value: each(loaded.rss - before.rss),
  });
  context.report({
    name: "anonymous per ConfigMap of 2 KB",
    unit: "KB",
    value: each(loaded.anonymous - before.anonymous),
  });
  await inParallel(count, 16, (i) => call(target, "DELETE", `${CONFIG_MAPS}/${run}-${i}`));
  await sleep(5_000);
  const after = memoryOf(target.pid);
  const kept = Math.max(0, after.anonymous - before.anonymous) / 1e6;
  context.report({ name: "anonymous kept after deletion", unit: "MB", value: kept });
}

const DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

function definition(i: number): string {
  const group = `g${i % 50}.bench.example`;
  const plural = `things${i}`;
  const leaf = (k: number) => [`field${k}`, { type: "string", description: "d".repeat(150) }];
  const properties = Object.fromEntries(Array.from({ length: 100 }, (_, k) => leaf(k)));
  const schema = {
    openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } },
  };
  const names = { plural, singular: `thing${i}`, kind: `Thing${i}`, listKind: `Thing${i}List` };
  const versions = [{ name: "v1", served: true, storage: true, schema }];
  return JSON.stringify({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: { group, names, scope: "Namespaced", versions },
  });
}

async function definitions(context: Context): Promise<void> {
  const { target, sizes } = context;
  const count = sizes.definitions;
  const before = memoryOf(target.pid).rss;
  const name = (i: number) => `things${i}.g${i % 50}.bench.example`;
  const served = (i: number) => `/apis/g${i % 50}.bench.example/v1/namespaces/default/things${i}`;
  let unserved = false;
  const { cpuMs, wallMs } = await spent(context, async () => {
    await inParallel(count, 4, (i) => call(target, "POST", DEFINITIONS, definition(i)));
    for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
      const done = await call(target, "GET", served(count - 1)).then(
        () => true,
        () => false,
      );
      if (done) break;
      unserved = Date.now() > deadline;
      if (unserved) break;
    }
    await sleep(1_000);
  });
  if (unserved)
    context.note("custom resources are not served: figures are of the definitions only");
  context.report({ name: `${count} definitions, CPU each`, unit: "ms", value: cpuMs / count });
  context.report({
    name: `${count} definitions, until the last is served`,
    unit: "ms",
    value: wallMs - 1_000,
  });
  const grown = (memoryOf(target.pid).rss - before) / count / 1024;
  context.report({ name: "RSS per definition", unit: "KB", value: grown });
  await inParallel(count, 4, (i) => call(target, "DELETE", `${DEFINITIONS}/${name(i)}`));
}

export const changes: readonly Scenario[] = [
  { id: "writes", title: "8 Writes", run: writes },
  { id: "start", title: "9 Start and memory of pods", run: start },
  { id: "memory", title: "10 Memory of objects", run: memory },
  { id: "definitions", title: "11 Custom resource definitions", run: definitions },
];
