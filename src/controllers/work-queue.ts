/** Keys to work on, each once at a time, retried with growing delays. Upstream: client-go workqueue. */
const DELAY_MIN_MS = 50;
const DELAY_MAX_MS = 30_000;

export interface WorkQueueOptions {
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly onError: (key: string, error: unknown) => void;
}

/** Bounded by the number of distinct keys: adding a key that waits already changes nothing. */
export class WorkQueue {
  readonly #work: (key: string) => Promise<void>;
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, number>();

  constructor(work: (key: string) => Promise<void>, options: WorkQueueOptions) {
    this.#work = work;
    this.#options = options;
  }

  get length(): number {
    return this.#waiting.size + this.#running.size;
  }

  add(key: string): void {
    this.#waiting.add(key);
    this.#next();
  }

  addAfter(key: string, milliseconds: number): void {
    setTimeout(() => this.add(key), milliseconds).unref();
  }

  #next(): void {
    const { workers, signal } = this.#options;
    for (const key of this.#waiting) {
      if (signal.aborted || this.#running.size >= workers) return;
      if (this.#running.has(key)) continue; // once more when it is done
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    try {
      await this.#work(key);
      this.#failures.delete(key);
    } catch (error) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      this.#options.onError(key, error);
      this.addAfter(key, Math.min(DELAY_MIN_MS * 2 ** failures, DELAY_MAX_MS));
    }
    this.#running.delete(key);
    this.#next();
  }
}
