/**
 * The record log on disk: lmdb, three tables. `records` and `values` are keyed by revision, so that
 * a start reads the small records only; `state` holds the format, the compacted revision, the
 * newest revision at that time, and the leases. A write is answered after lmdb's flush, never before.
 */
import { type Database, open, type RootDatabase } from "lmdb";
import { StorageError } from "../errors.ts";
import type { LeaseRecord, LogRecord, LogState, RecordLog, RecordMeta } from "../mvcc/log.ts";
import { findDamage } from "./lmdb-header.ts";
import { decodeMeta, encodeMeta } from "./record-format.ts";

const FORMAT = "klystron-store-1";
const MAX_REMOVALS_A_TURN = 5000;
/** What a record costs beside its value: metadata, key, tree. */
const RECORD_OVERHEAD = 160;

/** Keeps records in one lmdb file. Made by openLmdbLog. */
export class LmdbLog implements RecordLog {
  readonly #root: RootDatabase<unknown, string>;
  readonly #records: Database<Buffer, number>;
  readonly #values: Database<Buffer, number>;
  readonly #state: Database<unknown, string>;
  readonly #path: string;
  #bytes = 0;
  #newest = 1;
  /** A write failed: what reached the disk has to be looked at before the next one. */
  #suspect: number | undefined;
  #broken: StorageError | undefined;

  constructor(path: string, root: RootDatabase<unknown, string>) {
    this.#path = path;
    this.#root = root;
    this.#records = root.openDB<Buffer, number>("records", { encoding: "binary" });
    this.#values = root.openDB<Buffer, number>("values", { encoding: "binary" });
    this.#state = root.openDB<unknown, string>("state", { encoding: "msgpack" });
  }

  /** Reads what the file holds. Throws Corrupt when it is no store, or one of another format. */
  load(): LogState {
    const format = this.#state.get("format");
    if (format === undefined) {
      this.#state.putSync("format", FORMAT);
      this.#state.putSync("revision", 1);
    } else if (format !== FORMAT) {
      throw damaged(this.#path, `its format is ${JSON.stringify(format)}, not ${FORMAT}`);
    }
    const records: RecordMeta[] = [];
    for (const { key, value } of this.#records.getRange()) {
      const meta = decodeMeta(key, value);
      this.#bytes += meta.size + RECORD_OVERHEAD;
      records.push(meta);
    }
    const last = records[records.length - 1]?.revision ?? 1;
    this.#newest = Math.max(last, numberOr(this.#state.get("revision"), 1));
    return {
      revision: this.#newest,
      compacted: numberOr(this.#state.get("compacted"), 0),
      records,
      leases: this.#readLeases(),
    };
  }

  async append(records: readonly LogRecord[]): Promise<void> {
    this.check();
    const first = records[0]?.meta.revision ?? 0;
    if (this.#suspect !== undefined) this.#inspect(first);
    try {
      const committed = this.#root.batch(() => {
        for (const { meta, value } of records) {
          void this.#records.put(meta.revision, encodeMeta(meta));
          if (!meta.deleted) void this.#values.put(meta.revision, asBuffer(value));
        }
      });
      await committed;
      await this.#root.flushed;
    } catch (error) {
      this.#suspect = first;
      throw writeFailed(this.#path, error);
    }
    for (const { meta } of records) {
      this.#bytes += meta.size + RECORD_OVERHEAD;
      this.#newest = meta.revision;
    }
  }

  /** Fills an empty log with a state as of `revision`, without history. Returns the records. */
  async restore(revision: number, batches: AsyncIterable<LogRecord[]>): Promise<number> {
    let count = 0;
    for await (const records of batches) {
      await this.append(records);
      count += records.length;
    }
    await this.#state.put("revision", revision);
    await this.#state.put("compacted", revision);
    await this.#root.flushed;
    return count;
  }

  value(revision: number): Uint8Array | undefined {
    return this.#values.getBinary(revision);
  }

  meta(revision: number): RecordMeta | undefined {
    const bytes = this.#records.getBinary(revision);
    return bytes && decodeMeta(revision, bytes);
  }

  async remove(revisions: readonly number[], compacted: number): Promise<void> {
    // The newest record may be among those that go: its revision must never be given again.
    await this.#root.batch(() => {
      void this.#state.put("compacted", compacted);
      void this.#state.put("revision", this.#newest);
    });
    for (let at = 0; at < revisions.length; at += MAX_REMOVALS_A_TURN) {
      const part = revisions.slice(at, at + MAX_REMOVALS_A_TURN);
      let freed = 0;
      await this.#root.batch(() => {
        for (const revision of part) {
          freed += (this.meta(revision)?.size ?? 0) + RECORD_OVERHEAD;
          void this.#records.remove(revision);
          void this.#values.remove(revision);
        }
      });
      this.#bytes -= freed;
    }
    await this.#root.flushed;
  }

  async putLease(lease: LeaseRecord): Promise<void> {
    const { ttlSeconds, deadline } = lease;
    await this.#state.put(`lease/${lease.id}`, { ttlSeconds, deadline });
    await this.#root.flushed;
  }

  async removeLease(id: bigint): Promise<void> {
    await this.#state.remove(`lease/${id}`);
  }

  sizeBytes(): number {
    return this.#bytes;
  }

  check(): void {
    if (this.#broken !== undefined) throw this.#broken;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  /** After a failed write: the disk must still end where the last good one left it. */
  #inspect(first: number): void {
    for (const newest of this.#records.getKeys({ reverse: true, limit: 1 })) {
      if (newest < first) continue;
      const message = `the store ${this.#path} stopped after a failed write: restart the server`;
      this.#broken = new StorageError({ code: "Refused", message });
      throw this.#broken;
    }
    this.#suspect = undefined;
  }

  #readLeases(): LeaseRecord[] {
    const leases: LeaseRecord[] = [];
    for (const { key, value } of this.#state.getRange({ start: "lease/", end: "lease0" })) {
      const { ttlSeconds, deadline } = value as Omit<LeaseRecord, "id">;
      leases.push({ id: BigInt(key.slice("lease/".length)), ttlSeconds, deadline });
    }
    return leases;
  }
}

/** Opens or creates the file. Throws Corrupt or Refused, naming it. */
export function openLmdbLog(path: string): LmdbLog {
  const damage = findDamage(path);
  if (damage !== undefined) throw damaged(path, damage);
  try {
    const root = open<unknown, string>({ path, maxDbs: 4, noSubdir: true, encoding: "binary" });
    return new LmdbLog(path, root);
  } catch (error) {
    throw damaged(path, error instanceof Error ? error.message : String(error), error);
  }
}

function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

function numberOr(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function damaged(path: string, why: string, cause?: unknown): StorageError {
  const message = `the store ${path} can not be read: ${why}`;
  return new StorageError({ code: "Corrupt", key: "", message }, { cause });
}

function writeFailed(path: string, cause: unknown): StorageError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const full = /space|full|quota/i.test(why) ? "the disk is full: " : "";
  return new StorageError(
    { code: "Refused", message: `writing to ${path}: ${full}${why}` },
    { cause },
  );
}
