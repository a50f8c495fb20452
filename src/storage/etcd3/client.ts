/**
 * Calls to an etcd cluster: one live connection, the next endpoint when it is lost, connect
 * back-off per endpoint, deadlines, tokens. Reads are repeated; a write that may have been sent is
 * not: its outcome is unknown, and repeating it would turn success into a failed compare.
 */
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import type { SecureContextOptions } from "node:tls";
import { pause } from "../pause.ts";
import { Connection } from "./connection.ts";
import {
  FRAME_HEADER,
  frame,
  GrpcCode,
  GrpcError,
  hasNoLeader,
  wantsNewToken,
} from "./grpc-status.ts";
import { decodeAuthenticate, encodeAuthenticate } from "./messages.ts";

const READ_ATTEMPTS = 4;
const BACK_OFF_MIN_MS = 100;
/** One cheap connection attempt a second is what an etcd that restarts is worth. */
const BACK_OFF_MAX_MS = 1000;
const RETIRED_MS = 30_000;
/** clientv3's own bound on what it sends. */
const MAX_SEND_BYTES = 2 * 1024 * 1024;

export interface EtcdClientOptions {
  /** `--etcd-servers`: `https://10.0.0.1:2379`. */
  readonly endpoints: readonly string[];
  /** Paths of `--etcd-cafile`, `--etcd-certfile`, `--etcd-keyfile`; read at every connection. */
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly user?: { readonly name: string; readonly password: string };
}

interface Endpoint {
  readonly url: string;
  /** Not to be tried before (milliseconds since 1970). */
  notBefore: number;
  backOffMs: number;
}

export class EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #endpoints: readonly Endpoint[];
  #next = 0;
  #current: Connection | undefined;
  #connecting: Promise<Connection> | undefined;
  #token: string | undefined;
  #authenticating: Promise<string> | undefined;
  /** Left for the calls that are still under way on them. */
  readonly #retired = new Set<Connection>();
  /** Aborted by close(): nothing waits for an endpoint that does not answer any longer. */
  readonly #closing = new AbortController();

  constructor(options: EtcdClientOptions) {
    this.#options = options;
    setMaxListeners(0, this.#closing.signal);
    this.#endpoints = options.endpoints.map((url) => ({
      url,
      notBefore: 0,
      backOffMs: BACK_OFF_MIN_MS,
    }));
    if (this.#endpoints.length === 0) throw new RangeError("no etcd endpoints");
  }

  /** `body`: a buffer with FRAME_HEADER free bytes in front. Rejects with GrpcError. */
  read(path: string, body: Buffer, timeoutMs: number, signal?: AbortSignal): Promise<Buffer> {
    return this.#call(path, body, timeoutMs, signal, READ_ATTEMPTS);
  }

  /** Repeated only when the server can not have seen it. */
  write(path: string, body: Buffer, timeoutMs: number, signal?: AbortSignal): Promise<Buffer> {
    return this.#call(path, body, timeoutMs, signal, 1);
  }

  /** The live connection and the token to use on it. */
  async connected(
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<{ connection: Connection; token?: string }> {
    const deadline = Date.now() + timeoutMs;
    const connection = await this.#connection(deadline, signal);
    const token = await this.#tokenFor(connection, deadline);
    return token === undefined ? { connection } : { connection, token };
  }

  /** For a stream that was refused its token. */
  forgetToken(): void {
    this.#token = undefined;
  }

  /** The member behind the live connection has no leader: later calls go to the next one. */
  avoidCurrent(): void {
    const old = this.#current;
    if (old === undefined || this.#endpoints.length < 2) return;
    this.#current = undefined;
    this.#retired.add(old);
    setTimeout(() => {
      this.#retired.delete(old);
      old.close();
    }, RETIRED_MS).unref();
  }

  close(): void {
    this.#closing.abort();
    this.#current?.close();
    for (const connection of this.#retired) connection.close();
  }

  async #call(
    path: string,
    body: Buffer,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    attempts: number,
  ): Promise<Buffer> {
    if (body.length - FRAME_HEADER > MAX_SEND_BYTES) {
      const size = body.length - FRAME_HEADER;
      const message = `trying to send message larger than max (${size} vs. ${MAX_SEND_BYTES})`;
      throw new GrpcError(GrpcCode.resourceExhausted, message, false);
    }
    const deadline = Date.now() + timeoutMs;
    let renewed = false;
    for (let attempt = 1; ; ) {
      try {
        const connection = await this.#connection(deadline, signal);
        const token = await this.#tokenFor(connection, deadline);
        if (signal?.aborted) throw canceled();
        const left = deadline - Date.now();
        return await connection.unary(path, frame(body), { timeoutMs: left, token, signal });
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
        if (signal?.aborted || this.#closed || Date.now() >= deadline) throw error;
        if (this.#options.user !== undefined && wantsNewToken(error) && !renewed) {
          this.#token = undefined;
          renewed = true;
          continue;
        }
        if (error.code !== GrpcCode.unavailable) throw error;
        if (hasNoLeader(error)) this.avoidCurrent();
        if (error.sent && ++attempt > attempts) throw error;
        // No leader.
        if (this.#current?.usable) await this.#pause(BACK_OFF_MIN_MS * attempt, deadline);
      }
    }
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #connection(deadline: number, signal?: AbortSignal): Promise<Connection> {
    if (this.#current?.usable) return this.#current;
    if (this.#closed) throw new GrpcError(GrpcCode.unavailable, "the client is closed", false);
    this.#connecting ??= this.#connect(deadline).finally(() => {
      this.#connecting = undefined;
    });
    return signal === undefined ? this.#connecting : unlessAborted(this.#connecting, signal);
  }

  /** Tries the endpoints in turn, each not before its back-off, until the deadline. */
  async #connect(deadline: number): Promise<Connection> {
    let last = new GrpcError(GrpcCode.unavailable, "no etcd endpoint answers", false);
    while (!this.#closed && Date.now() < deadline) {
      const endpoint = this.#pick();
      await this.#pause(endpoint.notBefore - Date.now(), deadline);
      if (Date.now() >= deadline || this.#closed) break;
      try {
        const onClose = () => {
          if (this.#current === connection) this.#current = undefined;
        };
        const tls = this.#tls(endpoint.url);
        const { signal } = this.#closing;
        const connection = await Connection.open(endpoint.url, tls, onClose, signal);
        endpoint.backOffMs = BACK_OFF_MIN_MS;
        this.#current = connection;
        return connection;
      } catch (error) {
        if (error instanceof GrpcError) last = error;
        else throw error;
        endpoint.notBefore = Date.now() + endpoint.backOffMs * (0.8 + Math.random() * 0.4);
        endpoint.backOffMs = Math.min(endpoint.backOffMs * 2, BACK_OFF_MAX_MS);
      }
    }
    throw last;
  }

  /** Waits, but not beyond the deadline or the client's end. */
  #pause(ms: number, deadline: number): Promise<void> {
    const bounded = Math.min(ms, deadline - Date.now());
    return bounded <= 0 ? Promise.resolve() : pause(bounded, this.#closing.signal);
  }

  /** The next in turn; one that need not wait before one that must. */
  #pick(): Endpoint {
    let best: Endpoint | undefined;
    const now = Date.now();
    for (let i = 0; i < this.#endpoints.length; i++) {
      const endpoint = this.#endpoints[(this.#next + i) % this.#endpoints.length];
      if (endpoint === undefined) continue;
      const wait = Math.max(endpoint.notBefore, now);
      if (best === undefined || wait < Math.max(best.notBefore, now)) best = endpoint;
    }
    this.#next = (this.#next + 1) % this.#endpoints.length;
    if (best === undefined) throw new RangeError("no etcd endpoints");
    return best;
  }

  /** Read anew for every connection, so that rotated certificates need no restart. */
  #tls(url: string): SecureContextOptions | undefined {
    if (!url.startsWith("https:")) return undefined;
    const { caFile, certFile, keyFile } = this.#options;
    try {
      return {
        ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
        ...(certFile === undefined ? {} : { cert: readFileSync(certFile) }),
        ...(keyFile === undefined ? {} : { key: readFileSync(keyFile) }),
      };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new GrpcError(GrpcCode.unavailable, message, false);
    }
  }

  async #tokenFor(connection: Connection, deadline: number): Promise<string | undefined> {
    const user = this.#options.user;
    if (user === undefined || this.#token !== undefined) return this.#token;
    this.#authenticating ??= this.#authenticate(connection, user, deadline).finally(() => {
      this.#authenticating = undefined;
    });
    this.#token = await this.#authenticating;
    return this.#token;
  }

  async #authenticate(
    connection: Connection,
    user: { readonly name: string; readonly password: string },
    deadline: number,
  ): Promise<string> {
    const body = frame(encodeAuthenticate(user.name, user.password, FRAME_HEADER));
    const options = { timeoutMs: deadline - Date.now(), token: undefined, signal: undefined };
    const answer = await connection.unary("/etcdserverpb.Auth/Authenticate", body, options);
    return decodeAuthenticate(answer);
  }
}

function canceled(): GrpcError {
  return new GrpcError(GrpcCode.canceled, "context canceled", false);
}

/** The connection, or `context canceled` when `signal` comes first; others may go on waiting. */
function unlessAborted(connecting: Promise<Connection>, signal: AbortSignal): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(canceled());
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    const done = () => signal.removeEventListener("abort", abort);
    connecting.then(
      (connection) => {
        done();
        resolve(connection);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}
