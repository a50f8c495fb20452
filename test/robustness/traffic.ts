/** Clients that write, read and watch a KvBackend and record all they did and saw. */
import { isStorageError, StorageError } from "../../src/storage/errors.ts";
import { asRevision, asStorageKey, type KvBackend } from "../../src/storage/interfaces.ts";
import type { History, SeenEvent, WriteRecord } from "./history.ts";

export const PREFIX = "/registry/robust/";
const KEYS = 20;

/** A small seeded generator (mulberry32): a run can be repeated by its seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class Traffic {
  readonly history: History = { writes: [], reads: [], watches: [] };
  readonly #backend: KvBackend;
  readonly #random: () => number;
  readonly #zero = performance.now();
  #stopped = false;
  #serial = 0;

  constructor(backend: KvBackend, random: () => number) {
    this.#backend = backend;
    this.#random = random;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Writes guarded by what it last knew, until stopped. */
  async writer(): Promise<void> {
    const known = new Map<string, number>();
    while (!this.#stopped) {
      const key = this.#key();
      const deletes = (known.get(key) ?? 0) !== 0 && this.#random() < 0.2;
      const record: WriteRecord = {
        key,
        value: deletes ? undefined : `v${this.#serial++}-${"x".repeat(this.#random() * 2000)}`,
        expected: known.get(key) ?? 0,
        start: this.#now(),
        end: Infinity,
        outcome: "unknown",
        revision: 0,
      };
      this.history.writes.push(record);
      await this.#write(record, known);
      if (record.outcome === "unknown") await pause(20);
    }
  }

  async #write(record: WriteRecord, known: Map<string, number>): Promise<void> {
    const { key, value, expected } = record;
    try {
      const result = await this.#backend.cas({
        key: asStorageKey(key),
        expected: asRevision(expected),
        ...(value === undefined ? {} : { value: Buffer.from(value) }),
      });
      record.end = this.#now();
      record.outcome = result.ok ? "ok" : "failed";
      if (!result.ok) known.set(key, result.current?.modRevision ?? 0);
      else {
        record.revision = result.revision;
        known.set(key, value === undefined ? 0 : result.revision);
      }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      // Unreachable: never sent. Everything else may have been done.
      if (isStorageError(error, "Unreachable")) record.outcome = "failed";
    }
  }

  async reader(): Promise<void> {
    while (!this.#stopped) {
      const key = this.#key();
      const start = this.#now();
      try {
        const { kvs } = await this.#backend.range({ start: key, end: `${key}\0` });
        const kv = kvs[0];
        const value = kv && Buffer.from(kv.value).toString();
        const mod = kv?.modRevision ?? 0;
        this.history.reads.push({ key, start, end: this.#now(), mod, value });
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        await pause(20);
      }
      await pause(this.#random() * 5);
    }
  }

  /** A watch from `after` on that lives until the signal aborts. */
  async watch(name: string, after: number, signal: AbortSignal, delayMs = 0): Promise<void> {
    const events: SeenEvent[] = [];
    this.history.watches.push({ name, after, events });
    for await (const message of this.#backend.watch(PREFIX, asRevision(after + 1), signal)) {
      if (message.kind === "progress") continue;
      for (const event of message.events) {
        events.push({
          revision: event.revision,
          key: event.key,
          value: event.type === "DELETE" ? undefined : Buffer.from(event.value).toString(),
          create: event.createRevision,
        });
      }
      if (delayMs > 0) await pause(delayMs);
    }
  }

  /** Watches that begin at old revisions again and again, as restarted clients do. */
  async resumer(first: number, signal: AbortSignal): Promise<void> {
    let after = first;
    for (let i = 0; !signal.aborted && !this.#stopped; i++) {
      const own = new AbortController();
      const end = (): void => own.abort();
      signal.addEventListener("abort", end);
      const timer = setTimeout(end, 50 + this.#random() * 400);
      try {
        await this.watch(`resumer ${i}`, after, own.signal);
      } catch (error) {
        if (!isStorageError(error, "Compacted")) throw error;
        this.history.watches.pop();
        after = await this.#backend.currentRevision().catch(() => asRevision(after));
        continue;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
      }
      const seen = this.history.watches.find((w) => w.name === `resumer ${i}`)?.events ?? [];
      after = seen[seen.length - 1]?.revision ?? after;
    }
  }

  #key(): string {
    return `${PREFIX}k${Math.floor(this.#random() * KEYS)}`;
  }
  #now(): number {
    return performance.now() - this.#zero;
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
