/** Storage for a process of one thread: any backend, with caches in plain JavaScript. */
import { registerBookmarks } from "./cacher/bookmark.ts";
import { Feeder } from "./cacher/feeder.ts";
import { JsCache } from "./cacher/js-cache.ts";
import { jsonCodec, type StoredCodec } from "./codec.ts";
import { knowsProgress } from "./etcd3/backend.ts";
import type { KvBackend, Storage, StorageConfig, StorageFactory } from "./interfaces.ts";
import { KeySpace } from "./keys.ts";
import { LeaseManager } from "./lease-manager.ts";
import { meteredBackend } from "./metrics.ts";
import { ObjectCodec } from "./object-codec.ts";
import { ReadIndex } from "./read-index.ts";
import { ResourceStorage } from "./store.ts";
import type { Encryption } from "./value/encryption.ts";
import { noEncryption, type TransformerFor } from "./value/transformer.ts";

export interface StorageFactoryOptions {
  /** `--etcd-prefix`; default `/registry`. */
  readonly etcdPrefix?: string;
  /** Default: JSON as it is. */
  readonly codec?: StoredCodec;
  readonly encryption?: TransformerFor;
  readonly log?: (message: string) => void;
}

/** A StorageFactory that can be closed; closing leaves the backend open. */
export interface ClosableStorageFactory extends StorageFactory {
  /** The health of its KMS plugins. */
  readonly encryption?: Pick<Encryption, "hasPlugins" | "problems">;
  close(): Promise<void>;
}

/** A resource is watched and cached from its first `for` on. */
export function createStorageFactory(
  backend: KvBackend,
  options: StorageFactoryOptions = {},
): ClosableStorageFactory {
  const etcdPrefix = options.etcdPrefix ?? "/registry";
  const codec = options.codec ?? jsonCodec;
  const encryption = options.encryption ?? noEncryption;
  const log = options.log === undefined ? {} : { log: options.log };
  const feeder = new Feeder({ backend, etcdPrefix, ...log });
  const readIndex = new ReadIndex(() => backend.currentRevision());
  const leases = new LeaseManager(backend);
  const made = new Map<StorageConfig, Storage>();

  const make = (config: StorageConfig): Storage => {
    const keys = new KeySpace(etcdPrefix, config);
    const objects = new ObjectCodec(config, keys, codec, encryption(config.resource));
    const view = new JsCache(config, objects);
    registerBookmarks(config, codec);
    feeder.add(config, view, objects);
    const requestProgress = (): void => backend.requestProgress();
    const metered = meteredBackend(backend, config.resource);
    const init = { config, keys, backend: metered, codec: objects, view, readIndex, leases };
    const cacheKnowsProgress = (): boolean => knowsProgress(backend);
    return new ResourceStorage({ ...init, requestProgress, cacheKnowsProgress });
  };
  return {
    backend,
    for(config) {
      const known = made.get(config);
      if (known !== undefined) return known;
      const storage = make(config);
      made.set(config, storage);
      return storage;
    },
    remove(config) {
      if (made.delete(config)) feeder.remove(config);
    },
    close: () => feeder.close(),
  };
}
