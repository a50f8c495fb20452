/** One HTTP/2 connection to one etcd endpoint: unary calls and watch streams, kept alive by PING. */
import type * as http2 from "node:http2";
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { decodeGrpcMessage, FRAME_HEADER, GrpcCode, GrpcError } from "./grpc-status.ts";

const CONNECT_TIMEOUT_MS = 5000;
const PING_INTERVAL_MS = 10_000;
const PING_TIMEOUT_MS = 5000;
/** Node's default of 64 KB per connection would make every long range crawl. */
const LOCAL_WINDOW = 32 * 1024 * 1024;
const STREAM_WINDOW = 8 * 1024 * 1024;

export interface CallOptions {
  readonly timeoutMs: number;
  readonly token: string | undefined;
  readonly signal: AbortSignal | undefined;
}

export class Connection {
  readonly #session: http2.ClientHttp2Session;
  #pinger: NodeJS.Timeout | undefined;
  #usable = true;

  private constructor(session: http2.ClientHttp2Session, onClose: () => void) {
    this.#session = session;
    session.once("close", () => {
      this.#usable = false;
      clearInterval(this.#pinger);
      onClose();
    });
    session.on("error", () => session.destroy());
    session.on("goaway", () => {
      this.#usable = false;
      onClose();
    });
    this.#pinger = setInterval(() => this.#ping(), PING_INTERVAL_MS);
    this.#pinger.unref();
  }

  /** Rejects with GrpcError (unsent) when the endpoint does not answer in time, or at `signal`. */
  static open(
    endpoint: string,
    tls: SecureContextOptions | undefined,
    onClose: () => void,
    signal?: AbortSignal,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = endpoint.startsWith("unix:") ? endpoint.slice("unix:".length) : undefined;
      const session = connectHttp2(socket === undefined ? endpoint : "http://localhost", {
        ...(tls ?? {}),
        ...(socket === undefined ? {} : { createConnection: () => connectSocket(socket) }),
        settings: { initialWindowSize: STREAM_WINDOW, enablePush: false },
        maxSessionMemory: 256,
      });
      const abort = (): void => fail("the client is closed");
      signal?.addEventListener("abort", abort);
      const fail = (why: string): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        session.destroy();
        reject(new GrpcError(GrpcCode.unavailable, `${endpoint}: ${why}`, false));
      };
      const timer = setTimeout(() => fail("no connection in time"), CONNECT_TIMEOUT_MS);
      session.once("error", (error) => fail(error.message));
      // Not "connect": only the settings frame shows that a server speaks, not just a socket.
      session.once("remoteSettings", () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        session.removeAllListeners("error");
        session.setLocalWindowSize(LOCAL_WINDOW);
        session.unref();
        resolve(new Connection(session, onClose));
      });
    });
  }

  get usable(): boolean {
    return this.#usable && !this.#session.closed && !this.#session.destroyed;
  }

  /** `body` is a whole frame. Resolves to the answer's message; rejects with GrpcError. */
  unary(path: string, body: Buffer, options: CallOptions): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#request(path, options);
      const call = new UnaryCall(stream, resolve, reject);
      const timer = setTimeout(
        () => call.fail(new GrpcError(GrpcCode.deadlineExceeded, "context deadline exceeded")),
        options.timeoutMs,
      );
      const abort = (): void => call.fail(new GrpcError(GrpcCode.canceled, "context canceled"));
      options.signal?.addEventListener("abort", abort);
      call.onDone = () => {
        clearTimeout(timer);
        options.signal?.removeEventListener("abort", abort);
      };
      stream.end(body);
    });
  }

  /** A stream for frames both ways; the caller ends it. */
  stream(path: string, token: string | undefined): http2.ClientHttp2Stream {
    // A member that loses its leader then ends the stream instead of going silently stale.
    return this.#request(path, { timeoutMs: 0, token, signal: undefined }, { hasleader: "true" });
  }

  close(): void {
    this.#usable = false;
    clearInterval(this.#pinger);
    this.#session.destroy();
  }

  #request(
    path: string,
    options: CallOptions,
    more: http2.OutgoingHttpHeaders = {},
  ): http2.ClientHttp2Stream {
    const headers: http2.OutgoingHttpHeaders = {
      ...more,
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: path,
      "content-type": "application/grpc",
      te: "trailers",
    };
    if (options.timeoutMs > 0) headers["grpc-timeout"] = `${Math.ceil(options.timeoutMs)}m`;
    if (options.token !== undefined) headers["token"] = options.token;
    try {
      return this.#session.request(headers);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new GrpcError(GrpcCode.unavailable, message, false);
    }
  }

  #ping(): void {
    if (!this.usable) return;
    const timer = setTimeout(() => this.#session.destroy(), PING_TIMEOUT_MS);
    timer.unref();
    this.#session.ping(() => clearTimeout(timer));
  }
}

/** Collects one answer: headers, one frame, trailers. */
class UnaryCall {
  onDone: (() => void) | undefined;
  readonly #stream: http2.ClientHttp2Stream;
  readonly #resolve: (message: Buffer) => void;
  readonly #reject: (error: GrpcError) => void;
  #chunks: Buffer[] = [];
  #status: GrpcError | undefined;
  #settled = false;

  constructor(
    stream: http2.ClientHttp2Stream,
    resolve: (message: Buffer) => void,
    reject: (error: GrpcError) => void,
  ) {
    this.#stream = stream;
    this.#resolve = resolve;
    this.#reject = reject;
    stream.on("response", (headers) => this.#takeStatus(headers));
    stream.on("trailers", (headers) => this.#takeStatus(headers));
    stream.on("data", (chunk: Buffer) => this.#chunks.push(chunk));
    stream.on("end", () => this.#end());
    stream.on("error", (error) => this.#broken(error.message));
    stream.on("close", () => this.#broken("the connection was lost"));
  }

  fail(error: GrpcError): void {
    if (!this.#settle()) return;
    this.#stream.close(constants.NGHTTP2_CANCEL);
    this.#reject(error);
  }

  #takeStatus(headers: http2.IncomingHttpHeaders): void {
    const code = headers["grpc-status"];
    if (code !== undefined) {
      const message = decodeGrpcMessage(String(headers["grpc-message"] ?? ""));
      this.#status = new GrpcError(Number(code), message);
    } else if (headers[":status"] !== undefined && Number(headers[":status"]) !== 200) {
      this.#status = new GrpcError(GrpcCode.unavailable, `HTTP status ${headers[":status"]}`);
    }
  }

  #end(): void {
    const status = this.#status;
    if (status === undefined) return; // without a status: close says what happened
    if (!this.#settle()) return;
    if (status.code !== GrpcCode.ok) {
      this.#reject(status);
      return;
    }
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    if (all === undefined || all.length < FRAME_HEADER || all[0] !== 0) {
      this.#reject(new GrpcError(GrpcCode.internal, "no message in the answer"));
      return;
    }
    this.#resolve(all.subarray(FRAME_HEADER, FRAME_HEADER + all.readUInt32BE(1)));
  }

  #broken(message: string): void {
    if (this.#status !== undefined && this.#status.code !== GrpcCode.ok) {
      this.#end();
      return;
    }
    if (!this.#settle()) return;
    const sent = this.#stream.rstCode !== constants.NGHTTP2_REFUSED_STREAM;
    this.#reject(new GrpcError(GrpcCode.unavailable, message, sent));
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.onDone?.();
    return true;
  }
}
