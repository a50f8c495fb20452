/** The cache thread's entry: opens the store, feeds the caches, serves until told to close. */
import { isMainThread, type MessagePort, parentPort, workerData } from "node:worker_threads";
import { metrics } from "../../metrics/registry.ts";
import { releaseWhenThreadIdles } from "../../workers/idle-memory.ts";
import { failureOf } from "../rpc/wire.ts";
import { encryptionOf } from "../value/encryption.ts";
import { CacheHost } from "./cache-host.ts";
import {
  type CacheThreadData,
  type FromCacheThread,
  RevisionWord,
  type ToCacheThread,
} from "./control.ts";
import { openBackend, openOthers } from "./open-backend.ts";

async function run(parent: MessagePort, data: CacheThreadData): Promise<void> {
  const say = (message: FromCacheThread): void => parent.postMessage(message);
  const log = (message: string): void => say({ type: "log", message });
  const { config } = data;
  // Ports may be sent before the store is open.
  const early: ToCacheThread[] = [];
  let take = (message: ToCacheThread): unknown => early.push(message);
  parent.on("message", (message: ToCacheThread) => take(message));
  try {
    const word = data.revision && new RevisionWord(data.revision);
    const encryption = await encryptionOf(config.encryption, log);
    const backend = await openBackend(config.backend, (revision) => word?.store(revision));
    const { etcdPrefix, compactionIntervalMs } = config;
    const transformerFor = encryption.transformerFor;
    const others = openOthers(config.backend);
    const options = {
      backend,
      others,
      etcdPrefix,
      encryption: transformerFor,
      compactionIntervalMs,
      log,
    };
    const host = new CacheHost(options);
    take = (message) => {
      if (message.type === "connect") host.connect(message.control, message.kv);
      else if (message.type === "collect") {
        say({ type: "collected", id: message.id, metrics: metrics.snapshot() });
      } else {
        void host.close().then(() => {
          encryption.close();
          parent.close();
        });
      }
    };
    for (const message of early) take(message);
    for (const resource of config.resources) host.add(resource);
    say({ type: "opened" });
    releaseWhenThreadIdles();
    await host.filled();
    say({ type: "filled" });
  } catch (error) {
    say({ type: "failed", failure: failureOf(error) });
    parent.close();
  }
}

if (!isMainThread && parentPort !== null) void run(parentPort, workerData as CacheThreadData);
