/** A front thread's entry: builds the API, serves it, obeys the main thread. */
import { parentPort, workerData } from "node:worker_threads";
import { type ApiServer, createApiServer } from "./api-server.ts";
import { hookNames } from "./controllers/hook-names.ts";
import { aggregate, exposition } from "./metrics/exposition.ts";
import { configureLog, logError, logInfo } from "./metrics/log.ts";
import { registerProcessMetrics } from "./metrics/process.ts";
import { type MetricSnapshot, metrics } from "./metrics/registry.ts";
import { FeatureGates } from "./options/feature-gates.ts";
import { registerBuildMetrics } from "./server/build-metrics.ts";
import { withFilters } from "./server/filters.ts";
import type { Front } from "./server/front.ts";
import { LoopbackFront } from "./server/front-loopback.ts";
import type { Acceptor } from "./server/front-uws-acceptor.ts";
import { HealthRegistry } from "./server/health.ts";
import { healthMetrics } from "./server/health-metrics.ts";
import { checkOrder, registerInherentHooks } from "./server/inherent-hooks.ts";
import { instrument } from "./server/request-metrics.ts";
import { createFront } from "./server/start-front.ts";
import type { FromFront, FrontThreadData, ToFront } from "./thread-messages.ts";
import { releaseWhenThreadIdles } from "./workers/idle-memory.ts";
import { closePool, configurePool } from "./workers/pool.ts";

const data = workerData as FrontThreadData;
configurePool(data.options.workerThreads);
const port = parentPort;
if (port === null) throw new Error("front-thread runs in a worker only");
const say = (message: FromFront) => port.postMessage(message);
const { flags } = data.options;
configureLog({
  format: flags["logging-format"] === "json" ? "json" : "text",
  verbosity: flags.v,
  thread: `front-${data.index}`,
});
// A bug in a callback must not take every connection down with it.
process.on("uncaughtException", (error) => logError("Uncaught exception", error));
process.on("unhandledRejection", (error) => logError("Unhandled rejection", error));

let nextId = 1;
const acceptorCalls = new Map<number, { resolve(): void; reject(error: Error): void }>();
const scrapes = new Map<number, (threads: readonly MetricSnapshot[][]) => void>();

/** The main thread's acceptor, seen from here. */
const remoteAcceptor: Acceptor = {
  listen: async () => 0, // the main thread listens already
  add: (descriptor) => callAcceptor("add", descriptor),
  remove: (descriptor) => callAcceptor("remove", descriptor),
  close: async () => {},
};
function callAcceptor(op: "add" | "remove", descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const id = nextId++;
    acceptorCalls.set(id, { resolve, reject });
    say({ kind: "acceptor", id, op, descriptor });
  });
}

const disabled = new Set(flags["disabled-metrics"]);
/** All threads' metrics, as text. */
function scrape(which: "all" | "slis"): Promise<string> {
  return new Promise((resolve) => {
    const id = nextId++;
    scrapes.set(id, (threads) => {
      const all = aggregate([metrics.snapshot(), ...threads]);
      const wanted = which === "all" ? all : all.filter(({ name }) => isSli(name));
      resolve(exposition(wanted, disabled));
    });
    say({ kind: "scrape", id });
  });
}
const isSli = (name: string) => name.startsWith("kubernetes_healthcheck");

const health = new HealthRegistry(healthMetrics(metrics), checkOrder);
registerInherentHooks(health, { proxyClientCert: flags["proxy-client-cert-file"] !== "" });
const hooks = new Map(hookNames.map((name) => [name as string, health.addPostStartHook(name)]));
let shuttingDown = false;
health.add("shutdown", () => {
  if (shuttingDown) throw new Error("process is shutting down");
}, ["readyz"]);
registerBuildMetrics(
  metrics,
  data.index,
  new FeatureGates(data.options.featureGateOverrides).all(),
);
if (data.index === 0) registerProcessMetrics(metrics);

/** Serves the main thread's controllers. */
let controllers: LoopbackFront | undefined;

async function run({ storage, loopback }: ToFront & { kind: "start" }): Promise<void> {
  const server = await createApiServer({
    ...data,
    storage,
    threads: data.sharedAcceptor ? data.options.frontThreads : 1,
    health,
    scrape,
    resetMetrics: () => say({ kind: "reset-metrics" }),
  });
  const filtered = withFilters(server.serve, {
    hsts: flags["strict-transport-security-directives"],
    corsOrigins: flags["cors-allowed-origins"],
    turnsAway: () => shuttingDown && flags["shutdown-send-retry-after"],
  });
  const serve = instrument(filtered, metrics);
  const acceptor = data.sharedAcceptor ? remoteAcceptor : undefined;
  const choice = flags.front === "node" ? "node" : "uws";
  const front = await createFront(choice, { serve, selectors: server.selectors }, acceptor);
  if (storage !== undefined) releaseWhenThreadIdles(); // there is the addon
  if (loopback !== undefined) {
    controllers = new LoopbackFront(loopback, { serve, limits: data.limits });
  }
  take = (message) => obey(message, front, server);
  for (const message of early) take(message);
  const { "bind-address": host, "secure-port": securePort } = flags;
  const { files, limits } = data;
  try {
    const listening = await front.listen({ host, port: securePort, tls: files.tls, limits });
    say({ kind: "listening", port: listening });
  } catch (error) {
    controllers?.close();
    await front.close(0); // what is open would keep the thread
    await server.close();
    throw error;
  }
}

/** Ends the thread: nothing else keeps it once its port is closed. */
async function close(front: Front, server: ApiServer, graceMs: number, watchGraceMs: number) {
  try {
    await front.close(graceMs, watchGraceMs);
    controllers?.close();
    logInfo("Connections are closed", {}, 2);
    await server.close();
    await closePool();
    logInfo("Storage and pool are closed", {}, 2);
  } catch (error) {
    logError("Closing failed", error);
  }
  port?.close();
}

function obey(message: ToFront, front: Front, server: ApiServer): void {
  switch (message.kind) {
    case "start":
      return;
    case "reload":
      // Which authority issued a certificate decides who it may be: fronts and gates change together.
      server.reload(message.authorities);
      front
        .reloadCertificates(message.tls)
        .catch((error) => logError("Taking up new certificates failed", error));
      return;
    case "repair-services":
      void repairServices(server, message.id);
      return;
    case "hook-done":
      hooks.get(message.name)?.(message.error === undefined ? undefined : new Error(message.error));
      return;
    case "shutting-down":
      shuttingDown = true;
      return;
    case "close":
      void close(front, server, message.graceMs, message.watchGraceMs);
      return;
    case "acceptor-done":
      settle(message);
      return;
    case "collect":
      say({ kind: "collected", id: message.id, metrics: metrics.snapshot() });
      return;
    case "scraped":
      scrapes.get(message.id)?.(message.threads);
      scrapes.delete(message.id);
      return;
    case "reset-metrics":
      metrics.reset();
      return;
  }
}

async function repairServices(server: ApiServer, id: number): Promise<void> {
  try {
    await server.repairServices(new Date());
    say({ kind: "repaired", id, error: undefined });
  } catch (error) {
    say({ kind: "repaired", id, error: String(error) });
  }
}

function settle({ id, error }: ToFront & { kind: "acceptor-done" }): void {
  const call = acceptorCalls.get(id);
  acceptorCalls.delete(id);
  if (error === undefined) call?.resolve();
  else call?.reject(new Error(error));
}

/** What comes while the API is being put together waits for it. */
const early: ToFront[] = [];
let take = (message: ToFront): unknown => early.push(message);
let started = false;

port.on("message", (message: ToFront) => {
  if (started) {
    take(message);
    return;
  }
  started = true;
  if (message.kind !== "start") {
    port.close(); // closed before the store was open
    return;
  }
  run(message).catch((error) => {
    say({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
    port.close();
  });
});
