/** The controllers' end of the way to the API: messages to the thread that serves them. */
import type { MessagePort } from "node:worker_threads";
import type { FromLoopback, LoopbackRequest, ToLoopback } from "../server/loopback-messages.ts";

const TIMEOUT_MS = 30_000;
/** What has been read of a watch is told after so many characters. */
const TAKEN_STEP = 256 * 1024;

export interface LoopbackAnswer {
  readonly status: number;
  readonly text: string;
}
export interface LoopbackReader {
  onHead(status: number): void;
  onText(text: string): void;
}

interface Waiting extends LoopbackReader {
  onEnd(error: Error | undefined): void;
  untold: number;
}

export class LoopbackPort {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #closed = false;

  /** Takes the port over; the other end has LoopbackFront. It keeps no thread alive. */
  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (message: FromLoopback) => this.#take(message));
    port.once("close", () => this.#lost());
    port.unref();
  }

  /** The whole answer, whatever its status. Rejects when none comes within half a minute. */
  call(request: LoopbackRequest): Promise<LoopbackAnswer> {
    return new Promise((resolve, reject) => {
      let status = 0;
      let text = "";
      const id = this.#ask(request, {
        onHead(code) {
          status = code;
        },
        onText(piece) {
          text += piece;
        },
        onEnd(error) {
          clearTimeout(timer);
          if (error === undefined) resolve({ status, text });
          else reject(error);
        },
        untold: 0,
      });
      const timer = setTimeout(() => {
        this.#abort(id);
        reject(new Error(`${request.method} ${request.target} timed out`));
      }, TIMEOUT_MS);
      timer.unref();
    });
  }

  /** Resolves when the answer ends or the signal aborts; rejects when it is cut off. */
  stream(request: LoopbackRequest, reader: LoopbackReader, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#abort(id);
        resolve();
      };
      const id = this.#ask(request, {
        onHead: (status) => reader.onHead(status),
        onText: (text) => reader.onText(text),
        onEnd(error) {
          signal.removeEventListener("abort", onAbort);
          if (error === undefined || signal.aborted) resolve();
          else reject(error);
        },
        untold: 0,
      });
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  close(): void {
    this.#port.close();
    this.#lost();
  }

  #ask(request: LoopbackRequest, waiting: Waiting): number {
    const id = this.#nextId++;
    if (this.#closed) {
      queueMicrotask(() => waiting.onEnd(new Error("the server is shutting down")));
      return id;
    }
    this.#waiting.set(id, waiting);
    this.#say({ kind: "request", id, ...request });
    return id;
  }
  #abort(id: number): void {
    if (this.#waiting.delete(id)) this.#say({ kind: "abort", id });
  }
  #say(message: ToLoopback): void {
    this.#port.postMessage(message);
  }

  #take(message: FromLoopback): void {
    const { id } = message;
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return; // given up
    switch (message.kind) {
      case "head":
        waiting.onHead(message.status);
        return;
      case "text":
        this.#taken(id, waiting, message.text.length);
        waiting.onText(message.text);
        return;
      case "whole":
        this.#waiting.delete(id);
        waiting.onHead(message.status);
        waiting.onText(message.text);
        waiting.onEnd(undefined);
        return;
      case "end":
        this.#waiting.delete(id);
        waiting.onEnd(message.error === undefined ? undefined : new Error(message.error));
    }
  }

  #taken(id: number, waiting: Waiting, length: number): void {
    waiting.untold += length;
    if (waiting.untold < TAKEN_STEP) return;
    this.#say({ kind: "taken", id, length: waiting.untold });
    waiting.untold = 0;
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) one.onEnd(new Error("the server is shutting down"));
  }
}
