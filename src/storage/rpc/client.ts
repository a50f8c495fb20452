/** A KvBackend that lives in another thread, behind a MessagePort. */
import type { MessagePort } from "node:worker_threads";
import { StorageError } from "../errors.ts";
import type {
  CasRequest,
  CasResult,
  KvBackend,
  KvWatchMessage,
  RangeRequest,
  RangeResult,
  Revision,
} from "../interfaces.ts";
import { Batcher, type Call, type Reply, type ReplyValue, unpackBatch } from "./wire.ts";

interface PendingCall {
  readonly resolve: (value: ReplyValue) => void;
  readonly reject: (error: unknown) => void;
}
interface PendingWatch {
  readonly messages: KvWatchMessage[];
  end: StorageError | "ended" | undefined;
  wake: (() => void) | undefined;
}

/** Distributes over Call, so that each op keeps its own fields. */
type CallBody<T> = T extends unknown ? Omit<T, "id"> : never;

export class KvClient implements KvBackend {
  readonly #port: MessagePort;
  readonly #out: Batcher<Call>;
  readonly #calls = new Map<number, PendingCall>();
  readonly #watches = new Map<number, PendingWatch>();
  #nextId = 1;
  #closed = false;

  /** Takes over the port; serveKv is at the other end. */
  constructor(port: MessagePort) {
    this.#port = port;
    this.#out = new Batcher(port);
    port.on("message", (data: Uint8Array) => {
      for (const reply of unpackBatch<Reply>(data)) this.#take(reply);
    });
    port.on("close", () => this.#portClosed());
  }

  async range(request: RangeRequest, signal?: AbortSignal): Promise<RangeResult> {
    return (await this.#call({ op: "range", request }, signal)) as RangeResult;
  }
  async cas(request: CasRequest, signal?: AbortSignal): Promise<CasResult> {
    return (await this.#call({ op: "cas", request }, signal)) as CasResult;
  }
  async currentRevision(signal?: AbortSignal): Promise<Revision> {
    return (await this.#call({ op: "currentRevision" }, signal)) as Revision;
  }
  requestProgress(): void {
    if (!this.#closed) this.#out.send({ op: "requestProgress", id: 0 });
  }
  async grantLease(ttlSeconds: number): Promise<bigint> {
    return BigInt((await this.#call({ op: "grantLease", ttlSeconds })) as bigint | number);
  }
  async revokeLease(lease: bigint): Promise<void> {
    await this.#call({ op: "revokeLease", lease });
  }
  async compact(revision: Revision): Promise<void> {
    await this.#call({ op: "compact", revision });
  }
  async health(timeoutMs: number): Promise<void> {
    await this.#call({ op: "health", timeoutMs }, AbortSignal.timeout(timeoutMs));
  }
  async sizeBytes(): Promise<number> {
    return (await this.#call({ op: "sizeBytes" })) as number;
  }
  /** Closes this thread's end; the store stays open. */
  async close(): Promise<void> {
    this.#out.close();
    this.#port.close();
    this.#portClosed();
  }

  async *watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<KvWatchMessage> {
    if (this.#closed) throw portClosed();
    if (signal.aborted) return;
    const id = this.#nextId++;
    const watch: PendingWatch = { messages: [], end: undefined, wake: undefined };
    const abort = (): void => watch.wake?.();
    signal.addEventListener("abort", abort);
    this.#watches.set(id, watch);
    this.#out.send({ op: "watch", id, prefix, from });
    try {
      while (!signal.aborted) {
        const message = watch.messages.shift();
        if (message !== undefined) {
          yield message;
          this.#out.send({ op: "taken", id });
        } else if (watch.end !== undefined) {
          if (watch.end === "ended") return;
          throw watch.end;
        } else {
          await new Promise<void>((resolve) => {
            watch.wake = resolve;
          });
        }
      }
    } finally {
      signal.removeEventListener("abort", abort);
      this.#watches.delete(id);
      if (watch.end === undefined) this.#out.send({ op: "cancel", id });
    }
  }

  #call(body: CallBody<Call>, signal?: AbortSignal): Promise<ReplyValue> {
    return new Promise((resolve, reject) => {
      if (this.#closed) throw portClosed();
      const id = this.#nextId++;
      const abort = (): void => {
        this.#calls.delete(id);
        const message = "no answer from the store in time";
        reject(new StorageError({ code: "Timeout", message }));
      };
      const done = (): void => signal?.removeEventListener("abort", abort);
      const call: PendingCall = {
        resolve: (value) => {
          done();
          resolve(value);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.#calls.set(id, call);
      this.#out.send({ ...body, id });
      signal?.addEventListener("abort", abort);
    });
  }

  #take(reply: Reply): void {
    const watch = this.#watches.get(reply.id);
    if (watch !== undefined) {
      if (!reply.ok) watch.end = new StorageError(reply.failure);
      else if ("message" in reply) watch.messages.push(reply.message);
      else watch.end = "ended";
      watch.wake?.();
      return;
    }
    const call = this.#calls.get(reply.id);
    this.#calls.delete(reply.id);
    if (call === undefined) return;
    if (!reply.ok) call.reject(new StorageError(reply.failure));
    else if ("value" in reply) call.resolve(reply.value);
  }

  #portClosed(): void {
    this.#closed = true;
    for (const call of this.#calls.values()) call.reject(portClosed());
    this.#calls.clear();
    for (const watch of this.#watches.values()) {
      watch.end ??= portClosed();
      watch.wake?.();
    }
  }
}

function portClosed(): StorageError {
  return new StorageError({ code: "Unreachable", message: "the store's thread has gone" });
}
