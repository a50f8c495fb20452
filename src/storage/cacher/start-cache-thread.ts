/** The main thread's handle on the cache thread. */
import { MessageChannel, type Transferable, Worker } from "node:worker_threads";
import type { MetricSnapshot } from "../../metrics/registry.ts";
import { StorageError } from "../errors.ts";
import {
  type CacheThreadConfig,
  type CacheThreadData,
  type FromCacheThread,
  RevisionWord,
  type StoragePorts,
  type ToCacheThread,
} from "./control.ts";

export interface StartOptions {
  /** The worker's file, where a bundle has moved it. */
  readonly workerUrl?: URL;
  readonly log?: (message: string) => void;
  /** The thread has ended though nobody closed it: the process can not go on. */
  readonly onDeath?: (error: Error) => void;
}

export interface CacheThread {
  /** Every resource of the config has been filled. Rejects when the thread ends before. */
  readonly filled: Promise<void>;
  /** Ends for one more thread; openStorage takes them there. */
  connect(): { readonly ports: StoragePorts; readonly transferList: Transferable[] };
  /** The thread's metrics. */
  collect(): Promise<MetricSnapshot[]>;
  /** Closes the store; ports of other threads close with it. */
  close(): Promise<void>;
}

/** Resolves when the store is open; rejects with its StorageError (locked, damaged). */
export async function startCacheThread(
  config: CacheThreadConfig,
  options: StartOptions = {},
): Promise<CacheThread> {
  const { resources: _, ...shared } = config;
  const word = config.backend.kind === "etcd" ? undefined : new RevisionWord();
  const data: CacheThreadData = { config, revision: word?.buffer };
  const url = options.workerUrl ?? new URL("./cache-thread.ts", import.meta.url);
  const worker = new Worker(url, { workerData: data, name: "cache" });
  const opened = deferred();
  const filled = deferred();
  const collections = new Collections();
  let closing = false;
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const fail = (error: Error): void => {
    opened.reject(error);
    filled.reject(error);
  };
  worker.on("message", (message: FromCacheThread) => {
    if (message.type === "log") options.log?.(message.message);
    else if (message.type === "opened") opened.resolve();
    else if (message.type === "filled") filled.resolve();
    else if (message.type === "collected") collections.settle(message.id, message.metrics);
    else {
      // Said before it ends, so its end is no surprise.
      closing = true;
      fail(new StorageError(message.failure));
    }
  });
  let uncaught: Error | undefined;
  worker.on("error", (error) => {
    uncaught = error;
  });
  worker.on("exit", (code) => {
    const error = uncaught ?? new Error(`the cache thread ended with code ${code}`);
    fail(error);
    if (!closing) options.onDeath?.(error);
  });
  await opened.promise;

  return {
    filled: filled.promise,
    connect() {
      const control = new MessageChannel();
      const kv = word === undefined ? undefined : new MessageChannel();
      const mine: ToCacheThread = { type: "connect", control: control.port1, kv: kv?.port1 };
      worker.postMessage(mine, kv === undefined ? [control.port1] : [control.port1, kv.port1]);
      const ports: StoragePorts = {
        control: control.port2,
        kv: kv?.port2,
        revision: word?.buffer,
        config: shared,
      };
      const transferList = kv === undefined ? [control.port2] : [control.port2, kv.port2];
      return { ports, transferList };
    },
    collect: () => Promise.race([collections.ask(worker), ended.then(() => [])]),
    async close() {
      closing = true;
      const message: ToCacheThread = { type: "close" };
      worker.postMessage(message);
      await ended;
    },
  };
}

/** Metrics that have been asked for. */
class Collections {
  readonly #waiting = new Map<number, (metrics: MetricSnapshot[]) => void>();
  #nextId = 1;

  ask(worker: Worker): Promise<MetricSnapshot[]> {
    return new Promise((resolve) => {
      const id = this.#nextId++;
      this.#waiting.set(id, resolve);
      const message: ToCacheThread = { type: "collect", id };
      worker.postMessage(message);
    });
  }
  settle(id: number, metrics: MetricSnapshot[]): void {
    this.#waiting.get(id)?.(metrics);
    this.#waiting.delete(id);
  }
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}
/** A rejection nobody has asked for yet is no unhandled one. */
function deferred(): Deferred {
  let resolve = (): void => {};
  let reject = (_error: unknown): void => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
