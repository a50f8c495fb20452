/** What the cache thread, the main thread and the serving threads say to each other. */
import type { MessagePort } from "node:worker_threads";
import type { MetricSnapshot } from "../../metrics/registry.ts";
import type { StorageFailure } from "../errors.ts";
import type { EtcdBackendOptions } from "../etcd3/backend.ts";
import { cacheName, type StorageConfig } from "../interfaces.ts";

/** Which store: in the cache thread itself, or an etcd that every thread calls on its own. */
export type BackendConfig =
  | { readonly kind: "embedded"; readonly directory: string; readonly quotaBytes?: number }
  | {
      readonly kind: "etcd";
      readonly etcd: EtcdBackendOptions;
      /** `--etcd-servers-overrides`: stores of single resources. */
      readonly overrides?: readonly EtcdOverride[];
    }
  /** In memory, gone with the process: for tests. */
  | { readonly kind: "model" };

export interface CacheThreadConfig {
  readonly backend: BackendConfig;
  /** `--etcd-prefix`: `/registry`. */
  readonly etcdPrefix: string;
  /** `--etcd-compaction-interval`, in ms; 0: off. */
  readonly compactionIntervalMs: number;
  /** `--encryption-provider-config` and its automatic reload. */
  readonly encryption?: { readonly file: string; readonly reload: boolean };
  /** Cached from the start; more may be added at any time. */
  readonly resources: readonly StorageConfig[];
}

export interface EtcdOverride {
  /** As StorageConfig names them. */
  readonly resources: readonly string[];
  readonly etcd: EtcdBackendOptions;
}

/** The stores besides the first, and what they are for. */
export function overridesOf(config: BackendConfig): readonly EtcdOverride[] {
  return config.kind === "etcd" ? (config.overrides ?? []) : [];
}

/** Everything a thread needs to open storage; `transferList` goes to postMessage with it. */
export interface StoragePorts {
  readonly control: MessagePort;
  /** The store's calls; absent with etcd. */
  readonly kv: MessagePort | undefined;
  /** The embedded store's revision: see RevisionWord. Absent with etcd. */
  readonly revision: SharedArrayBuffer | undefined;
  readonly config: Omit<CacheThreadConfig, "resources">;
}

/** From a serving thread to the cache thread. */
export type ToHost =
  | { readonly type: "add"; readonly config: StorageConfig }
  | { readonly type: "remove"; readonly resource: string }
  | { readonly type: "progress" };
/** From the cache thread to a serving thread. */
export type FromHost =
  | { readonly type: "ready"; readonly resource: string; readonly ready: boolean }
  | { readonly type: "removed"; readonly resource: string };

/** Whether two configs store and cache the same thing the same way. */
export function sameConfig(a: StorageConfig, b: StorageConfig): boolean {
  return (
    cacheName(a) === cacheName(b) &&
    a.prefix === b.prefix &&
    a.namespaced === b.namespaced &&
    a.goName === b.goName &&
    a.apiVersion === b.apiVersion &&
    a.kind === b.kind &&
    a.mediaType === b.mediaType &&
    a.watchCache === b.watchCache &&
    a.fieldPaths.join() === b.fieldPaths.join()
  );
}

/** From the main thread to the cache thread. */
export type ToCacheThread =
  | {
      readonly type: "connect";
      readonly control: MessagePort;
      readonly kv: MessagePort | undefined;
    }
  /** Give me your metrics. */
  | { readonly type: "collect"; readonly id: number }
  | { readonly type: "close" };
/** From the cache thread to the main thread. */
export type FromCacheThread =
  | { readonly type: "opened" }
  | { readonly type: "filled" }
  | { readonly type: "failed"; readonly failure: StorageFailure }
  | { readonly type: "collected"; readonly id: number; readonly metrics: MetricSnapshot[] }
  | { readonly type: "log"; readonly message: string };

export interface CacheThreadData {
  readonly config: CacheThreadConfig;
  readonly revision: SharedArrayBuffer | undefined;
}

/**
 * The embedded store's published revision in shared memory. One writer: the thread of the store,
 * before it answers the write. Any thread reads; what it reads is not older than any answered write.
 */
export class RevisionWord {
  readonly buffer: SharedArrayBuffer;
  readonly #word: BigInt64Array;
  constructor(buffer = new SharedArrayBuffer(8)) {
    this.buffer = buffer;
    this.#word = new BigInt64Array(buffer);
  }
  store(revision: number): void {
    Atomics.store(this.#word, 0, BigInt(revision));
  }
  load(): number {
    return Number(Atomics.load(this.#word, 0));
  }
}
