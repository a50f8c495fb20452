/**
 * Asks a webhook: POST of JSON, JSON back, with retries for failures that pass.
 * Upstream: apiserver/pkg/util/webhook.
 */
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import type { Credentials } from "./exec-credential.ts";
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
  readonly #url: URL;
  #agent: HttpAgent | HttpsAgent;
  /** What the agent's connections are made with, when a command prints it. */
  #credentials: Credentials | undefined;

  constructor(connection: ServerConnection, options: WebhookClientOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#url = new URL(connection.server);
    this.#agent = this.#createAgent(connection);
  }

  /** The parsed answer of a 2xx. Rejects with WebhookError once no try is left. */
  async post(body: string): Promise<unknown> {
    const { tries, initialDelayMs, factor } = this.#options.retry;
    let delayMs = initialDelayMs;
    for (let tried = 1; ; tried++) {
      const credentials = await this.#currentCredentials();
      try {
        return await this.#once(body);
      } catch (error) {
        if (credentials !== undefined && error instanceof WebhookError && error.status === 401) {
          this.#connection.exec?.refused(credentials);
        }
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

  #createAgent({ certificate, key }: Pick<Credentials, "certificate" | "key">) {
    const { insecure, authorities, serverName } = this.#connection;
    const common = { keepAlive: true, maxSockets: SOCKETS_MAX };
    if (this.#url.protocol === "http:") return new HttpAgent(common);
    return new HttpsAgent({
      ...common,
      rejectUnauthorized: !insecure,
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(serverName === undefined ? {} : { servername: serverName }),
      ...(certificate === undefined ? {} : { cert: certificate }),
      ...(key === undefined ? {} : { key }),
    });
  }

  /** Connections with an old certificate end; a new token needs no new connection. */
  async #currentCredentials(): Promise<Credentials | undefined> {
    const { exec } = this.#connection;
    if (exec === undefined) return undefined;
    let credentials: Credentials;
    try {
      credentials = await exec.get();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new WebhookError(`Post ${this.#url.href}: getting credentials: ${why}`, 0, false);
    }
    if (credentials.certificate !== this.#credentials?.certificate) {
      this.#agent.destroy();
      this.#agent = this.#createAgent(credentials);
    }
    this.#credentials = credentials;
    return credentials;
  }

  #once(body: string): Promise<unknown> {
    const payload = Buffer.from(body);
    const { connectTo } = this.#connection;
    const authorization = this.#connection.authorization ?? this.#credentials?.authorization;
    const send = this.#url.protocol === "http:" ? httpRequest : httpsRequest;
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        const transient = "code" in error && error.code === "ECONNRESET";
        const why = networkErrorText(error, this.#url, this.#connection.connectTo);
        reject(new WebhookError(`Post "${this.#url.href}": ${why}`, 0, transient));
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

/** Node's words for what went wrong on the way, as Go has them. */
function networkErrorText(
  error: Error & { readonly code?: unknown },
  url: URL,
  place: { readonly host: string; readonly port: number } | undefined,
): string {
  const port = place?.port ?? (url.port || (url.protocol === "http:" ? 80 : 443));
  const address = `${place?.host ?? url.hostname}:${port}`;
  switch (error.code) {
    case "ECONNREFUSED":
      return `dial tcp ${address}: connect: connection refused`;
    case "EHOSTUNREACH":
      return `dial tcp ${address}: connect: no route to host`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `dial tcp: lookup ${url.hostname}: no such host`;
    case "ECONNRESET":
      return "EOF";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return `${TLS_FAILED}: x509: certificate signed by unknown authority`;
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return `${TLS_FAILED}: x509: certificate has expired or is not yet valid: ${error.message}`;
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return `${TLS_FAILED}: x509: certificate is not valid for ${url.hostname}`;
    default:
      return error.message;
  }
}

const TLS_FAILED = "tls: failed to verify certificate";

/** What a Kubernetes client says of an answer that is no 2xx. */
function statusText(status: number, text: string): string {
  if (status === 404) return "the server could not find the requested resource";
  if (status < 500) {
    return `the server responded with the status code ${status} but did not return more information`;
  }
  const isJson = /^\s*[{[]/.test(text);
  const why = isJson || text.trim() === "" ? "unknown" : text.trim().slice(0, 256);
  return `an error on the server (${JSON.stringify(why)}) has prevented the request from succeeding`;
}

function answerOf(status: number, text: string): unknown {
  if (status < 200 || status > 299) {
    const transient = status === 429 || status === 500 || status === 504;
    throw new WebhookError(statusText(status, text), status, transient);
  }
  if (text === "") return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const why = "couldn't get version/kind; json parse error: the answer is no JSON";
    throw new WebhookError(why, status, false);
  }
}
