/** Consistent reads that wait at the same time ask the store for its revision once, together. */
import type { Revision } from "./interfaces.ts";

export class ReadIndex {
  readonly #ask: () => Promise<Revision>;
  #running: Promise<Revision> | undefined;
  #next: Promise<Revision> | undefined;

  constructor(ask: () => Promise<Revision>) {
    this.#ask = ask;
  }

  /** A revision that the store had at some time after this call. */
  current(): Promise<Revision> {
    if (this.#running === undefined) return this.#start();
    // The call under way may have been answered before this reader came: it takes the next one.
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<Revision> {
    this.#next = undefined;
    const running = this.#ask().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
