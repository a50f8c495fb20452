/**
 * What the cache thread does: owns the store's only watch, feeds the native caches, compacts, and
 * serves the other threads: the embedded store's calls, new resources, requests for progress.
 */
import type { MessagePort } from "node:worker_threads";
import { Compactor } from "../compactor.ts";
import { cacheName, type KvBackend, type StorageConfig } from "../interfaces.ts";
import { KeySpace } from "../keys.ts";
import { nativeCodec } from "../native-codec.ts";
import { ObjectCodec } from "../object-codec.ts";
import { serveKv } from "../rpc/server.ts";
import type { TransformerFor } from "../value/transformer.ts";
import { type FromHost, sameConfig, type ToHost } from "./control.ts";
import { Feeder } from "./feeder.ts";
import { NativeFeed } from "./native-feed.ts";

/** At most one request for progress in this time, however many reads wait (upstream: 100). */
const PROGRESS_INTERVAL_MS = 10;

/** A store that is for some resources only. */
export interface OtherStore {
  readonly resources: readonly string[];
  readonly backend: KvBackend;
}

export interface CacheHostOptions {
  readonly backend: KvBackend;
  /** What no other store is for is in the first. */
  readonly others?: readonly OtherStore[];
  readonly etcdPrefix: string;
  readonly encryption: TransformerFor;
  readonly compactionIntervalMs: number;
  readonly log?: (message: string) => void;
}

interface Hosted {
  readonly config: StorageConfig;
  readonly feed: NativeFeed;
  ready: boolean;
  /** The threads that asked for it; of those from the start, which stay, nobody. */
  readonly holders: Set<MessagePort>;
}

/** A store with what this thread does to it. */
interface FedStore {
  readonly backend: KvBackend;
  readonly feeder: Feeder;
  readonly compactor: Compactor;
}

export class CacheHost {
  readonly #options: CacheHostOptions;
  readonly #main: FedStore;
  readonly #stores: readonly FedStore[];
  /** By resource, of those that are not in the first store. */
  readonly #others = new Map<string, FedStore>();
  readonly #resources = new Map<string, Hosted>();
  readonly #ports = new Set<MessagePort>();
  /** An open port would keep the thread alive after close(). */
  readonly #kvPorts = new Set<MessagePort>();
  #onFilled: (() => void)[] = [];
  #progressAt = 0;

  constructor(options: CacheHostOptions) {
    this.#options = options;
    this.#main = fed(options.backend, options);
    const stores = [this.#main];
    for (const { backend, resources } of options.others ?? []) {
      const store = fed(backend, options);
      stores.push(store);
      for (const resource of resources) this.#others.set(resource, store);
    }
    this.#stores = stores;
  }

  #storeOf({ resource }: StorageConfig): FedStore {
    return this.#others.get(resource) ?? this.#main;
  }

  /** Starts to cache a resource; one that is cached as this config wants stays as it is. */
  add(config: StorageConfig, holder?: MessagePort): void {
    const name = cacheName(config);
    const hosted = this.#resources.get(name);
    if (hosted !== undefined) {
      if (holder !== undefined) hosted.holders.add(holder);
      if (sameConfig(hosted.config, config)) return;
      this.#drop(hosted);
    }
    const keys = new KeySpace(this.#options.etcdPrefix, config);
    const transformer = this.#options.encryption(config.resource);
    const codec = new ObjectCodec(config, keys, nativeCodec, transformer);
    const feed = new NativeFeed(config, { onReady: (ready) => this.#onReady(config, ready) });
    const holders = new Set(holder === undefined ? [] : [holder]);
    this.#resources.set(name, { config, feed, ready: false, holders });
    this.#storeOf(config).feeder.add(config, feed, codec);
  }

  /** Drops a resource's cache once no other thread holds it; watches of it end. */
  remove(resource: string, holder?: MessagePort): void {
    const hosted = this.#resources.get(resource);
    if (hosted === undefined) return;
    if (holder !== undefined) hosted.holders.delete(holder);
    if (holder !== undefined && hosted.holders.size > 0) return;
    this.#drop(hosted);
    for (const port of this.#ports) say(port, { type: "removed", resource });
  }

  #drop(hosted: Hosted): void {
    this.#resources.delete(cacheName(hosted.config));
    this.#storeOf(hosted.config).feeder.remove(hosted.config);
    hosted.feed.drop();
  }

  /** Resolves when every resource added so far has been filled once. */
  async filled(): Promise<void> {
    while ([...this.#resources.values()].some((hosted) => !hosted.ready)) {
      await new Promise<void>((resolve) => this.#onFilled.push(resolve));
    }
  }

  /** Serves another thread. `kv` is for the store's calls, where the store lives in this thread. */
  connect(control: MessagePort, kv: MessagePort | undefined): void {
    this.#ports.add(control);
    control.on("message", (message: ToHost) => this.#handle(message, control));
    control.on("close", () => this.#ports.delete(control));
    if (kv === undefined) return;
    serveKv(kv, this.#options.backend);
    this.#kvPorts.add(kv);
    kv.on("close", () => this.#kvPorts.delete(kv));
  }

  async close(): Promise<void> {
    for (const port of [...this.#ports, ...this.#kvPorts]) port.close();
    await Promise.all(
      this.#stores.map(async ({ backend, feeder, compactor }) => {
        await compactor.close();
        await feeder.close();
        await backend.close();
      }),
    );
  }

  #handle(message: ToHost, from: MessagePort): void {
    if (message.type === "add") {
      this.add(message.config, from);
      const resource = cacheName(message.config);
      const ready = this.#resources.get(resource)?.ready === true;
      say(from, { type: "ready", resource, ready });
    } else if (message.type === "remove") this.remove(message.resource, from);
    else this.#requestProgress();
  }

  #requestProgress(): void {
    const now = Date.now();
    if (now - this.#progressAt < PROGRESS_INTERVAL_MS) return;
    this.#progressAt = now;
    for (const { backend } of this.#stores) backend.requestProgress();
  }

  #onReady(config: StorageConfig, ready: boolean): void {
    const resource = cacheName(config);
    const hosted = this.#resources.get(resource);
    if (hosted !== undefined) hosted.ready = ready;
    for (const port of this.#ports) say(port, { type: "ready", resource, ready });
    if (!ready) return;
    const waiting = this.#onFilled;
    this.#onFilled = [];
    for (const go of waiting) go();
  }
}

function fed(backend: KvBackend, options: CacheHostOptions): FedStore {
  const { etcdPrefix, compactionIntervalMs: intervalMs } = options;
  const log = options.log === undefined ? {} : { log: options.log };
  const compactor = new Compactor(backend, { intervalMs, ...log });
  compactor.start();
  return { backend, compactor, feeder: new Feeder({ backend, etcdPrefix, ...log }) };
}

function say(port: MessagePort, message: FromHost): void {
  port.postMessage(message);
}
