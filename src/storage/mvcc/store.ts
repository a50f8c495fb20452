/**
 * A store of keys with revisions, in one thread, over any RecordLog: every write its own revision,
 * nothing visible before it is durable, group commit, history, watches, leases, compaction.
 * The model and the embedded store are this class over two logs.
 */
import { StorageError } from "../errors.ts";
import {
  asRevision,
  asStorageKey,
  type CasRequest,
  type CasResult,
  type KeyValue,
  type KvBackend,
  type KvEvent,
  type KvWatchMessage,
  type RangeRequest,
  type RangeResult,
  type Revision,
} from "../interfaces.ts";
import { KeyIndex } from "./key-index.ts";
import { LeaseTable } from "./leases.ts";
import type { LogRecord, LogState, RecordLog, RecordMeta } from "./log.ts";

/** etcd's --max-request-bytes; a larger write gets etcd's own words. */
export const MAX_REQUEST_BYTES = 1.5 * 1024 * 1024;
const MAX_BATCH_WRITES = 1024;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** One watch message: bounded so that a long catch-up neither blocks the thread nor fills memory. */
const MAX_MESSAGE_EVENTS = 1000;
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;
const LEASE_TICK_MS = 500;
const MAX_QUEUED_WRITES = 65_536;

interface PendingWrite {
  readonly request: CasRequest;
  readonly resolve: (result: CasResult) => void;
  readonly reject: (error: unknown) => void;
}

export interface MvccOptions {
  /** Writes other than deletions are refused above this size. Default: no bound. */
  readonly quotaBytes?: number;
  /**
   * History that is kept for old revisions and late watches, in bytes of values: beyond it the
   * older half is compacted, however young. Default: no bound but the owner's compaction.
   */
  readonly historyBytes?: number;
  /** Told of every new revision before the writes up to it are answered, and of the first. */
  readonly onPublish?: (revision: number) => void;
}

const EMPTY = new Uint8Array(0);

export class MvccStore implements KvBackend {
  readonly #log: RecordLog;
  readonly #quotaBytes: number;
  readonly #onPublish: (revision: number) => void;
  readonly #maxHistoryBytes: number;
  readonly #index = new KeyIndex();
  readonly #leases = new LeaseTable();
  readonly #waiters = new Set<() => void>();
  /** The newest writes with their values, so that live watches read no disk. */
  #recent: LogRecord[] = [];
  #recentBytes = 0;
  #queue: PendingWrite[] = [];
  #committing = false;
  #published: number;
  #compacted: number;
  #nextLease: bigint;
  #progressAsked = 0;
  #closed = false;
  #trimming = false;
  #leaseTimer: NodeJS.Timeout | undefined;

  constructor(log: RecordLog, state: LogState, options: MvccOptions = {}) {
    this.#log = log;
    this.#quotaBytes = options.quotaBytes ?? Number.POSITIVE_INFINITY;
    this.#onPublish = options.onPublish ?? (() => {});
    this.#maxHistoryBytes = options.historyBytes ?? Number.POSITIVE_INFINITY;
    this.#published = state.revision;
    this.#onPublish(state.revision);
    this.#compacted = state.compacted;
    this.#nextLease = BigInt(Date.now()) * 1000n;
    for (const lease of state.leases) this.#leases.add(lease);
    for (const meta of state.records) {
      this.#moveLease(meta, this.#index.newest(meta.key));
      this.#index.add(meta);
    }
    if (this.#leases.size > 0) this.#startLeaseTimer();
  }

  async range(request: RangeRequest): Promise<RangeResult> {
    this.#assertOpen();
    const at = request.revision;
    if (at !== undefined && at !== 0) {
      if (at < this.#compacted) throw compacted(this.#compacted);
      if (at > this.#published) {
        throw new StorageError({ code: "FutureRevision", asked: at, current: this.#published });
      }
    }
    const revision = at === undefined || at === 0 || at === this.#published ? undefined : at;
    const limit = request.limit === undefined || request.limit === 0 ? Infinity : request.limit;
    const kvs: KeyValue[] = [];
    let count = 0;
    for (const meta of this.#index.range(request.start, request.end, revision)) {
      count++;
      if (request.countOnly || kvs.length >= limit) continue;
      kvs.push(this.#keyValue(meta, request.keysOnly === true));
    }
    const more = !request.countOnly && kvs.length < count;
    return { revision: asRevision(this.#published), kvs, more, count };
  }

  cas(request: CasRequest): Promise<CasResult> {
    return new Promise((resolve, reject) => {
      this.#assertOpen();
      const size = request.key.length + (request.value?.length ?? 0);
      if (size > MAX_REQUEST_BYTES) {
        throw new StorageError({
          code: "TooLarge",
          message: "etcdserver: request is too large",
        });
      }
      if (this.#queue.length >= MAX_QUEUED_WRITES) {
        throw new StorageError({ code: "Refused", message: "etcdserver: too many requests" });
      }
      this.#queue.push({ request, resolve, reject });
      this.#scheduleCommit();
    });
  }

  async currentRevision(): Promise<Revision> {
    this.#assertOpen();
    return asRevision(this.#published);
  }

  async *watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<KvWatchMessage> {
    let next: number = from;
    let progressSeen = this.#progressAsked;
    for (;;) {
      if (signal.aborted) return;
      this.#assertOpen();
      if (next <= this.#compacted) throw compacted(this.#compacted);
      if (next <= this.#published) {
        const scanned = this.#collect(prefix, next);
        next = scanned.next;
        progressSeen = this.#progressAsked;
        if (scanned.events.length > 0) yield { kind: "events", events: scanned.events };
        else yield { kind: "progress", revision: asRevision(next - 1) };
      } else if (progressSeen !== this.#progressAsked) {
        progressSeen = this.#progressAsked;
        // A watch that starts ahead of the store has seen nothing beyond the store's revision.
        yield { kind: "progress", revision: asRevision(Math.min(next - 1, this.#published)) };
      } else {
        await this.#wakeUp(signal);
      }
    }
  }

  requestProgress(): void {
    this.#progressAsked++;
    this.#notify();
  }

  async grantLease(ttlSeconds: number): Promise<bigint> {
    this.#assertOpen();
    const id = ++this.#nextLease;
    const lease = { id, ttlSeconds, deadline: Date.now() + ttlSeconds * 1000 };
    await this.#log.putLease(lease);
    this.#leases.add(lease);
    this.#startLeaseTimer();
    return id;
  }

  /** Deletes the lease's keys, then the lease. */
  async revokeLease(lease: bigint): Promise<void> {
    await Promise.all(this.#leases.keysOf(lease).map((key) => this.#deleteLeased(key, lease)));
    this.#leases.remove(lease);
    await this.#log.removeLease(lease);
  }

  async compact(revision: Revision): Promise<void> {
    this.#assertOpen();
    if (revision > this.#published) {
      throw new StorageError({
        code: "FutureRevision",
        asked: revision,
        current: this.#published,
      });
    }
    if (revision <= this.#compacted) throw compacted(this.#compacted);
    this.#compacted = revision;
    const dropped = this.#index.compact(revision).map((meta) => meta.revision);
    this.#notify();
    await this.#log.remove(dropped, revision);
  }

  async health(): Promise<void> {
    this.#assertOpen();
    this.#log.check();
  }

  async sizeBytes(): Promise<number> {
    return this.#log.sizeBytes();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    while (this.#committing) await this.#wakeUp();
    this.#closed = true;
    clearInterval(this.#leaseTimer);
    this.#notify();
    await this.#log.close();
  }

  // -- writes ---------------------------------------------------------------------------------

  #scheduleCommit(): void {
    if (this.#committing) return;
    this.#committing = true;
    queueMicrotask(() => void this.#commitLoop());
  }

  async #commitLoop(): Promise<void> {
    while (this.#queue.length > 0) await this.#commitBatch(this.#takeBatch());
    this.#committing = false;
    if (this.#waiters.size > 0) this.#notify();
  }

  #takeBatch(): PendingWrite[] {
    let bytes = 0;
    let end = 0;
    while (end < this.#queue.length && end < MAX_BATCH_WRITES && bytes < MAX_BATCH_BYTES) {
      bytes += this.#queue[end]?.request.value?.length ?? 0;
      end++;
    }
    const batch = this.#queue.slice(0, end);
    this.#queue = this.#queue.slice(end);
    return batch;
  }

  /** Decides every write of the batch in order, makes the winners durable, then shows them. */
  async #commitBatch(batch: readonly PendingWrite[]): Promise<void> {
    const records: LogRecord[] = [];
    const overlay = new Map<string, LogRecord>();
    const answers: (() => void)[] = [];
    let revision = this.#published;
    for (const write of batch) {
      try {
        const decided = this.#decide(write.request, overlay, revision);
        if (decided.record !== undefined) {
          revision = decided.record.meta.revision;
          overlay.set(write.request.key, decided.record);
          records.push(decided.record);
        }
        answers.push(() => write.resolve(decided.result));
      } catch (error) {
        answers.push(() => write.reject(error));
      }
    }
    try {
      if (records.length > 0) await this.#log.append(records);
    } catch (error) {
      for (const write of batch) write.reject(error);
      return;
    }
    this.#publish(records, revision);
    for (const answer of answers) answer();
  }

  #decide(
    request: CasRequest,
    overlay: ReadonlyMap<string, LogRecord>,
    revision: number,
  ): { readonly record?: LogRecord; readonly result: CasResult } {
    const pending = overlay.get(request.key);
    const newest = pending?.meta ?? this.#index.newest(request.key);
    const live = newest === undefined || newest.deleted ? undefined : newest;
    if ((live?.revision ?? 0) !== request.expected) {
      const current = live && this.#keyValue(live, false, pending?.value);
      return { result: { ok: false, revision: asRevision(revision), current } };
    }
    const deletes = request.value === undefined;
    if (deletes && live === undefined) {
      return { result: { ok: false, revision: asRevision(revision), current: undefined } };
    }
    if (!deletes && this.#log.sizeBytes() > this.#quotaBytes) throw quotaExceeded();
    const lease = deletes ? 0n : (request.lease ?? 0n);
    if (lease !== 0n && !this.#leases.has(lease)) {
      const message = "etcdserver: requested lease not found";
      throw new StorageError({ code: "Refused", message });
    }
    const value = request.value ?? EMPTY;
    const meta: RecordMeta = {
      revision: revision + 1,
      key: request.key,
      deleted: deletes,
      create: live?.create ?? revision + 1,
      version: deletes ? 0 : (live?.version ?? 0) + 1,
      lease,
      previous: live?.revision ?? 0,
      size: value.length,
    };
    return { record: { meta, value }, result: { ok: true, revision: asRevision(revision + 1) } };
  }

  #publish(records: readonly LogRecord[], revision: number): void {
    if (records.length === 0) return;
    for (const record of records) {
      this.#moveLease(record.meta, this.#index.newest(record.meta.key));
      this.#index.add(record.meta);
      this.#recent.push(record);
      this.#recentBytes += record.value.length + 200;
    }
    if (this.#recentBytes > 2 * MAX_MESSAGE_BYTES) this.#trimRecent();
    this.#published = revision;
    this.#onPublish(revision);
    this.#notify();
    if (this.#index.historyBytes > this.#maxHistoryBytes && !this.#trimming)
      void this.#trimHistory();
  }

  /** Drops the older half of the history. A failure is tried again with a later write. */
  async #trimHistory(): Promise<void> {
    this.#trimming = true;
    const middle = Math.ceil((this.#compacted + this.#published) / 2);
    await this.compact(asRevision(middle)).catch(() => {});
    this.#trimming = false;
  }

  #trimRecent(): void {
    let drop = 0;
    while (this.#recentBytes > MAX_MESSAGE_BYTES && drop < this.#recent.length) {
      this.#recentBytes -= (this.#recent[drop]?.value.length ?? 0) + 200;
      drop++;
    }
    this.#recent = this.#recent.slice(drop);
  }

  #moveLease(meta: RecordMeta, before: RecordMeta | undefined): void {
    if (before !== undefined && before.lease !== 0n) this.#leases.detach(before.lease, meta.key);
    if (meta.lease !== 0n) this.#leases.attach(meta.lease, meta.key);
  }

  // -- watches --------------------------------------------------------------------------------

  /** Events of the next stretch of history, all of it scanned even where nothing matches. */
  #collect(prefix: string, from: number): { events: KvEvent[]; next: number } {
    const events: KvEvent[] = [];
    const recentFrom = this.#recent[0]?.meta.revision ?? Infinity;
    let bytes = 0;
    let scanned = 0;
    let revision = from;
    for (; revision <= this.#published; revision++) {
      if (++scanned > MAX_MESSAGE_EVENTS || bytes > MAX_MESSAGE_BYTES) break;
      const recent = revision < recentFrom ? undefined : this.#recent[revision - recentFrom];
      const meta = recent?.meta ?? this.#log.meta(revision);
      if (meta === undefined || !meta.key.startsWith(prefix)) continue;
      const value = recent?.value ?? (meta.deleted ? EMPTY : this.#log.value(revision));
      if (value === undefined) throw corrupt(meta.key, revision);
      bytes += value.length;
      events.push(new LoggedEvent(this.#log, meta, value));
    }
    return { events, next: revision };
  }

  #wakeUp(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal?.addEventListener("abort", wake);
    });
  }

  #notify(): void {
    for (const wake of [...this.#waiters]) wake();
  }

  // -- leases ---------------------------------------------------------------------------------

  #startLeaseTimer(): void {
    if (this.#leaseTimer !== undefined) return;
    this.#leaseTimer = setInterval(() => {
      for (const id of this.#leases.expired(Date.now())) {
        this.revokeLease(id).catch(() => {}); // tried again at the next tick
      }
    }, LEASE_TICK_MS);
    this.#leaseTimer.unref();
  }

  async #deleteLeased(key: string, lease: bigint): Promise<void> {
    for (;;) {
      const newest = this.#index.newest(key);
      if (newest === undefined || newest.deleted || newest.lease !== lease) return;
      const expected = asRevision(newest.revision);
      const result = await this.cas({ key: asStorageKey(key), expected });
      if (result.ok) return;
    }
  }

  #keyValue(meta: RecordMeta, keysOnly: boolean, known?: Uint8Array): KeyValue {
    const value = keysOnly ? EMPTY : (known ?? this.#recentValue(meta.revision));
    if (value === undefined) throw corrupt(meta.key, meta.revision);
    return {
      key: asStorageKey(meta.key),
      value,
      modRevision: asRevision(meta.revision),
      createRevision: asRevision(meta.create),
      version: meta.version,
      lease: meta.lease,
    };
  }

  #recentValue(revision: number): Uint8Array | undefined {
    const from = this.#recent[0]?.meta.revision ?? Infinity;
    return this.#recent[revision - from]?.value ?? this.#log.value(revision);
  }

  #assertOpen(): void {
    if (!this.#closed) return;
    throw new StorageError({ code: "Unreachable", message: "the store is closed" });
  }
}

/** Reads the value before it only when somebody asks: the watch cache never does. */
class LoggedEvent implements KvEvent {
  readonly type: "PUT" | "DELETE";
  readonly key;
  readonly revision;
  readonly value: Uint8Array;
  readonly createRevision;
  readonly #log: RecordLog;
  readonly #previous: number;

  constructor(log: RecordLog, meta: RecordMeta, value: Uint8Array) {
    this.type = meta.deleted ? "DELETE" : "PUT";
    this.key = asStorageKey(meta.key);
    this.revision = asRevision(meta.revision);
    this.value = value;
    this.createRevision = asRevision(meta.create);
    this.#log = log;
    this.#previous = meta.previous;
  }
  get previous(): Uint8Array | undefined {
    return this.#previous === 0 ? undefined : this.#log.value(this.#previous);
  }
}

function compacted(revision: number): StorageError {
  return new StorageError({ code: "Compacted", oldest: revision + 1 });
}

function corrupt(key: string, revision: number): StorageError {
  const message = `the record of revision ${revision} is missing`;
  return new StorageError({ code: "Corrupt", key, message });
}

function quotaExceeded(): StorageError {
  const message = "etcdserver: mvcc: database space exceeded";
  return new StorageError({ code: "Refused", message });
}
