/** Scenarios 1 to 4 and 7 of the plan: reads, one by one and all at once. */
import { CONFIG_MAPS, configMap, inParallel, PODS, podName } from "./corpus.ts";
import { type Context, median, percentile, type Scenario, spent } from "./measure.ts";
import { memoryOf, sleep } from "./process.ts";
import { runLoad } from "./requests.ts";
import { call, type Target } from "./target.ts";

const META = "g=meta.k8s.io,v=v1";
const JSON_TYPE = "application/json";
const encodings: readonly { name: string; accept: string; gzip?: true; budget?: number }[] = [
  { name: "JSON", accept: JSON_TYPE, budget: 100 },
  { name: "protobuf", accept: "application/vnd.kubernetes.protobuf", budget: 75 },
  { name: "JSON gzip", accept: JSON_TYPE, gzip: true },
  { name: "Table", accept: `${JSON_TYPE};as=Table;${META.replaceAll(",", ";")}` },
  {
    name: "PartialObjectMetadataList",
    accept: `${JSON_TYPE};as=PartialObjectMetadataList;${META.replaceAll(",", ";")}`,
  },
];

/** RV=0 reads the cache as it is: what the encodings cost, and nothing else. */
async function list(context: Context): Promise<void> {
  const { target, sizes } = context;
  const per10k = 10_000 / sizes.pods;
  for (const { name, accept, gzip, budget } of encodings) {
    const headers = { accept, ...(gzip ? { "accept-encoding": "gzip" } : {}) };
    const once = () => call(target, "GET", `${PODS}?resourceVersion=0`, undefined, headers);
    const first = await spent(context, once);
    const answers: Awaited<ReturnType<typeof once>>[] = [];
    const { cpuMs } = await spent(context, async () => {
      for (let i = 0; i < sizes.lists; i++) answers.push(await once());
    });
    const value = (cpuMs / sizes.lists) * per10k;
    context.report({
      name: `${name}, CPU per 10,000 pods`,
      unit: "ms",
      value,
      ...(budget === undefined ? {} : { budget }),
    });
    context.report({ name: `${name}, first`, unit: "ms", value: first.cpuMs * per10k });
    const ttfb = median(answers.map(({ ttfbMs }) => ttfbMs));
    context.report({ name: `${name}, time to first byte`, unit: "ms", value: ttfb });
    const total = median(answers.map(({ totalMs }) => totalMs));
    context.report({ name: `${name}, total time`, unit: "ms", value: total });
    const megabytes = (answers[0]?.bytes ?? 0) / 1e6;
    context.report({ name: `${name}, bytes`, unit: "MB", value: megabytes });
  }
}

async function selectors(context: Context): Promise<void> {
  const { sizes } = context;
  const queries: readonly [string, string, number?][] = [
    ["label that matches none", "labelSelector=app%3Dnone", 0.2],
    ["label that matches 1 %", "labelSelector=app%3Dapp-7"],
    ["label that matches 0.1 %", "labelSelector=index%3D7"],
    ["spec.nodeName", "fieldSelector=spec.nodeName%3Dnode-7"],
    ["metadata.name", `fieldSelector=metadata.name%3D${podName(7)}`],
  ];
  for (const [name, query, budget] of queries) {
    const amount = Math.max(200, sizes.gets / 20);
    const path = () => `${PODS}?resourceVersion=0&${query}`;
    let result = { p99: 0, failed: 0 };
    // As with GET: the compiler's work on a young server is no part of a request.
    await runLoad(context.target, { connections: 4, amount: Math.min(1_000, sizes.gets), path });
    const { cpuMs } = await spent(context, async () => {
      result = await runLoad(context.target, { connections: 4, amount, path });
    });
    failOn(result.failed, name);
    context.report({
      name,
      unit: "ms",
      value: cpuMs / amount,
      ...(budget === undefined ? {} : { budget }),
    });
    context.report({ name: `${name}, p99`, unit: "ms", value: result.p99 });
  }
}

async function pages(context: Context): Promise<void> {
  const { target, sizes } = context;
  const limit = Math.max(20, Math.round(sizes.pods / 20));
  const times: number[] = [];
  const { cpuMs } = await spent(context, async () => {
    for (let token = ""; ; ) {
      const query = `limit=${limit}${token === "" ? "" : `&continue=${encodeURIComponent(token)}`}`;
      const accept = { accept: `${JSON_TYPE};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1` };
      // Metadata only, so that the body stays below what call() keeps.
      const { body, totalMs } = await call(target, "GET", `${PODS}?${query}`, undefined, accept);
      times.push(totalMs);
      token = /"continue":"([^"]+)"/.exec(body.slice(0, 1000))?.[1] ?? "";
      if (token === "") return;
    }
  });
  const per10k = 10_000 / sizes.pods;
  context.report({ name: "walk in 20 pages, per 10,000 pods", unit: "ms", value: cpuMs * per10k });
  const half = Math.floor(times.length / 2);
  const drift = median(times.slice(half)) / Math.max(0.01, median(times.slice(0, half)));
  context.report({ name: "later pages against earlier ones", unit: "times", value: drift });
}

async function get(context: Context): Promise<void> {
  const { target, sizes } = context;
  await call(target, "POST", CONFIG_MAPS, configMap("hot-get", 300)).catch(() => {});
  const cases: readonly [string, (i: number) => string, number?][] = [
    ["one pod, RV=0", () => `${PODS}/${podName(0)}?resourceVersion=0`, 37],
    ["one pod, consistent", () => `${PODS}/${podName(0)}`, 100],
    ["one ConfigMap of 300 B, RV=0", () => `${CONFIG_MAPS}/hot-get?resourceVersion=0`],
    [
      "pods at random, RV=0",
      (i) => `${PODS}/${podName((i * 7919) % sizes.pods)}?resourceVersion=0`,
    ],
  ];
  for (const [name, path, budget] of cases) {
    await runLoad(target, { connections: 8, amount: Math.min(2_000, sizes.gets), path });
    let result = { p50: 0, p99: 0, failed: 0, perSecond: 0 };
    const { cpuMs, wallMs } = await spent(context, async () => {
      result = await runLoad(target, { connections: 8, amount: sizes.gets, path });
    });
    failOn(result.failed, name);
    const value = (cpuMs * 1000) / sizes.gets;
    context.report({ name, unit: "us", value, ...(budget === undefined ? {} : { budget }) });
    context.report({
      name: `${name}, reached`,
      unit: "1/s",
      value: result.perSecond,
      higherIsBetter: true,
    });
    context.report({
      name: `${name}, server's share of a core then`,
      unit: "%",
      value: (100 * cpuMs) / wallMs,
      higherIsBetter: true,
    });
  }
  const open = await runLoad(target, {
    connections: 8,
    rate: 500,
    seconds: 3,
    path: () => `${PODS}/${podName(0)}?resourceVersion=0`,
  });
  context.report({ name: "one pod at 500/s, p50", unit: "ms", value: open.p50 });
  context.report({ name: "one pod at 500/s, p99", unit: "ms", value: open.p99 });
}

/** Everybody lists at once, while one client goes on reading a single pod. */
async function storm(context: Context): Promise<void> {
  const { sizes } = context;
  const kinds: readonly [string, string][] = [
    ["LIST", `${PODS}?resourceVersion=0`],
    [
      "WatchList",
      `${PODS}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&resourceVersion=0&timeoutSeconds=`,
    ],
  ];
  for (const [name, path] of kinds) {
    // A WatchList does not end by itself: its time limit ends it, after all has been sent.
    const limit = name === "LIST" ? "" : String(Math.max(3, Math.round(sizes.pods / 2_000)));
    await oneStorm(context, name, `${path}${limit}`);
  }
}

async function oneStorm(context: Context, name: string, path: string): Promise<void> {
  const { target, sizes } = context;
  const before = memoryOf(target.pid);
  let most = 0;
  let running = true;
  const gets: number[] = [];
  const beside = async () => {
    while (running) {
      const { totalMs } = await call(target, "GET", `${PODS}/${podName(1)}?resourceVersion=0`);
      gets.push(totalMs);
      await sleep(20);
    }
  };
  const sampling = setInterval(() => {
    most = Math.max(most, memoryOf(target.pid).rss);
  }, 50);
  const side = beside();
  const { cpuMs, wallMs } = await spent(context, () =>
    inParallel(sizes.stormClients, sizes.stormClients, () => call(target, "GET", path)),
  );
  running = false;
  await side;
  clearInterval(sampling);
  const scale = (10_000 / sizes.pods) * (32 / sizes.stormClients);
  const isList = name === "LIST";
  context.report({
    name: isList ? "LIST, 32 clients of 10,000 pods" : "WatchList of 10,000 pods, per client",
    unit: "CPU-s",
    value: ((cpuMs / 1000) * scale) / (isList ? 1 : 32),
    budget: isList ? 4 : 0.2,
  });
  const added = Math.max(0, most - before.rss) / 1e6;
  context.report({ name: `${name}, memory added`, unit: "MB", value: added, budget: 120 });
  if (isList) context.report({ name: `${name}, last client after`, unit: "ms", value: wallMs });
  const p99 = percentile(gets, 0.99);
  context.report({ name: `${name}, GET p99 meanwhile`, unit: "ms", value: p99 });
}

export function failOn(failed: number, what: string): void {
  if (failed > 0) throw new Error(`${what}: ${failed} requests failed`);
}

/** One client's view is checked before anything is timed: a fast wrong answer is no figure. */
export async function verify(target: Target, pods: number): Promise<void> {
  const path = `${PODS}?limit=50`;
  const { body } = await call(target, "GET", path);
  const list = JSON.parse(body) as { kind: string; items: { metadata: { name: string } }[] };
  const names = list.items.map(({ metadata }) => metadata.name);
  const sorted = [...names].sort().join();
  if (list.kind !== "PodList" || names.length !== Math.min(50, pods) || names.join() !== sorted) {
    throw new Error(`not the pods that were created: ${names.length} of ${list.kind}`);
  }
}

export const reads: readonly Scenario[] = [
  { id: "list", title: "1 LIST of pods", run: list },
  { id: "selectors", title: "2 LIST with selectors", run: selectors },
  { id: "pages", title: "3 LIST in pages", run: pages },
  { id: "get", title: "4 GET of one object", run: get },
  { id: "storm", title: "7 LIST and WatchList storm", run: storm },
];
