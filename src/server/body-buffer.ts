/** A request body on its way from the socket to the handler that may want it. */
import { requestEntityTooLarge, StatusError } from "../apimachinery/api/errors.ts";

/** Until a handler asks for the body, no more than this is taken from the socket. */
const UNASKED_BYTES_MAX = 64 * 1024;

export interface Flow {
  pause(): void;
  resume(): void;
}
type Outcome = "open" | "complete" | "too-large" | "aborted";

/**
 * Collects chunks. Holds at most `bytesMax`, and at most UNASKED_BYTES_MAX plus what was in flight
 * before read() is called: requests that fail authentication can not fill memory.
 */
export class BodyBuffer {
  readonly #bytesMax: number;
  readonly #flow: Flow;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #limit: number;
  #outcome: Outcome = "open";
  #waiting: { resolve(body: Uint8Array): void; reject(error: Error): void } | undefined;
  #asked = false;
  #paused = false;

  constructor(bytesMax: number, flow: Flow) {
    this.#bytesMax = bytesMax;
    this.#limit = bytesMax;
    this.#flow = flow;
  }

  /** Takes ownership of `chunk`. */
  push(chunk: Uint8Array): void {
    if (this.#outcome !== "open") return;
    this.#length += chunk.length;
    if (this.#length > this.#limit) {
      this.#settle("too-large");
      return;
    }
    this.#chunks.push(chunk);
    if (!this.#asked && !this.#paused && this.#length > UNASKED_BYTES_MAX) {
      this.#paused = true;
      this.#flow.pause();
    }
  }
  end(): void {
    if (this.#outcome === "open") this.#settle("complete");
  }
  abort(): void {
    if (this.#outcome === "open") this.#settle("aborted");
  }
  /** True once the whole body has arrived: the connection can carry another request. */
  get complete(): boolean {
    return this.#outcome === "complete";
  }

  /** The whole body; rejects with RequestEntityTooLarge beyond `bytesMax`. Callable once. */
  read(bytesMax: number): Promise<Uint8Array> {
    if (this.#asked) return Promise.reject(new Error("the request body was read already"));
    this.#asked = true;
    this.#limit = Math.min(bytesMax, this.#bytesMax);
    if (this.#length > this.#limit) this.#outcome = "too-large";
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      if (this.#outcome !== "open") this.#answer();
      else if (this.#paused) this.#flow.resume();
    });
  }

  #settle(outcome: Outcome): void {
    this.#outcome = outcome;
    if (outcome !== "complete") this.#chunks = [];
    if (this.#waiting !== undefined) this.#answer();
    // Refused bodies drain unseen, so that the answer can still be read by the client.
    if (outcome === "too-large" && this.#paused) this.#flow.resume();
  }

  #answer(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    if (this.#outcome === "too-large") {
      this.#chunks = [];
      waiting.reject(requestEntityTooLarge(`limit is ${this.#limit}`));
      return;
    }
    if (this.#outcome === "aborted") {
      waiting.reject(new ClientGone());
      return;
    }
    const [only = new Uint8Array(0), ...more] = this.#chunks;
    this.#chunks = [];
    waiting.resolve(more.length === 0 ? only : Buffer.concat([only, ...more]));
  }
}

/** The client left before its body was complete. Never reaches a client. */
export class ClientGone extends StatusError {
  constructor() {
    super("BadRequest", "unexpected EOF");
  }
}
