/**
 * A watch on etcd that survives lost connections. It resumes behind the last event it delivered:
 * a header's revision runs ahead of the events while a watch catches up, so it proves nothing.
 */
import type { ClientHttp2Stream } from "node:http2";
import { StorageError } from "../errors.ts";
import type { KvEvent, KvWatchMessage, Revision } from "../interfaces.ts";
import { pause } from "../pause.ts";
import type { EtcdClient } from "./client.ts";
import {
  decodeGrpcMessage,
  FRAME_HEADER,
  frame,
  GrpcCode,
  GrpcError,
  hasNoLeader,
  toStorageError,
  wantsNewToken,
} from "./grpc-status.ts";
import {
  decodeWatch,
  encodeWatchCreate,
  encodeWatchProgress,
  type WatchAnswer,
} from "./messages.ts";

const WATCH_PATH = "/etcdserverpb.Watch/Watch";
const CONNECT_MS = 10_000;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 3000;
/** Undelivered bytes at which the stream is held back, so that etcd's flow control works. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
const MAX_FRAME_BYTES = 512 * 1024 * 1024;

export interface EtcdWatchOptions {
  readonly client: EtcdClient;
  readonly prefix: string;
  readonly end: string;
  readonly previous: boolean;
  /** Told of every stream while it is open, for progress requests. */
  readonly streams: Set<WatchStream>;
}

/** Everything under the prefix from `from` on; see KvBackend.watch. */
export async function* watchEtcd(
  options: EtcdWatchOptions,
  from: Revision,
  signal: AbortSignal,
): AsyncIterable<KvWatchMessage> {
  let next: number = from;
  let backOff = RETRY_MIN_MS;
  while (!signal.aborted) {
    let stream: WatchStream | undefined;
    try {
      stream = await openStream(options, next, signal);
      for await (const message of stream.messages(signal)) {
        backOff = RETRY_MIN_MS;
        const events = message.kind === "events" ? message.events : [];
        const last = events[events.length - 1];
        const seen = message.kind === "progress" ? message.revision : (last?.revision ?? 0);
        // Before it starts, a watch of the future is told of progress that is behind it.
        if (seen + 1 > next) next = seen + 1;
        yield message;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof StorageError) throw error;
      if (error instanceof GrpcError) {
        if (wantsNewToken(error)) options.client.forgetToken();
        else if (hasNoLeader(error)) options.client.avoidCurrent();
        else if (error.code === GrpcCode.permissionDenied) throw toStorageError(error, false);
      }
      await pause(backOff, signal);
      backOff = Math.min(backOff * 2, RETRY_MAX_MS);
    } finally {
      stream?.close();
      if (stream !== undefined) options.streams.delete(stream);
    }
  }
}

async function openStream(
  options: EtcdWatchOptions,
  from: number,
  signal: AbortSignal,
): Promise<WatchStream> {
  const { connection, token } = await options.client.connected(CONNECT_MS, signal);
  const stream = new WatchStream(connection.stream(WATCH_PATH, token));
  options.streams.add(stream);
  const { prefix: start, end, previous } = options;
  stream.send(encodeWatchCreate({ start, end, from, previous }, FRAME_HEADER));
  return stream;
}

/** One gRPC stream with one watch on it. */
export class WatchStream {
  readonly #stream: ClientHttp2Stream;
  #buffered: Buffer[] = [];
  #bufferedBytes = 0;
  #queue: { readonly answer: WatchAnswer; readonly bytes: number }[] = [];
  #queuedBytes = 0;
  #error: GrpcError | undefined;
  #ended = false;
  #wake: (() => void) | undefined;
  #synced = false;

  constructor(stream: ClientHttp2Stream) {
    this.#stream = stream;
    stream.on("data", (chunk: Buffer) => this.#takeData(chunk));
    const status = (headers: Record<string, unknown>): void => {
      const code = headers["grpc-status"];
      if (code === undefined || code === "0") return;
      const message = decodeGrpcMessage(String(headers["grpc-message"] ?? ""));
      this.#error ??= new GrpcError(Number(code), message);
    };
    stream.on("response", status);
    stream.on("trailers", status);
    stream.on("error", (error) => {
      this.#error ??= new GrpcError(GrpcCode.unavailable, error.message);
    });
    stream.on("close", () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  send(body: Buffer): void {
    if (!this.#stream.destroyed && !this.#ended) this.#stream.write(frame(body));
  }

  requestProgress(): void {
    if (this.#synced) this.send(encodeWatchProgress(FRAME_HEADER));
  }

  close(): void {
    this.#stream.close();
  }

  /** Ends by throwing: Compacted, or a GrpcError after which the watch may resume. */
  async *messages(signal: AbortSignal): AsyncIterable<KvWatchMessage> {
    let parts: KvEvent[] = [];
    const wake = (): void => this.#wake?.();
    signal.addEventListener("abort", wake);
    try {
      while (!signal.aborted) {
        const answer = this.#shift();
        if (answer === undefined) {
          if (this.#ended) {
            throw this.#error ?? new GrpcError(GrpcCode.unavailable, "the watch stream ended");
          }
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        if (answer.canceled) throw canceled(answer);
        this.#synced = true;
        if (answer.created) continue;
        if (answer.events.length === 0 && parts.length === 0) {
          yield { kind: "progress", revision: answer.revision };
          continue;
        }
        parts = parts.length === 0 ? answer.events : parts.concat(answer.events);
        if (answer.fragment) continue;
        yield { kind: "events", events: parts };
        parts = [];
      }
    } finally {
      signal.removeEventListener("abort", wake);
    }
  }

  #shift(): WatchAnswer | undefined {
    const first = this.#queue.shift();
    if (first === undefined) return undefined;
    this.#queuedBytes -= first.bytes;
    if (this.#queuedBytes < MAX_QUEUED_BYTES / 2 && this.#stream.isPaused()) this.#stream.resume();
    return first.answer;
  }

  #takeData(chunk: Buffer): void {
    this.#buffered.push(chunk);
    this.#bufferedBytes += chunk.length;
    try {
      while (this.#takeFrame());
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#error = new GrpcError(GrpcCode.internal, message);
      this.#stream.close();
      return;
    }
    if (this.#queuedBytes > MAX_QUEUED_BYTES) this.#stream.pause();
    if (this.#queue.length > 0) this.#wake?.();
  }

  #takeFrame(): boolean {
    if (this.#bufferedBytes < FRAME_HEADER) return false;
    if ((this.#buffered[0]?.length ?? 0) < FRAME_HEADER) this.#join();
    const size = this.#buffered[0]?.readUInt32BE(1) ?? 0;
    if (size > MAX_FRAME_BYTES) throw new RangeError(`a watch message of ${size} bytes`);
    if (this.#bufferedBytes < FRAME_HEADER + size) return false;
    const all = this.#join();
    const body = all.subarray(FRAME_HEADER, FRAME_HEADER + size);
    const rest = all.subarray(FRAME_HEADER + size);
    this.#buffered = rest.length === 0 ? [] : [rest];
    this.#bufferedBytes = rest.length;
    this.#queue.push({ answer: decodeWatch(body), bytes: size });
    this.#queuedBytes += size;
    return true;
  }

  #join(): Buffer {
    const only = this.#buffered.length === 1 ? this.#buffered[0] : undefined;
    const all = only ?? Buffer.concat(this.#buffered);
    this.#buffered = [all];
    return all;
  }
}

function canceled(answer: WatchAnswer): Error {
  if (answer.compactRevision > 0) {
    return new StorageError({ code: "Compacted", oldest: answer.compactRevision });
  }
  return new GrpcError(GrpcCode.unavailable, `watch canceled: ${answer.cancelReason}`);
}
