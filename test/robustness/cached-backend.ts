/**
 * The native cache dressed as a KvBackend, so that the same traffic and the same validators judge
 * it: reads are consistent reads from the cache, watches are cursors into its ring.
 */
import { StorageError } from "../../src/storage/errors.ts";
import {
  asRevision,
  asStorageKey,
  type CasRequest,
  type CasResult,
  type KvBackend,
  type KvEvent,
  type KvWatchMessage,
  type RangeRequest,
  type RangeResult,
  type Revision,
  type Storage,
  type StorageConfig,
  type WatchEvent,
} from "../../src/storage/interfaces.ts";
import { freshConfig } from "../conformance/objects.ts";
import { PREFIX } from "./traffic.ts";

let configs = 0;
/** A resource whose objects stand under the traffic's prefix; the addon knows them by name. */
export function robustConfig(): StorageConfig {
  const resource = `robust-${configs++}`;
  return freshConfig({ resource, prefix: "/robust/", namespaced: false });
}

const wrap = (key: string, value: Uint8Array): Uint8Array => {
  const metadata = { name: key.slice(PREFIX.length) };
  const spec = { value: Buffer.from(value).toString() };
  const object = { apiVersion: "example.com/v1", kind: "Widget", metadata, spec };
  return Buffer.from(JSON.stringify(object));
};
const unwrap = (json: Uint8Array): Uint8Array => {
  const object = JSON.parse(Buffer.from(json).toString()) as { spec: { value: string } };
  return Buffer.from(object.spec.value);
};

/** `backend` takes the writes; `storage` answers reads and watches. */
export function cachedBackend(backend: KvBackend, storage: Storage): KvBackend {
  return {
    currentRevision: (signal) => backend.currentRevision(signal),
    requestProgress: () => backend.requestProgress(),
    grantLease: (ttl) => backend.grantLease(ttl),
    revokeLease: (lease) => backend.revokeLease(lease),
    compact: (revision) => backend.compact(revision),
    health: (timeoutMs) => backend.health(timeoutMs),
    sizeBytes: () => backend.sizeBytes(),
    close: () => backend.close(),
    async cas(request: CasRequest): Promise<CasResult> {
      const { value } = request;
      return backend.cas(
        value === undefined ? request : { ...request, value: wrap(request.key, value) },
      );
    },
    async range(request: RangeRequest): Promise<RangeResult> {
      const name = request.start.slice(PREFIX.length);
      const stored = await storage.get(name, { kind: "MostRecent" });
      const kvs =
        stored === undefined
          ? []
          : [
              {
                key: asStorageKey(request.start),
                value: unwrap(stored.json),
                modRevision: stored.revision,
                createRevision: asRevision(0),
                version: 0,
                lease: 0n,
              },
            ];
      return { revision: asRevision(0), kvs, more: false, count: kvs.length };
    },
    watch: (_prefix, from, signal) => watchCache(storage, from, signal),
  };
}

async function* watchCache(
  storage: Storage,
  from: Revision,
  signal: AbortSignal,
): AsyncIterable<KvWatchMessage> {
  const cursor = await storage.watch({
    from: { kind: "After", revision: asRevision(from - 1) },
    bookmarks: false,
    encoding: "json",
  });
  try {
    let wake = (): void => {};
    cursor.onReadable(() => wake());
    signal.addEventListener("abort", () => wake());
    while (!signal.aborted) {
      const readable = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const read = cursor.read(1000);
      if (read.kind !== "events") {
        throw new StorageError({ code: "Compacted", oldest: 0 });
      }
      if (read.events.length > 0) yield { kind: "events", events: read.events.map(eventOf) };
      else await readable;
    }
  } finally {
    cursor.close();
  }
}

function eventOf(event: WatchEvent): KvEvent {
  const object = JSON.parse(Buffer.from(event.json).toString()) as { metadata: { name: string } };
  return {
    type: event.type === "DELETED" ? "DELETE" : "PUT",
    key: asStorageKey(PREFIX + object.metadata.name),
    revision: event.revision,
    value: event.type === "DELETED" ? Buffer.alloc(0) : unwrap(event.json),
    createRevision: asRevision(event.type === "ADDED" ? event.revision : 0),
    previous: undefined,
  };
}
