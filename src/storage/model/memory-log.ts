/** The record log of the model: everything in memory, nothing survives the process. */
import type { KvBackend } from "../interfaces.ts";
import type { LogRecord, LogState, RecordLog, RecordMeta } from "../mvcc/log.ts";
import { type MvccOptions, MvccStore } from "../mvcc/store.ts";

class MemoryLog implements RecordLog {
  readonly #records = new Map<number, LogRecord>();
  #bytes = 0;

  async append(records: readonly LogRecord[]): Promise<void> {
    for (const record of records) {
      // A copy: the caller's buffer may be reused, as it may over a port.
      const value = record.value.slice();
      this.#records.set(record.meta.revision, { meta: record.meta, value });
      this.#bytes += value.length;
    }
  }
  value(revision: number): Uint8Array | undefined {
    return this.#records.get(revision)?.value;
  }
  meta(revision: number): RecordMeta | undefined {
    return this.#records.get(revision)?.meta;
  }
  async remove(revisions: readonly number[]): Promise<void> {
    for (const revision of revisions) {
      this.#bytes -= this.#records.get(revision)?.value.length ?? 0;
      this.#records.delete(revision);
    }
  }
  async putLease(): Promise<void> {}
  async removeLease(): Promise<void> {}
  sizeBytes(): number {
    return this.#bytes;
  }
  check(): void {}
  async close(): Promise<void> {}
}

const EMPTY_STATE: LogState = { revision: 1, compacted: 0, records: [], leases: [] };

/** An empty store in memory: for tests, and the yardstick of the other two. Revisions start at 2. */
export function createModelBackend(options: MvccOptions = {}): KvBackend {
  return new MvccStore(new MemoryLog(), EMPTY_STATE, options);
}
