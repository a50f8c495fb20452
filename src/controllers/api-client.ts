/**
 * The in-server controllers' way to the API: HTTPS to this server itself, as upstream's loopback
 * client. They get no other: what they do, an outside controller could do, and takes over unseen.
 */
import { Agent, request as httpsRequest } from "node:https";
import type { KubeObject } from "../apimachinery/meta/types.ts";

const TIMEOUT_MS = 30_000;
const SOCKETS_MAX = 8;
/**
 * The port is this process's own socket on a local address: who answers there holds the token
 * already. The operator's certificate may name other hosts and come from any CA.
 */
const OWN_PORT = { rejectUnauthorized: false } as const;

export interface LoopbackConfig {
  readonly host: string;
  readonly port: number;
  /** The identity system:apiserver; made at start, known to this process only. */
  readonly token: string;
}

export interface ListObject<T extends KubeObject> {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly T[];
}
export interface WatchEventObject {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: KubeObject;
}

/** The server answered with something other than success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: number;
  readonly reason: string;
  constructor(code: number, reason: string, message: string) {
    super(message);
    this.code = code;
    this.reason = reason;
  }
}
export const isNotFound = (error: unknown) => error instanceof ApiError && error.code === 404;
export const isConflict = (error: unknown) => error instanceof ApiError && error.code === 409;

export class ApiClient {
  readonly #config: LoopbackConfig;
  readonly #agent: Agent;
  readonly #userAgent: string;

  /** `userAgent` up to its first slash is the field manager of what is written. */
  constructor(config: LoopbackConfig, userAgent = "kube-apiserver/v1.36") {
    this.#config = config;
    this.#userAgent = userAgent;
    this.#agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, ...OWN_PORT });
  }

  /** The same server for a controller of another name. */
  as(userAgent: string): ApiClient {
    return new ApiClient(this.#config, userAgent);
  }

  get<T extends KubeObject>(path: string): Promise<T> {
    return this.#call("GET", path) as Promise<T>;
  }
  list<T extends KubeObject>(path: string, accept?: string): Promise<ListObject<T>> {
    return this.#call("GET", path, undefined, undefined, accept) as Promise<ListObject<T>>;
  }
  create<T extends KubeObject>(path: string, object: KubeObject): Promise<T> {
    return this.#call("POST", path, object) as Promise<T>;
  }
  update<T extends KubeObject>(path: string, object: KubeObject): Promise<T> {
    return this.#call("PUT", path, object) as Promise<T>;
  }
  /** A merge patch. */
  patch<T extends KubeObject>(path: string, patch: unknown): Promise<T> {
    return this.#call("PATCH", path, patch, "application/merge-patch+json") as Promise<T>;
  }
  delete(path: string, options?: unknown): Promise<unknown> {
    return this.#call("DELETE", path, options);
  }
  /** Any JSON document: discovery. */
  raw(path: string, accept?: string): Promise<unknown> {
    return this.#call("GET", path, undefined, undefined, accept);
  }

  /** The object, or undefined when there is none. */
  async find<T extends KubeObject>(path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  #call(
    method: string,
    path: string,
    body?: unknown,
    contentType = "application/json",
    accept = "application/json",
  ): Promise<unknown> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const request = httpsRequest(
        this.#options(method, path, accept, payload, contentType),
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("error", reject);
          response.on("end", () => {
            try {
              resolve(parsed(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8")));
            } catch (error) {
              reject(error);
            }
          });
        },
      );
      request.setTimeout(TIMEOUT_MS, () =>
        request.destroy(new Error(`${method} ${path} timed out`)),
      );
      request.on("error", reject);
      request.end(payload);
    });
  }

  #options(method: string, path: string, accept: string, payload?: Buffer, contentType?: string) {
    const { host, port, token } = this.#config;
    return {
      host,
      port,
      method,
      path,
      agent: this.#agent,
      servername: "localhost",
      headers: {
        Authorization: `Bearer ${token}`,
        Accept: accept,
        "User-Agent": this.#userAgent,
        ...(payload === undefined
          ? {}
          : { "Content-Type": contentType, "Content-Length": payload.length }),
      },
    };
  }

  /**
   * Streams events until the server ends the watch, the signal aborts or the connection breaks.
   * Rejects with ApiError when the watch does not start (410: list again).
   */
  watch(
    path: string,
    onEvent: (event: WatchEventObject) => void,
    signal: AbortSignal,
    accept = "application/json",
  ): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const options = {
        ...this.#options("GET", path, accept),
        agent: undefined,
        signal,
      };
      const request = httpsRequest({ ...options, ...OWN_PORT }, (response) => {
        const { statusCode = 0 } = response;
        let rest = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => {
          rest += text;
          if (statusCode !== 200) return;
          const lines = rest.split("\n");
          rest = lines.pop() ?? "";
          for (const line of lines) {
            if (line.trim() !== "") onEvent(JSON.parse(line) as WatchEventObject);
          }
        });
        response.on("error", reject);
        response.on("end", () => {
          if (statusCode === 200) resolve();
          else reject(new ApiError(statusCode, "", rest));
        });
      });
      request.on("error", (error) => (signal.aborted ? resolve() : reject(error)));
      request.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parsed(code: number, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (code >= 200 && code < 300) return value;
  const { reason = "", message = text } = (value ?? {}) as { reason?: string; message?: string };
  throw new ApiError(code, reason, message);
}
