/** The embedded store: one directory, one thread of one process, durable writes. */
import { join } from "node:path";
import type { KvBackend } from "../interfaces.ts";
import { type MvccOptions, MvccStore } from "../mvcc/store.ts";
import { lockDirectory } from "./directory-lock.ts";
import { openLmdbLog } from "./lmdb-log.ts";

export const STORE_FILE = "store.mdb";
const DEFAULT_QUOTA_BYTES = 8 * 1024 * 1024 * 1024;
/** Minutes of history of a busy cluster; a write storm must not fill the disk before it is over. */
const DEFAULT_HISTORY_BYTES = 512 * 1024 * 1024;

export interface EmbeddedOptions extends MvccOptions {
  /** Created when missing. */
  readonly directory: string;
  /** Live data and history together; beyond it writes get etcd's "database space exceeded". */
  readonly quotaBytes?: number;
}

/**
 * Opens the store and reads its key index. Rejects with Refused when another process has it, with
 * Corrupt when the file is damaged. The other threads reach it through serveKv and connectKv.
 */
export async function openEmbeddedStore(options: EmbeddedOptions): Promise<KvBackend> {
  const lock = lockDirectory(options.directory);
  try {
    const log = openLmdbLog(join(options.directory, STORE_FILE));
    const bounds = { quotaBytes: DEFAULT_QUOTA_BYTES, historyBytes: DEFAULT_HISTORY_BYTES };
    const bounded = { ...bounds, ...options };
    return new EmbeddedStore(log, log.load(), bounded, lock.release);
  } catch (error) {
    lock.release();
    throw error;
  }
}

class EmbeddedStore extends MvccStore {
  readonly #release: () => void;

  constructor(
    ...[log, state, options, release]: [...ConstructorParameters<typeof MvccStore>, () => void]
  ) {
    super(log, state, options);
    this.#release = release;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#release();
  }
}
