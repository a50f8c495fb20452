/** Starts the threads, keeps them in step, and ends them in order. Runs in the main thread. */
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { logError, logInfo } from "./metrics/log.ts";
import { type MetricSnapshot, metrics } from "./metrics/registry.ts";
import type { ServerOptions } from "./options/options.ts";
import type { FrontLimits } from "./server/front.ts";
import type { Acceptor } from "./server/front-uws-acceptor.ts";
import { ConfigError, type LoadedFiles } from "./settings.ts";
import type { CacheThread } from "./storage/cacher/start-cache-thread.ts";
import { threadEntry } from "./thread-entry.ts";
import type { FromFront, FrontThreadData, ToFront } from "./thread-messages.ts";

export interface SupervisorConfig {
  readonly options: ServerOptions;
  readonly files: LoadedFiles;
  readonly limits: FrontLimits;
  /** Undefined without the addon: then there is one front thread, which opens the store. */
  readonly cache: Promise<CacheThread | undefined>;
  readonly frontThreads: number;
  readonly startedAt: number;
  readonly loopbackToken: string;
  /** A thread has died: the process can not go on. */
  onDeath(error: Error): void;
}

interface FrontThread {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  readonly listening: Promise<number>;
}

export class Supervisor {
  readonly #config: SupervisorConfig;
  readonly #fronts: FrontThread[] = [];
  readonly #collections = new Map<number, (snapshots: MetricSnapshot[]) => void>();
  readonly #repairs = new Map<number, (error: string | undefined) => void>();
  readonly #loopback = new MessageChannel();
  #acceptor: Acceptor | undefined;
  #nextId = 1;
  #closing = false;

  constructor(config: SupervisorConfig) {
    this.#config = config;
  }

  /** Resolves to the port once every front serves. Rejects with ConfigError when it can not. */
  async start(): Promise<number> {
    const { options, files, frontThreads } = this.#config;
    const { "bind-address": host, "secure-port": port } = options.flags;
    const shared = frontThreads > 1;
    let listening = 0;
    if (shared) {
      // Loaded only here: one front thread listens for itself.
      const { UwsAcceptor } = await import("./server/front-uws-acceptor.ts");
      this.#acceptor = new UwsAcceptor();
      listening = await this.#acceptor.listen(host, port, files.tls).catch((error: Error) => {
        throw new ConfigError(`failed to create listener: ${error.message}`);
      });
    }
    for (let index = 0; index < frontThreads; index++) {
      this.#fronts.push(this.#spawn(index, shared));
    }
    const cache = await this.#config.cache;
    for (const { worker } of this.#fronts) {
      const storage = cache?.connect();
      const loopback = worker === this.#fronts[0]?.worker ? this.#loopback.port1 : undefined;
      const start: ToFront = { kind: "start", storage: storage?.ports, loopback };
      const transferred = loopback === undefined ? [] : [loopback];
      worker.postMessage(start, [...(storage?.transferList ?? []), ...transferred]);
    }
    const ports = await Promise.all(this.#fronts.map((front) => front.listening));
    return shared ? listening : (ports[0] ?? 0);
  }

  /** The way to the API for the controllers of this thread. */
  loopback(): MessagePort {
    return this.#loopback.port2;
  }
  /** Rejects when the store fails. */
  repairServices(): Promise<void> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#repairs.set(id, (error) =>
        error === undefined ? resolve() : reject(new Error(error)),
      );
      this.#fronts[0]?.worker.postMessage({ kind: "repair-services", id } satisfies ToFront);
    });
  }

  reload({ tls, clientCa, requestHeaderCa }: LoadedFiles): void {
    this.#tell({ kind: "reload", tls, authorities: { clientCa, requestHeaderCa } });
  }
  /** A post-start hook of the main thread has finished, or failed for good. */
  hookDone(name: string, error?: Error): void {
    this.#tell({ kind: "hook-done", name, error: error?.message });
  }
  /** /readyz fails from now on. */
  announceShutdown(): void {
    this.#tell({ kind: "shutting-down" });
  }
  /** Fronts first, then the store: what they still answer may need it. */
  async close(graceMs: number, watchGraceMs: number): Promise<void> {
    this.#closing = true;
    this.#tell({ kind: "close", graceMs, watchGraceMs });
    await Promise.all(this.#fronts.map((front) => front.ended));
    logInfo("Fronts have ended", {}, 2);
    await this.#acceptor?.close();
    const cache = await this.#config.cache.catch(() => undefined);
    await cache?.close();
  }

  #tell(message: ToFront): void {
    for (const { worker } of this.#fronts) worker.postMessage(message);
  }

  #spawn(index: number, sharedAcceptor: boolean): FrontThread {
    const { options, files, limits, startedAt, loopbackToken } = this.#config;
    const data: FrontThreadData = {
      index,
      options,
      files,
      limits,
      sharedAcceptor,
      startedAt,
      loopbackToken,
    };
    const worker = new Worker(threadEntry("front-thread"), {
      workerData: data,
      name: `front-${index}`,
    });
    const listening = new Promise<number>((resolve, reject) => {
      worker.on("message", (message: FromFront) => {
        if (message.kind === "listening") resolve(message.port);
        else if (message.kind === "failed") {
          reject(new ConfigError(message.message));
          void worker.terminate(); // what it had begun to follow would keep it
        } else this.#take(worker, message);
      });
      worker.once("error", (error) => {
        reject(error);
        this.#died(index, error instanceof Error ? error : new Error(String(error)));
      });
    });
    listening.catch(() => {}); // start() reports it
    const ended = new Promise<void>((resolve) => {
      worker.once("exit", (code) => {
        resolve();
        if (!this.#closing) this.#died(index, new Error(`it ended with code ${code}`));
      });
    });
    return { worker, ended, listening };
  }

  #died(index: number, error: Error): void {
    if (this.#closing) return;
    this.#closing = true;
    logError(`Front thread ${index} has died`, error);
    this.#config.onDeath(error);
  }

  #take(worker: Worker, message: FromFront): void {
    switch (message.kind) {
      case "acceptor":
        void this.#acceptorCall(worker, message);
        return;
      case "collected":
        this.#collections.get(message.id)?.(message.metrics);
        this.#collections.delete(message.id);
        return;
      case "repaired":
        this.#repairs.get(message.id)?.(message.error);
        this.#repairs.delete(message.id);
        return;
      case "scrape":
        void this.#scrape(worker, message.id);
        return;
      case "reset-metrics":
        metrics.reset();
        this.#tell({ kind: "reset-metrics" });
        return;
      default:
        logInfo("Unexpected message of a front thread", { kind: message.kind }, 4);
    }
  }

  async #acceptorCall(worker: Worker, { id, op, descriptor }: FromFront & { kind: "acceptor" }) {
    let error: string | undefined;
    try {
      if (op === "add") await this.#acceptor?.add(descriptor);
      else await this.#acceptor?.remove(descriptor);
    } catch (thrown) {
      error = String(thrown);
    }
    worker.postMessage({ kind: "acceptor-done", id, error } satisfies ToFront);
  }

  /** The metrics of every thread but the one that asks. */
  async #scrape(asking: Worker, id: number): Promise<void> {
    const others = this.#fronts.filter(({ worker }) => worker !== asking);
    const collected = others.map(
      ({ worker, ended }) =>
        new Promise<MetricSnapshot[]>((resolve) => {
          const collection = this.#nextId++;
          this.#collections.set(collection, resolve);
          worker.postMessage({ kind: "collect", id: collection } satisfies ToFront);
          void ended.then(() => resolve([]));
        }),
    );
    const cache = await this.#config.cache;
    if (cache !== undefined) collected.push(cache.collect());
    const threads = [metrics.snapshot(), ...(await Promise.all(collected))];
    asking.postMessage({ kind: "scraped", id, threads } satisfies ToFront);
  }
}
