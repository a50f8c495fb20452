/** Flags → options → files → store → fronts; then signals. The only file that acts on import. */

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { configureLog, logError, logInfo, logWarning } from "./metrics/log.ts";
import {
  type Invocation,
  parseOptions,
  printFlags,
  type ServerOptions,
} from "./options/options.ts";
import { UsageError } from "./options/pflag.ts";
import { isStoreCommand } from "./options/store-command.ts";
import { watchFiles } from "./server/file-watch.ts";
import { defaultLimits } from "./server/front.ts";
import { kubeconfig, writeKubeconfig } from "./server/pki/store.ts";
import { KUBERNETES_VERSION, versionInfo } from "./server/version.ts";
import { ConfigError, type FilePaths, loadFiles, resolvePaths } from "./settings.ts";
import { type StartedControllers, startControllers } from "./start-controllers.ts";
import type { CacheThread } from "./storage/cacher/start-cache-thread.ts";
import { StorageError } from "./storage/errors.ts";
import { cacheThreadConfig } from "./store-config.ts";
import { Supervisor } from "./supervisor.ts";
import { threadEntry } from "./thread-entry.ts";
import { releaseWhenProcessIdles } from "./workers/idle-memory.ts";

/** From src/ as from dist/. */
const ADDON = new URL("../build/Release/klystron.node", import.meta.url);
const SECOND_SIGNAL_MS = 1_000;
const CLEAN_UP_MS = 3_000;
/** What waits for a store that does not answer will not be finished: it gets this long. */
const STORE_PROBE_MS = 1_000;
const WITHOUT_STORE_MS = 500;
const GIVE_UP_MS = 15_000;
const startedAt = Date.now() - Math.round(process.uptime() * 1000);

function fail(message: string, hint = ""): void {
  process.stderr.write(`Error: ${message}\n${hint}`);
  process.exitCode = 1;
}

async function main(args: readonly string[]): Promise<void> {
  if (isStoreCommand(args)) {
    const { runStoreCommand } = await import("./store-commands.ts");
    process.exitCode = await runStoreCommand(args, process);
    return;
  }
  let invocation: Invocation;
  try {
    invocation = parseOptions(args, availableParallelism());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    fail(error.message, "See 'klystron --help' for usage.\n");
    return;
  }
  if (invocation.kind === "help") {
    const { helpText } = await import("./options/help.ts");
    process.stdout.write(helpText(process.stdout.columns ?? 100));
    return;
  }
  if (invocation.kind === "version") {
    const raw = `${JSON.stringify(versionInfo(), undefined, 2)}\n`;
    process.stdout.write(invocation.form === "raw" ? raw : `Kubernetes ${KUBERNETES_VERSION}\n`);
    return;
  }
  const { options, warnings } = invocation;
  const { flags } = options;
  configureLog({
    format: flags["logging-format"] === "json" ? "json" : "text",
    verbosity: flags.v,
  });
  for (const warning of warnings) logWarning(warning);
  if (flags.v >= 1) {
    for (const [name, value] of printFlags(flags))
      logInfo(`FLAG: --${name}=${JSON.stringify(value)}`, {}, 1);
  }
  try {
    await serve(options);
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof StorageError)) logError("Failed", error);
    fail(error instanceof Error ? error.message : String(error));
  }
}

async function serve(options: ServerOptions): Promise<void> {
  const { flags } = options;
  const paths = resolvePaths(options);
  const files = loadFiles(options, paths);
  const hasAddon = existsSync(ADDON);
  // The store opens while the fronts load their code.
  const cache = hasAddon ? startCache(options) : Promise.resolve(undefined);
  cache.catch(() => {}); // the supervisor meets it
  if (!hasAddon) logWarning("The native addon is missing; caches are in JavaScript, in one thread");
  const loopbackToken = randomBytes(32).toString("base64url");
  const supervisor = new Supervisor({
    options,
    files,
    limits: { ...defaultLimits, requestTimeoutMs: flags["request-timeout"] || 60_000 },
    cache,
    frontThreads: await frontThreadsCount(options, hasAddon),
    startedAt,
    loopbackToken,
    onDeath: die,
  });
  const cleanUps: (() => void | Promise<void>)[] = [];
  let storeHealth: StartedControllers["storeHealth"] = async () => {};
  onSignals(options, supervisor, {
    cleanUp: async () => {
      await Promise.allSettled(cleanUps.map((cleanUp) => cleanUp()));
    },
    storeHealth: (timeoutMs) => storeHealth(timeoutMs),
  });
  let port: number;
  try {
    port = await supervisor.start();
  } catch (error) {
    await supervisor.close(0, 0);
    process.exitCode = 1;
    throw error;
  }
  announce(flags, port, paths);
  if (hasAddon) cleanUps.push(releaseWhenProcessIdles(mappedFile(options)));
  cleanUps.push(giveUpWithoutStore(options, supervisor, cache));
  const controllers = await startControllers({
    options,
    files,
    port,
    supervisor,
    cache,
    loopbackToken,
  });
  cleanUps.push(() => controllers.stop());
  storeHealth = (timeoutMs) => controllers.storeHealth(timeoutMs);
  const named = Object.values(paths).filter((path) => typeof path === "string" && path !== "");
  const stopWatching = watchFiles(named as string[], () => {
    try {
      supervisor.reload(loadFiles(options, paths));
      logInfo("Certificates have been read again");
    } catch (error) {
      logError("Changed certificates can not be used; the old ones stay", error);
    }
  });
  cleanUps.push(stopWatching);
}

/** The embedded store's, as the system names it. */
function mappedFile({ embedded, flags }: ServerOptions): string {
  const file = join(flags["data-dir"], "store", "store.mdb");
  return embedded && existsSync(file) ? realpathSync(file) : "";
}

async function startCache(options: ServerOptions): Promise<CacheThread> {
  const { startCacheThread } = await import("./storage/cacher/start-cache-thread.ts");
  return startCacheThread(cacheThreadConfig(options), {
    workerUrl: threadEntry("cache-thread"),
    log: (message) => logInfo(message),
    onDeath: die,
  });
}

/** A store that never answers is a mistake in the command line, or one worth a restart. */
function giveUpWithoutStore(
  { flags, embedded }: ServerOptions,
  supervisor: Supervisor,
  cache: Promise<CacheThread | undefined>,
): () => void {
  if (embedded) return () => {};
  const timeoutMs = flags["storage-initialization-timeout"];
  const timer = setTimeout(() => {
    const servers = flags["etcd-servers"].join(",");
    fail(`--etcd-servers: could not read everything from ${servers} within ${timeoutMs / 1000} s`);
    setTimeout(() => process.kill(process.pid, "SIGKILL"), GIVE_UP_MS).unref();
    void supervisor.close(0, 0).then(() => process.exit(1));
  }, timeoutMs);
  const done = () => clearTimeout(timer);
  cache.then((thread) => thread?.filled).then(done, () => {});
  return done;
}

async function frontThreadsCount(options: ServerOptions, hasAddon: boolean): Promise<number> {
  const wanted = options.frontThreads;
  if (wanted === 1) return 1;
  if (!hasAddon || options.flags.front === "node") return 1;
  try {
    const { loadUws } = await import("./native/uws.ts");
    loadUws();
    return wanted;
  } catch {
    return 1; // the front says why
  }
}

function announce(flags: ServerOptions["flags"], port: number, paths: FilePaths): void {
  const bind = flags["bind-address"];
  const host =
    bind === "0.0.0.0"
      ? "127.0.0.1"
      : bind === "::"
        ? "[::1]"
        : bind.includes(":")
          ? `[${bind}]`
          : bind;
  const lines = [`Serving securely on ${host}:${port}`];
  if (paths.own !== undefined) {
    const file = resolve(join(flags["data-dir"], "admin.kubeconfig"));
    const { caCert, adminCert, adminKey } = paths.own;
    const read = (path: string) => readFileSync(path, "utf8");
    const admin = { certificate: read(adminCert), key: read(adminKey) };
    const authority = flags["tls-cert-file"] === "" ? read(caCert) : read(paths.servingCert);
    const content = kubeconfig(`https://${host}:${port}`, authority, admin);
    writeKubeconfig(file, content);
    if (flags["write-kubeconfig"] !== "") writeKubeconfig(flags["write-kubeconfig"], content);
    lines.push(`kubeconfig: ${file}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
  logInfo("Serving", { port, milliseconds: Date.now() - startedAt }, 1);
}

/** A lost thread may hold sockets: the only exit that can not hang or abort is the hard one. */
function die(error: Error): void {
  logError("A thread has died; the process can not go on", error);
  process.kill(process.pid, "SIGKILL");
}

/** Upstream: apiserver/pkg/server/genericapiserver.go RunWithContext. */
function onSignals(
  options: ServerOptions,
  supervisor: Supervisor,
  { cleanUp, storeHealth }: { cleanUp(): Promise<void> } & Pick<StartedControllers, "storeHealth">,
): void {
  const { flags } = options;
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) {
      // Threads get a moment to let go of their sockets, without which the process would abort.
      setTimeout(() => process.kill(process.pid, "SIGKILL"), SECOND_SIGNAL_MS).unref();
      await supervisor.close(0, 0);
      process.exit(1);
    }
    stopping = true;
    logInfo("Shutting down", { signal });
    supervisor.announceShutdown();
    await new Promise((resolve) => setTimeout(resolve, flags["shutdown-delay-duration"]));
    const hasStore = await storeHealth(STORE_PROBE_MS).then(
      () => true,
      () => false,
    );
    if (!hasStore) logWarning("The store does not answer; requests that wait for it are given up");
    // Controllers leave while the API still serves them; they must not hold the end up.
    const cleanUpMs = hasStore ? CLEAN_UP_MS : WITHOUT_STORE_MS;
    await Promise.race([cleanUp(), new Promise((resolve) => setTimeout(resolve, cleanUpMs))]);
    const graceMs = hasStore ? flags["request-timeout"] || 60_000 : WITHOUT_STORE_MS;
    await supervisor.close(graceMs, flags["shutdown-watch-termination-grace-period"]);
    logInfo("Stopped");
    process.exit(0); // every thread has ended: nothing is cut off, whatever timer is still set
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

void main(process.argv.slice(2));
