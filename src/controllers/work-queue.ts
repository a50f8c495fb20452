/** Keys to work on, each once at a time, retried with growing delays. Upstream: client-go workqueue. */
import { type QueueCells, queueCells } from "./work-queue-metrics.ts";

const DELAY_MIN_MS = 50;
const DELAY_MAX_MS = 30_000;

export interface WorkQueueOptions {
  /** Upstream's name of the queue, for workqueue_* metrics. */
  readonly name: string;
  readonly workers: number;
  readonly signal: AbortSignal;
  readonly onError: (key: string, error: unknown) => void;
}

/** Bounded by the number of distinct keys: adding a key that waits already changes nothing. */
export class WorkQueue {
  readonly #work: (key: string) => Promise<void>;
  readonly #options: WorkQueueOptions;
  /** Keys with when they were added; likewise for those that are worked on. Milliseconds. */
  readonly #waiting = new Map<string, number>();
  readonly #running = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #cells: QueueCells;

  constructor(work: (key: string) => Promise<void>, options: WorkQueueOptions) {
    this.#work = work;
    this.#options = options;
    this.#cells = queueCells(options.name, this.#running);
  }

  get length(): number {
    return this.#waiting.size + this.#running.size;
  }

  add(key: string): void {
    if (!this.#waiting.has(key)) {
      this.#waiting.set(key, performance.now());
      this.#cells.added(this.#waiting.size);
    }
    this.#next();
  }

  addAfter(key: string, milliseconds: number): void {
    setTimeout(() => this.add(key), milliseconds).unref();
  }

  #next(): void {
    const { workers, signal } = this.#options;
    for (const [key, since] of this.#waiting) {
      if (signal.aborted || this.#running.size >= workers) return;
      if (this.#running.has(key)) continue; // once more when it is done
      this.#waiting.delete(key);
      const now = performance.now();
      this.#running.set(key, now);
      this.#cells.begun(this.#waiting.size, (now - since) / 1000);
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
      this.#cells.retried();
      this.addAfter(key, Math.min(DELAY_MIN_MS * 2 ** failures, DELAY_MAX_MS));
    }
    this.#cells.done((performance.now() - (this.#running.get(key) ?? 0)) / 1000);
    this.#running.delete(key);
    this.#next();
  }
}
