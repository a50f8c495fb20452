/** Scenarios 5, 6 and 12, idle watches, and the mixed run: what many watchers cost. */
import { connect } from "node:tls";
import { CONFIG_MAPS, configMap, inParallel, PODS, podName, type Sizes } from "./corpus.ts";
import { type Context, percentile, type Scenario, spent } from "./measure.ts";
import { kernelBytes, memoryOf, sleep } from "./process.ts";
import { runLoad } from "./requests.ts";
import { failOn } from "./scenarios-read.ts";
import { call, type Target } from "./target.ts";
import { Watchers, type WatchOptions } from "./watchers.ts";

/** Objects that change: writes at the same time go to different ones, or they would conflict. */
const HOT_OBJECTS = 64;
const hot = (i: number) => `hot-${i % HOT_OBJECTS}`;
const WATCH = `${CONFIG_MAPS}?watch=true&labelSelector=bench%3Dhot`;

/** From now on: initial events come in the order of keys, not of revisions, and are no deliveries. */
async function watchFromNow(target: Target): Promise<string> {
  const { body } = await call(target, "GET", `${CONFIG_MAPS}?limit=1`);
  const { metadata } = JSON.parse(body) as { metadata: { resourceVersion: string } };
  return `${WATCH}&resourceVersion=${metadata.resourceVersion}`;
}

let turn = 0;
const MERGE = { "content-type": "application/merge-patch+json" };

/** One event: a change that carries the time before it was asked for. */
async function touch(target: Target): Promise<number> {
  const sent = String(Math.round((performance.timeOrigin + performance.now()) * 1000));
  const body = JSON.stringify({ data: { sent } });
  const { totalMs } = await call(target, "PATCH", `${CONFIG_MAPS}/${hot(turn++)}`, body, MERGE);
  return totalMs;
}

/** `count` events at `rate` a second, or in bursts; the times the writes took. */
async function touches(target: Target, count: number, rate: number, burst = 1): Promise<number[]> {
  const times: number[] = [];
  const began = performance.now();
  for (let done = 0; done < count; done += burst) {
    const due = began + (done / rate) * 1000;
    await sleep(Math.max(0, due - performance.now()));
    await inParallel(burst, burst, async () => times.push(await touch(target)));
  }
  return times;
}

async function prepare(target: Target): Promise<void> {
  // 2.4 KB as served, the size of the anchors.
  await inParallel(HOT_OBJECTS, 8, async (i) => {
    const object = configMap(hot(i), 1_900, "0", { bench: "hot" });
    await call(target, "POST", CONFIG_MAPS, object).catch(() => {});
  });
}

/** Events of a run, at 20 a second: few watchers are those of a quick run. */
const eventsOf = ({ watchers }: Sizes) => (watchers < 1_000 ? 20 : 100);

async function fanOut(context: Context): Promise<void> {
  const { target, sizes } = context;
  await prepare(target);
  const shapes: readonly [string, number, number, number, number][] = [
    ["one by one", eventsOf(sizes), 20, 1, 15],
    ["bursts of 10", eventsOf(sizes) * 2, 100, 10, 4],
  ];
  for (const [name, events, rate, burst, budget] of shapes) {
    const writesAlone = async () =>
      (await spent(context, () => touches(target, events, rate, burst))).cpuMs;
    // What the same writes cost without watchers is taken off: after some that only warm up.
    await writesAlone();
    let alone = await writesAlone();
    const few = sizes.watchers < 1_000 ? sizes.watchers : Math.round(sizes.watchers / 5);
    for (const count of new Set([few, sizes.watchers])) {
      const sample = Math.min(50, count);
      const watchers = await Watchers.open(target, {
        count,
        path: await watchFromNow(target),
        sample,
      });
      await sleep(1_000);
      const bytes = watchers.counts.bytes;
      const clientCpu = watchers.counts.cpu;
      const { cpuMs } = await spent(context, async () => {
        await touches(target, events, rate, burst);
        await watchers.quiet();
      });
      const result = await watchers.close();
      await sleep(500);
      const after = await writesAlone();
      const deliveries = events * count;
      const what = `${count} watchers, ${name}`;
      context.report({
        name: `${what}, CPU per event and watcher`,
        unit: "us",
        value: Math.max(0, ((cpuMs - Math.min(alone, after)) * 1000) / deliveries),
        budget,
      });
      delivery(context, what, result);
      context.report({
        name: `${what}, closed`,
        unit: "watchers",
        value: result.closed,
        budget: 0,
      });
      const own = ((result.cpu - clientCpu) * 1e6) / deliveries;
      context.report({ name: `${what}, the generator's own CPU`, unit: "us", value: own });
      alone = after;
      if (result.bytes - bytes < deliveries * 2_000) context.note(`${what}: fewer bytes than due`);
      if (result.disorder > 0) throw new Error(`${what}: ${result.disorder} events out of order`);
    }
  }
  await bigBurst(context);
}

/** A thousand events as fast as they are written: nobody may be closed. */
async function bigBurst(context: Context): Promise<void> {
  const { target, sizes } = context;
  const count = Math.min(1_000, sizes.watchers);
  const watchers = await Watchers.open(target, {
    count,
    path: await watchFromNow(target),
    sample: 20,
  });
  await sleep(1_000);
  const { cpuMs } = await spent(context, async () => {
    await inParallel(1_000, 64, () => touch(target));
    await watchers.quiet();
  });
  const { closed } = await watchers.close();
  const what = `burst of 1,000 events to ${count} watchers`;
  context.report({ name: `${what}, closed`, unit: "watchers", value: closed, budget: 0 });
  context.report({ name: `${what}, CPU in all`, unit: "ms", value: cpuMs });
}

function delivery(
  context: Context,
  what: string,
  { delivery: times }: Awaited<ReturnType<Watchers["close"]>>,
  budget?: number,
): void {
  if (times === undefined) return;
  const { p50, p99, p999 } = times;
  context.report({ name: `${what}, delivery p50`, unit: "ms", value: p50 });
  const limit = budget === undefined ? {} : { budget };
  context.report({ name: `${what}, delivery p99`, unit: "ms", value: p99, ...limit });
  context.report({ name: `${what}, delivery p99.9`, unit: "ms", value: p999 });
}

async function slow(context: Context): Promise<void> {
  const { target, sizes } = context;
  await prepare(target);
  const healthy = Math.min(1_000, sizes.watchers);
  const cases: readonly [string, number, number][] = [
    ["no slow watcher", 0, 0],
    [`${healthy / 10} at 1 KB/s`, healthy / 10, 1024],
    [`${healthy / 10} that read nothing`, healthy / 10, 0],
  ];
  for (const [name, stalled, rate] of cases) {
    const options: WatchOptions = {
      count: healthy + stalled,
      path: await watchFromNow(target),
      sample: 50,
      stalled,
      rate,
    };
    const watchers = await Watchers.open(target, options);
    await sleep(1_000);
    const before = memoryOf(target.pid).rss;
    const writes = await touches(target, eventsOf(sizes), 20);
    await watchers.quiet(5_000); // those at 1 KB/s are never done
    const added = Math.max(0, memoryOf(target.pid).rss - before) / 1e6;
    const result = await watchers.close();
    delivery(context, name, result);
    context.report({ name: `${name}, write p99`, unit: "ms", value: percentile(writes, 0.99) });
    context.report({ name: `${name}, closed`, unit: "watchers", value: result.closed });
    context.report({ name: `${name}, memory added`, unit: "MB", value: added });
  }
}

async function idle(context: Context): Promise<void> {
  const { target, sizes } = context;
  const before = memoryOf(target.pid);
  const kernel = kernelBytes();
  const count = sizes.idleWatchers;
  const watchers = await Watchers.open(target, { count, path: await watchFromNow(target) });
  await sleep(3_000);
  const during = memoryOf(target.pid);
  const grown = (during.rss - before.rss) / count / 1024;
  context.report({ name: "RSS per idle watch", unit: "KB", value: grown, budget: 22 });
  const kernelGrown = (kernelBytes() - kernel) / count / 1024;
  context.report({ name: "kernel, both ends, per idle watch", unit: "KB", value: kernelGrown });
  const { closed } = await watchers.close();
  context.report({
    name: `${count} idle watches, closed`,
    unit: "watchers",
    value: closed,
    budget: 0,
  });
  await sleep(3_000);
  const kept = Math.max(0, memoryOf(target.pid).rss - before.rss) / 1e6;
  context.report({ name: "kept after they left", unit: "MB", value: kept });
}

/** A new connection with a client certificate and one small request. */
function handshake({ host, port, credentials }: Target): Promise<void> {
  return new Promise((resolve, reject) => {
    const { certificate, key } = credentials;
    const identity = certificate === undefined ? {} : { cert: certificate, key };
    const socket = connect({ host, port, rejectUnauthorized: false, ...identity }, () => {
      socket.write("GET /version HTTP/1.1\r\nHost: bench\r\n\r\n");
    });
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

async function connections(context: Context): Promise<void> {
  const { target, sizes } = context;
  const count = sizes.connections;
  const { cpuMs } = await spent(context, () => inParallel(count, 8, () => handshake(target)));
  context.report({
    name: "new mTLS connection with one request",
    unit: "ms",
    value: cpuMs / count,
    budget: 0.45,
  });
}

/** Creates, GETs, LISTs and watchers together: the p99 of each under a load that is not a collapse. */
async function mixed(context: Context): Promise<void> {
  const { target, sizes } = context;
  await prepare(target);
  const seconds = sizes.mixedSeconds;
  const count = sizes.watchers;
  const watchers = await Watchers.open(target, {
    count,
    path: await watchFromNow(target),
    sample: 50,
  });
  await sleep(1_000);
  let running = true;
  const lists: number[] = [];
  const listing = (async () => {
    while (running) {
      lists.push((await call(target, "GET", `${PODS}?resourceVersion=0`)).totalMs);
      for (let i = 0; i < 20 && running; i++) await sleep(100);
    }
  })();
  const path = () => `${PODS}/${podName(3)}?resourceVersion=0`;
  const name = `mixed-${Date.now()}`;
  const [gets, creates, writes] = await Promise.all([
    runLoad(target, { connections: 4, rate: 100, seconds, path }),
    runLoad(target, {
      connections: 2,
      rate: 20,
      seconds,
      method: "POST",
      path: () => CONFIG_MAPS,
      body: (i) => configMap(`${name}-${i}`, 1_000),
    }),
    touches(target, seconds * 10, 10),
  ]);
  running = false;
  await listing;
  await watchers.quiet();
  const result = await watchers.close();
  failOn(gets.failed + creates.failed, "mixed load");
  delivery(context, `${count} watchers at 10 events/s beside LISTs`, result, 25);
  context.report({ name: "watchers closed", unit: "watchers", value: result.closed, budget: 0 });
  context.report({ name: "GET at 100/s, p99", unit: "ms", value: gets.p99 });
  context.report({ name: "create at 20/s, p99", unit: "ms", value: creates.p99 });
  context.report({
    name: "patch of the watched object, p99",
    unit: "ms",
    value: percentile(writes, 0.99),
  });
  context.report({ name: "LIST each 2 s, slowest", unit: "ms", value: Math.max(...lists) });
}

export const watches: readonly Scenario[] = [
  { id: "fan-out", title: "5 Watch fan-out", run: fanOut },
  { id: "slow", title: "6 Slow watchers", run: slow },
  { id: "idle", title: "10 Idle watches", run: idle },
  { id: "connections", title: "12 New connections", run: connections },
  { id: "mixed", title: "Mixed load", run: mixed },
];
