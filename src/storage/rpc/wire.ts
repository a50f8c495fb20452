/**
 * Messages of the store's port between threads. Everything one turn has to say goes as one packed
 * buffer that changes hands: a structured clone of a small view would copy its whole pool.
 */
import type { MessagePort } from "node:worker_threads";
import { Packr } from "msgpackr";
import { StorageError, type StorageFailure } from "../errors.ts";
import type {
  CasRequest,
  CasResult,
  KvWatchMessage,
  RangeRequest,
  RangeResult,
} from "../interfaces.ts";

/** What a client asks. `id` is the client's own number of the call. */
export type Call =
  | { readonly op: "range"; readonly id: number; readonly request: RangeRequest }
  | { readonly op: "cas"; readonly id: number; readonly request: CasRequest }
  | { readonly op: "currentRevision"; readonly id: number }
  | {
      readonly op: "watch";
      readonly id: number;
      readonly prefix: string;
      readonly from: number;
    }
  /** The client has taken one message of this watch: another may come. */
  | { readonly op: "taken"; readonly id: number }
  | { readonly op: "cancel"; readonly id: number }
  | { readonly op: "requestProgress"; readonly id: number }
  | { readonly op: "grantLease"; readonly id: number; readonly ttlSeconds: number }
  | { readonly op: "revokeLease"; readonly id: number; readonly lease: bigint }
  | { readonly op: "compact"; readonly id: number; readonly revision: number }
  | { readonly op: "health"; readonly id: number; readonly timeoutMs: number }
  | { readonly op: "sizeBytes"; readonly id: number };

export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: ReplyValue }
  | { readonly id: number; readonly ok: true; readonly message: KvWatchMessage }
  | { readonly id: number; readonly ok: false; readonly failure: StorageFailure };
export type ReplyValue = RangeResult | CasResult | number | bigint | null;

/** Messages of one watch that may be on their way: a slow client holds up its own watch only. */
export const WATCH_WINDOW = 4;

const packr = new Packr({ useRecords: false, int64AsType: "bigint" });

/** Sends what was said in one turn of the event loop as one message. */
export class Batcher<T> {
  readonly #port: MessagePort;
  #pending: T[] = [];
  #closed = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }
  send(item: T): void {
    this.#pending.push(item);
    if (this.#pending.length === 1) setImmediate(() => this.#flush());
  }
  close(): void {
    this.#flush();
    this.#closed = true;
  }
  #flush(): void {
    const items = this.#pending;
    this.#pending = [];
    if (this.#closed || items.length === 0) return;
    const packed = packr.pack(items);
    const own = new Uint8Array(packed.length);
    own.set(packed);
    this.#port.postMessage(own, [own.buffer]);
  }
}

/** The messages of one buffer; byte values are views of it. */
export function unpackBatch<T>(data: Uint8Array): readonly T[] {
  return packr.unpack(Buffer.from(data.buffer, data.byteOffset, data.byteLength)) as T[];
}

export function failureOf(error: unknown): StorageFailure {
  if (error instanceof StorageError) return error.failure;
  return { code: "Refused", message: error instanceof Error ? error.message : String(error) };
}
