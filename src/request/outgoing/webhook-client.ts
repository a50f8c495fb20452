/**
 * Asks a webhook: POST of JSON, JSON back, with retries for failures that pass.
 * Upstream: apiserver/pkg/util/webhook.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { ServerConnection } from "./kubeconfig.ts";

export interface RetryPolicy {
  readonly initialDelayMs: number;
  readonly factor: number;
  /** Calls in all. */
  readonly tries: number;
}
/** Upstream: DefaultRetryBackoffWithInitialDelay. */
export const retriesFrom = (initialDelayMs: number): RetryPolicy => ({
  initialDelayMs,
  factor: 1.5,
  tries: 5,
});

export interface WebhookClientOptions {
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  /** Try again after any failure, not only after those that are known to pass. */
  readonly retryAll?: boolean;
}

/** No usable answer came. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
  /** 0: none. */
  readonly status: number;
  readonly transient: boolean;
  constructor(message: string, status: number, transient: boolean) {
    super(message);
    this.status = status;
    this.transient = transient;
  }
}

const RESPONSE_BYTES_MAX = 3 * 1024 * 1024;
const SOCKETS_MAX = 32;
const JITTER = 0.2;

export class WebhookClient {
  readonly #connection: ServerConnection;
  readonly #options: WebhookClientOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #url: URL;

  constructor(connection: ServerConnection, options: WebhookClientOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#url = new URL(connection.server);
    const common = { keepAlive: true, maxSockets: SOCKETS_MAX };
    this.#agent =
      this.#url.protocol === "http:"
        ? new HttpAgent(common)
        : new HttpsAgent({
            ...common,
            rejectUnauthorized: !connection.insecure,
            ...(connection.authorities === undefined ? {} : { ca: connection.authorities }),
            ...(connection.serverName === undefined ? {} : { servername: connection.serverName }),
            ...(connection.certificate === undefined ? {} : { cert: connection.certificate }),
            ...(connection.key === undefined ? {} : { key: connection.key }),
          });
  }

  /** The parsed answer of a 2xx. Rejects with WebhookError once no try is left. */
  async post(body: string): Promise<unknown> {
    const { tries, initialDelayMs, factor } = this.#options.retry;
    let delayMs = initialDelayMs;
    for (let tried = 1; ; tried++) {
      try {
        return await this.#once(body);
      } catch (error) {
        const transient = error instanceof WebhookError && error.transient;
        const again = transient || this.#options.retryAll === true;
        if (!again || tried >= tries) throw error;
        const wait = delayMs * (1 + Math.random() * JITTER);
        await new Promise((resolve) => setTimeout(resolve, wait).unref());
        delayMs *= factor;
      }
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  #once(body: string): Promise<unknown> {
    const payload = Buffer.from(body);
    const { authorization, connectTo } = this.#connection;
    const send = this.#url.protocol === "http:" ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        const transient = "code" in error && error.code === "ECONNRESET";
        reject(new WebhookError(`Post ${this.#url.href}: ${error.message}`, 0, transient));
      };
      const options = {
        method: "POST",
        agent: this.#agent,
        ...(connectTo === undefined ? {} : connectTo),
        headers: {
          Host: this.#url.host,
          "Content-Type": "application/json",
          Accept: "application/json",
          "Content-Length": payload.length,
          ...(authorization === undefined ? {} : { Authorization: authorization }),
        },
      };
      const request = send(this.#url, options, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > RESPONSE_BYTES_MAX) request.destroy(new Error("the answer is too large"));
          else chunks.push(chunk);
        });
        response.on("error", fail);
        response.on("end", () => {
          clearTimeout(timer);
          try {
            resolve(answerOf(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8")));
          } catch (error) {
            reject(error);
          }
        });
      });
      // Of the whole exchange: a peer that sends a byte now and then must not hold a request.
      const timer = setTimeout(
        () => request.destroy(new Error("context deadline exceeded")),
        this.#options.timeoutMs,
      );
      timer.unref();
      request.on("error", (error) => {
        clearTimeout(timer);
        fail(error);
      });
      request.end(payload);
    });
  }
}

function answerOf(status: number, text: string): unknown {
  if (status < 200 || status > 299) {
    const transient = status === 429 || status === 500 || status === 504;
    const why = text.slice(0, 256);
    throw new WebhookError(`the server answered ${status}: ${why}`, status, transient);
  }
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new WebhookError("the answer is no JSON", status, false);
  }
}
