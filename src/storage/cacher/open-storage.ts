/** Storage in a serving thread: reads from the native cache, writes to the store. */

import { native } from "../../native/binding.ts";
import { StorageError } from "../errors.ts";
import { createEtcdBackend, knowsProgress } from "../etcd3/backend.ts";
import type { ClosableStorageFactory } from "../factory.ts";
import {
  asRevision,
  cacheName,
  type KvBackend,
  type Storage,
  type StorageConfig,
} from "../interfaces.ts";
import { KeySpace } from "../keys.ts";
import { LeaseManager } from "../lease-manager.ts";
import { meteredBackend } from "../metrics.ts";
import { modernized } from "../modernize.ts";
import { createNativeCodec } from "../native-codec.ts";
import { ObjectCodec } from "../object-codec.ts";
import { ReadIndex } from "../read-index.ts";
import { KvClient } from "../rpc/client.ts";
import { ResourceStorage, type ResourceStorageInit } from "../store.ts";
import { encryptionOf } from "../value/encryption.ts";
import { registerBookmarks } from "./bookmark.ts";
import {
  type FromHost,
  overridesOf,
  RevisionWord,
  type StoragePorts,
  sameConfig,
  type ToHost,
} from "./control.ts";
import { NativeView } from "./native-view.ts";

const nativeCodec = createNativeCodec(native, modernized);

export interface NativeStorageFactory extends ClosableStorageFactory {
  /** Has the cache thread forget a resource (its CustomResourceDefinition was deleted). */
  remove(config: StorageConfig): void;
}

/** Takes over the ports of CacheThread.connect(). A resource is cached from its first `for` on. */
export async function openStorage(
  ports: StoragePorts,
  log?: (message: string) => void,
): Promise<NativeStorageFactory> {
  const { config, control } = ports;
  const encryption = await encryptionOf(config.encryption, log);
  const main = storeOf(backendOf(ports), ports.revision);
  const others = overridesOf(config.backend).map(({ resources, etcd }) => ({
    resources: new Set(resources),
    store: storeOf(createEtcdBackend(etcd)),
  }));
  const made = new Map<string, { storage: Storage; view: NativeView }>();
  const say = (message: ToHost): void => control.postMessage(message);

  control.on("message", (message: FromHost) => {
    if (message.type === "ready") made.get(message.resource)?.view.setReady(message.ready);
    else made.delete(message.resource);
  });
  control.unref();

  const make = (resource: StorageConfig): Storage => {
    const keys = new KeySpace(config.etcdPrefix, resource);
    const transformer = encryption.transformerFor(resource.resource);
    const codec = new ObjectCodec(resource, keys, nativeCodec, transformer);
    const view = new NativeView(resource);
    registerBookmarks(resource, nativeCodec);
    const requestProgress = (): void => say({ type: "progress" });
    const other = others.find(({ resources }) => resources.has(resource.resource));
    const { backend, readIndex, leases } = other?.store ?? main;
    const metered = meteredBackend(backend, resource.resource);
    const init = { config: resource, keys, backend: metered, codec, view, readIndex, leases };
    const cacheKnowsProgress = (): boolean => knowsProgress(backend);
    const storage = new ResourceStorage({ ...init, requestProgress, cacheKnowsProgress });
    made.set(cacheName(resource), { storage, view });
    say({ type: "add", config: resource });
    return storage;
  };
  return {
    backend: main.backend,
    encryption,
    for(resource) {
      const known = made.get(cacheName(resource));
      if (known !== undefined && sameConfig(known.storage.config, resource)) return known.storage;
      return make(resource);
    },
    remove(resource) {
      const name = cacheName(resource);
      if (!made.delete(name)) return;
      say({ type: "remove", resource: name });
    },
    async close() {
      encryption.close();
      control.close();
      await Promise.all(
        [main, ...others.map(({ store }) => store)].map((one) => one.backend.close()),
      );
    },
  };
}

/** A store as one thread uses it. */
interface Store {
  readonly backend: KvBackend;
  readonly readIndex: ResourceStorageInit["readIndex"];
  readonly leases: LeaseManager;
}

/** `revision`: the embedded store's, in shared memory. */
function storeOf(backend: KvBackend, revision?: SharedArrayBuffer): Store {
  const leases = new LeaseManager(backend);
  if (revision === undefined) {
    return { backend, leases, readIndex: new ReadIndex(() => backend.currentRevision()) };
  }
  const word = new RevisionWord(revision);
  const atHand = () => asRevision(word.load());
  return { backend, leases, readIndex: { atHand, current: async () => atHand() } };
}

function backendOf({ config, kv }: StoragePorts): KvBackend {
  if (config.backend.kind === "etcd") return createEtcdBackend(config.backend.etcd);
  if (kv !== undefined) return new KvClient(kv);
  const message = "no port to the store's thread";
  throw new StorageError({ code: "Unreachable", message });
}
