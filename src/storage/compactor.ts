/**
 * Forgets history that is older than one interval, at most every interval, whichever of several
 * servers gets there first. The key and its guard are upstream's, so that this server and a
 * kube-apiserver share the work. Upstream: storage/etcd3/compact.go.
 */
import { isStorageError } from "./errors.ts";
import { asRevision, asStorageKey, type KvBackend, type Revision } from "./interfaces.ts";

const COMPACT_KEY = asStorageKey("compact_rev_key");

export interface CompactorOptions {
  /** `--etcd-compaction-interval`; 0 switches compaction off. */
  readonly intervalMs: number;
  readonly log?: (message: string) => void;
}

export class Compactor {
  readonly #backend: KvBackend;
  readonly #options: CompactorOptions;
  /** The key's mod revision when last seen; 0 before there is one. */
  #guard = asRevision(0);
  /** The store's revision one interval ago. */
  #before = asRevision(0);
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(backend: KvBackend, options: CompactorOptions) {
    this.#backend = backend;
    this.#options = options;
  }

  start(): void {
    if (this.#options.intervalMs <= 0) return;
    this.#schedule();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
    clearTimeout(this.#timer);
  }

  /** One round: whoever moves the key compacts to the revision seen a round before. */
  async round(): Promise<void> {
    const value = Buffer.from(String(this.#before));
    const result = await this.#backend.cas({ key: COMPACT_KEY, expected: this.#guard, value });
    const compactTo = this.#before;
    this.#before = result.revision;
    if (!result.ok) {
      // Another server did this round's work.
      this.#guard = result.current?.modRevision ?? asRevision(0);
      return;
    }
    this.#guard = result.revision;
    if (compactTo > 0) await this.#compact(compactTo);
  }

  async #compact(revision: Revision): Promise<void> {
    try {
      await this.#backend.compact(revision);
    } catch (error) {
      if (!isStorageError(error, "Compacted")) throw error;
    }
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.round()
        .catch((error) => this.#options.log?.(`compaction: ${String(error)}`))
        .finally(() => this.#schedule());
    }, this.#options.intervalMs);
    this.#timer.unref();
  }
}
