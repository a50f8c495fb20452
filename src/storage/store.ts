/**
 * One resource's Storage over any backend: reads from the watch cache where it is allowed to
 * answer, writes as one guarded transaction each.
 * Upstream: storage/etcd3/store.go, storage/cacher/cacher.go and delegator.go.
 */

import type { ResourceView } from "./cacher/view.ts";
import { setResourceVersion } from "./codec.ts";
import { StorageError } from "./errors.ts";
import {
  asRevision,
  type CacheStats,
  type Encoding,
  type KeyValue,
  type KvBackend,
  type ListPage,
  type ListRequest,
  type ReadAt,
  type Revision,
  type Storage,
  type StorageConfig,
  type StorageKey,
  type Stored,
  type TryUpdate,
  type UpdateOptions,
  type WatchCursor,
  type WatchRequest,
} from "./interfaces.ts";
import type { KeySpace } from "./keys.ts";
import type { LeaseManager } from "./lease-manager.ts";
import type { DecodedObject, ObjectCodec } from "./object-codec.ts";
import { listFromStore } from "./store-list.ts";

/** Upstream's blockTimeout: how long a read waits for a revision the cache has not seen. */
const FRESH_WAIT_MS = 3000;
/** How long a read waits for a cache that is being filled, before it is told to come back. */
const READY_WAIT_MS = 3000;
/** Bytes of the longest resourceVersion with its name and comma. */
const VERSION_MEMBER_MAX = 40;
const MAX_ATTEMPTS = 256;

export interface ResourceStorageInit {
  readonly config: StorageConfig;
  readonly keys: KeySpace;
  readonly backend: KvBackend;
  readonly codec: ObjectCodec;
  readonly view: ResourceView;
  /** The store's revision, asked once for all reads that wait: see ReadIndex. */
  readonly readIndex: {
    current(): Promise<Revision>;
    /** The same at once, where the store's revision is at hand. */
    atHand?(): Revision;
  };
  readonly leases: LeaseManager;
  /** False where the cache can not know that it is up to date; absent: true. */
  readonly cacheKnowsProgress?: () => boolean;
  /** Asks that the cache hears of progress soon. Called repeatedly while a read waits for it. */
  readonly requestProgress: () => void;
}

/** What guaranteedUpdate and delete know of the present object. */
interface Current {
  readonly object: DecodedObject | Stored | undefined;
  /** False: from the cache, so a refusal or an unchanged object needs a second look. */
  readonly fresh: boolean;
}

export class ResourceStorage implements Storage {
  readonly config: StorageConfig;
  readonly #init: ResourceStorageInit;
  #wasReady = false;

  constructor(init: ResourceStorageInit) {
    this.config = init.config;
    this.#init = init;
  }

  // -- reads ----------------------------------------------------------------------------------

  async get(name: string, at: ReadAt): Promise<Stored | undefined> {
    const { view } = this.#init;
    if (at.kind === "Exact") return this.#getAt(name, at.revision);
    if (!view.ready) return this.#getFresh(name, at);
    if (!this.#isFresh(at) && !(await this.#waitFor(at))) return this.#getFresh(name, at);
    this.#wasReady = true;
    return view.get(name);
  }

  getInto(
    name: string,
    at: ReadAt,
    encoding: Encoding,
    target: Uint8Array,
  ): number | undefined | Promise<number | undefined> {
    const { view } = this.#init;
    if (view.getInto === undefined || at.kind === "Exact" || !view.ready) return undefined;
    if (this.#isFresh(at)) return encoded(view.getInto(name, encoding, target));
    return this.#waitFor(at).then((usable) =>
      usable ? encoded(view.getInto?.(name, encoding, target)) : undefined,
    );
  }

  async list(request: ListRequest): Promise<ListPage> {
    const { view } = this.#init;
    const at = request.at;
    if (at.kind === "Exact") {
      if (view.ready) {
        const page = view.listAt(at.revision, request);
        if (page !== undefined) return page;
      }
      return listFromStore(this.#init, request, at.revision);
    }
    // At the start a cache is worth waiting for; one that got lost may stay away for long.
    const ready = view.ready || (!this.#wasReady && (await view.waitReady(READY_WAIT_MS)));
    if (!ready || !(await this.#waitFor(at))) return this.#listFresh(request, at);
    this.#wasReady = true;
    // From the cache "any state" comes whole, whatever the limit; clients rely on it.
    const whole = at.kind === "Any" && this.config.watchCache && request.startKey === undefined;
    return view.list(whole ? { ...request, limit: 0 } : request);
  }

  async watch(request: WatchRequest): Promise<WatchCursor> {
    const { view } = this.#init;
    if (!(await view.waitReady(READY_WAIT_MS))) {
      throw new StorageError({ code: "NotReady", retryAfterSeconds: 1 });
    }
    const from = request.from;
    if (from.kind === "StateThenChanges" || from.kind === "InitialEvents") {
      await this.#waitFor(from.at);
    } else if (from.kind === "Now") {
      await this.#waitFor({ kind: "MostRecent" });
    }
    return view.watch(request);
  }

  count(): number {
    return this.#init.view.count();
  }
  knownEmpty(): boolean {
    const { view } = this.#init;
    return view.ready && this.config.watchCache && view.count() === 0;
  }
  cacheStats(): CacheStats | undefined {
    return this.#init.view.stats?.();
  }

  // -- writes ---------------------------------------------------------------------------------

  async create(
    name: string,
    json: Uint8Array,
    ttlSeconds?: number,
    signal?: AbortSignal,
  ): Promise<Stored> {
    const key = this.#init.keys.keyOf(name);
    const value = this.#init.codec.encode(json);
    const revision = await this.#put(key, value, asRevision(0), ttlSeconds, signal);
    if (typeof revision !== "number") throw new StorageError({ code: "KeyExists", key });
    return this.#written(name, revision, json);
  }

  async guaranteedUpdate(
    name: string,
    options: UpdateOptions,
    tryUpdate: TryUpdate,
  ): Promise<Stored> {
    const key = this.#init.keys.keyOf(name);
    const { signal } = options;
    let current = options.fresh === true ? undefined : this.#cached(name);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      current ??= await this.#fresh(key, signal);
      const object = current.object;
      if (object === undefined && options.ignoreNotFound !== true) {
        if (current.fresh) throw new StorageError({ code: "KeyNotFound", key });
        current = undefined;
        continue;
      }
      let result: Awaited<ReturnType<TryUpdate>>;
      try {
        result = await tryUpdate(object);
      } catch (error) {
        current = await this.#again(key, current, error, signal);
        continue;
      }
      if (result === "delete") {
        const outcome = await this.#deleteIf(key, object, signal);
        if ("deleted" in outcome) return outcome.deleted;
        current = outcome.current;
        continue;
      }
      if (object !== undefined && this.#unchanged(object, result.json)) {
        if (!current.fresh) {
          const seen = await this.#fresh(key, signal);
          const same = seen.object?.revision === object.revision;
          if (!same || isStale(seen.object)) {
            current = seen;
            continue;
          }
          return object;
        }
        if (!isStale(object)) return object;
      }
      const value = this.#init.codec.encode(result.json);
      const expected = object?.revision ?? asRevision(0);
      const outcome = await this.#put(key, value, expected, options.ttlSeconds, signal);
      if (typeof outcome === "number") return this.#written(name, outcome, result.json);
      current = await this.#currentOf(outcome.current);
    }
    throw new StorageError({ code: "Conflict", key });
  }

  async delete(
    name: string,
    check: (current: Stored) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<Stored> {
    const key = this.#init.keys.keyOf(name);
    let current: Current | undefined = this.#cached(name);
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      current ??= await this.#fresh(key, signal);
      if (current.object === undefined) {
        if (current.fresh) throw new StorageError({ code: "KeyNotFound", key });
        current = undefined;
        continue;
      }
      try {
        await check(current.object);
      } catch (error) {
        current = await this.#again(key, current, error, signal);
        continue;
      }
      const outcome = await this.#deleteIf(key, current.object, signal);
      if ("deleted" in outcome) return outcome.deleted;
      current = outcome.current;
    }
    throw new StorageError({ code: "Conflict", key });
  }

  async deleteUnread(name: string, signal?: AbortSignal): Promise<void> {
    const { keys, backend } = this.#init;
    const key = keys.keyOf(name);
    const { kvs } = await backend.range({ start: key, end: `${key}\0` }, signal);
    const expected = kvs[0]?.modRevision;
    if (expected === undefined) throw new StorageError({ code: "KeyNotFound", key });
    const result = await backend.cas({ key, expected }, signal);
    if (!result.ok) throw new StorageError({ code: "Conflict", key });
  }

  // -- the present state ------------------------------------------------------------------------

  #cached(name: string): Current | undefined {
    const object = this.#init.view.ready ? this.#init.view.get(name) : undefined;
    return object === undefined ? undefined : { object, fresh: false };
  }

  async #fresh(key: StorageKey, signal?: AbortSignal): Promise<Current> {
    const range = await this.#init.backend.range({ start: key, end: `${key}\0` }, signal);
    return this.#currentOf(range.kvs[0]);
  }

  async #currentOf(kv: KeyValue | undefined): Promise<Current> {
    if (kv === undefined) return { object: undefined, fresh: true };
    const { key, value, modRevision: revision } = kv;
    return { object: await this.#init.codec.decode({ key, value, revision }), fresh: true };
  }

  /** A refusal on cached data counts only if the object has not changed since; else try again. */
  async #again(
    key: StorageKey,
    current: Current,
    error: unknown,
    signal: AbortSignal | undefined,
  ): Promise<Current> {
    if (current.fresh) throw error;
    const seen = await this.#fresh(key, signal);
    if (seen.object?.revision === current.object?.revision) throw error;
    return seen;
  }

  #unchanged(object: Stored, json: Uint8Array): boolean {
    // Of quite another length it can not be the same; `json` may have a version and a comma.
    const added =
      object.json.length - json.length - `"resourceVersion":"${object.revision}"`.length;
    if (added > 1 || added < -VERSION_MEMBER_MAX) return false;
    const next = setResourceVersion(json, object.revision, this.config);
    return Buffer.compare(next, object.json) === 0;
  }

  async #deleteIf(
    key: StorageKey,
    object: Stored | undefined,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly deleted: Stored } | { readonly current: Current }> {
    if (object === undefined) throw new StorageError({ code: "KeyNotFound", key });
    const result = await this.#init.backend.cas({ key, expected: object.revision }, signal);
    if (!result.ok) return { current: await this.#currentOf(result.current) };
    return { deleted: this.#written(object.name, result.revision, object.json) };
  }

  /** The revision of the write, or what stands in its way. */
  async #put(
    key: StorageKey,
    plain: Uint8Array,
    expected: Revision,
    ttlSeconds: number | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Revision | { readonly current: KeyValue | undefined }> {
    const ttl = ttlSeconds ?? 0;
    const lease = ttl > 0 ? { lease: await this.#init.leases.get(ttl) } : {};
    const value = await this.#init.codec.encrypt(plain, key);
    const result = await this.#init.backend.cas({ key, expected, value, ...lease }, signal);
    return result.ok ? result.revision : { current: result.current };
  }

  #written(name: string, revision: Revision, json: Uint8Array): Stored {
    const { custom, apiVersion } = this.config;
    if (custom !== undefined && custom.storedAs !== apiVersion) {
      // What the version that is stored does not have is gone.
      const { codec } = this.#init;
      return { name, revision, json: codec.served(name, codec.encode(json), revision) };
    }
    return { name, revision, json: setResourceVersion(json, revision, this.config) };
  }

  // -- waiting ----------------------------------------------------------------------------------

  /** Whether the cache may answer at once. */
  #isFresh(at: ReadAt): boolean {
    const { view, readIndex } = this.#init;
    if (at.kind === "NotOlderThan") return view.revision >= at.revision;
    if (at.kind === "Any" && this.config.watchCache) return true;
    const current = readIndex.atHand?.();
    return current !== undefined && view.revision >= current;
  }

  /** Waits until the cache may answer a read at `at`; false when it went out of service. */
  async #waitFor(at: ReadAt): Promise<boolean> {
    const { view, readIndex } = this.#init;
    let revision: Revision;
    if (at.kind === "NotOlderThan") revision = at.revision;
    else if (at.kind === "MostRecent" || !this.config.watchCache) {
      if (this.#init.cacheKnowsProgress?.() === false) return false;
      revision = await readIndex.current();
    } else return true;
    if (view.ready && view.revision >= revision) return true;
    return this.#untilSeen(revision);
  }

  /** Others' events bring most caches forward; the rest have to ask, ever less often. */
  async #untilSeen(revision: Revision): Promise<boolean> {
    const { view, requestProgress } = this.#init;
    const deadline = Date.now() + FRESH_WAIT_MS;
    for (let step = 5; ; step = Math.min(step * 2, 100)) {
      const left = deadline - Date.now();
      if (left <= 0) break;
      if (await view.waitFor(revision, Math.min(step, left))) return true;
      if (!view.ready) return false;
      requestProgress();
    }
    throw new StorageError({ code: "FutureRevision", asked: revision, current: view.revision });
  }

  async #getFresh(name: string, at: ReadAt): Promise<Stored | undefined> {
    const key = this.#init.keys.keyOf(name);
    const range = await this.#init.backend.range({ start: key, end: `${key}\0` });
    assertNotOlder(range.revision, at);
    return (await this.#currentOf(range.kvs[0])).object;
  }

  async #listFresh(request: ListRequest, at: ReadAt): Promise<ListPage> {
    const page = await listFromStore(this.#init, request, undefined);
    assertNotOlder(page.revision, at);
    return page;
  }

  async #getAt(name: string, revision: Revision): Promise<Stored | undefined> {
    const key = this.#init.keys.keyOf(name);
    const range = await this.#init.backend.range({ start: key, end: `${key}\0`, revision });
    return (await this.#currentOf(range.kvs[0])).object;
  }
}

/** -100 and below ask for a bigger buffer; other negative results are for get() to explain. */
function encoded(result: number | undefined): number | undefined {
  return result === undefined || (result < 0 && result > -100) ? undefined : result;
}

function assertNotOlder(revision: Revision, at: ReadAt): void {
  if (at.kind !== "NotOlderThan" || revision >= at.revision) return;
  throw new StorageError({ code: "FutureRevision", asked: at.revision, current: revision });
}

function isStale(object: DecodedObject | Stored | undefined): boolean {
  return object !== undefined && "stale" in object && object.stale;
}
