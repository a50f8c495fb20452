/**
 * The in-server controllers' way to the API, as upstream's loopback client: requests as any client
 * sends them, through every gate, but without a connection. What they do, an outside controller
 * could do, and takes over unseen.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { LoopbackRequest } from "../server/loopback-messages.ts";
import type { LoopbackPort } from "./loopback-port.ts";

export interface LoopbackConfig {
  readonly port: Pick<LoopbackPort, "call" | "stream" | "close">;
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
  readonly #userAgent: string;

  /** `userAgent` up to its first slash is the field manager of what is written. */
  constructor(config: LoopbackConfig, userAgent = "kube-apiserver/v1.36") {
    this.#config = config;
    this.#userAgent = userAgent;
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

  async #call(
    method: string,
    target: string,
    body?: unknown,
    contentType = "application/json",
    accept = "application/json",
  ): Promise<unknown> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const request = this.#request(method, target, accept, text, contentType);
    const answer = await this.#config.port.call(request);
    return parsed(answer.status, answer.text);
  }

  #request(
    method: string,
    target: string,
    accept: string,
    body?: string,
    contentType?: string,
  ): LoopbackRequest {
    const headers: [string, string][] = [
      ["authorization", `Bearer ${this.#config.token}`],
      ["accept", accept],
      ["user-agent", this.#userAgent],
    ];
    if (body !== undefined && contentType !== undefined)
      headers.push(["content-type", contentType]);
    return { method, target, headers, body };
  }

  /**
   * Streams events until the server ends the watch, the signal aborts or the connection breaks.
   * Rejects with ApiError when the watch does not start (410: list again).
   */
  async watch(
    path: string,
    onEvent: (event: WatchEventObject) => void,
    signal: AbortSignal,
    accept = "application/json",
  ): Promise<void> {
    let status = 0;
    let rest = "";
    const reader = {
      onHead(code: number) {
        status = code;
      },
      onText(text: string) {
        rest += text;
        if (status !== 200) return;
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          if (line.trim() !== "") onEvent(JSON.parse(line) as WatchEventObject);
        }
      },
    };
    await this.#config.port.stream(this.#request("GET", path, accept), reader, signal);
    if (status !== 200 && !signal.aborted) throw new ApiError(status, "", rest);
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
