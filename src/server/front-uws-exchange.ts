/** One request and its answer on uWebSockets.js. */
import type { HttpRequest, HttpResponse, us_socket_context_t } from "uWebSockets.js";
import { logError } from "../metrics/log.ts";
import type { Response } from "../request/request.ts";
import type { SelectorParsers } from "../request/request-info-parse.ts";
import { BodyBuffer } from "./body-buffer.ts";
import { type Deadlines, requestTimeoutMs } from "./deadline.ts";
import type { FrontLimits, Serve } from "./front.ts";
import type { Connections } from "./front-uws-connections.ts";
import { startWatch } from "./front-uws-watch.ts";
import { upgradeToWebSocket, type WebSocketHandshake } from "./front-uws-websocket.ts";
import { writeBytes, writeStream } from "./front-uws-write.ts";
import { HeaderFields, IncomingRequest } from "./incoming-request.ts";
import { deadlineResponse, discard, errorResponse, textResponse } from "./response.ts";

export interface ExchangeContext {
  readonly serve: Serve;
  readonly selectors: SelectorParsers | undefined;
  readonly limits: FrontLimits;
  readonly deadlines: Deadlines;
  readonly connections: Connections;
  /** The connection closes with this answer. */
  readonly draining: boolean;
  finished(exchange: UwsExchange): void;
}

/** Headers that may come once only: two values are how requests are smuggled past a proxy. */
const SINGLE_HEADERS = ["content-length", "host"];
const UNSUPPORTED_ENCODING = "Unsupported transfer encoding";

export class UwsExchange {
  readonly res: HttpResponse;
  readonly #context: ExchangeContext;
  #request: IncomingRequest | undefined;
  #handshake: WebSocketHandshake | undefined;
  #body: BodyBuffer | undefined;
  #bodyPaused = false;
  #answered = false;
  /** `res` may not be touched any more. */
  #over = false;
  readonly #onOver: (() => void)[] = [];
  #endEarly: (() => void) | undefined;

  constructor(res: HttpResponse, context: ExchangeContext) {
    this.res = res;
    this.#context = context;
  }
  get over(): boolean {
    return this.#over;
  }
  get isHead(): boolean {
    return this.request.method === "HEAD";
  }
  get draining(): boolean {
    return this.#context.draining;
  }
  get request(): IncomingRequest {
    if (this.#request === undefined) throw new Error("the request has not been read");
    return this.#request;
  }

  /** The route: returns with onAborted set, and never throws. `req` is not used afterwards. */
  start(req: HttpRequest, socket: us_socket_context_t | undefined): void {
    this.res.onAborted(() => this.#abort());
    if (this.#context.connections.isRefused(this.res)) {
      // What came behind a refused request is no request. Its answer goes out first.
      setImmediate(() => {
        if (!this.#over) this.res.close();
      });
      return;
    }
    try {
      this.#receive(req, socket);
    } catch (error) {
      this.#refuse(error);
      return;
    }
    void this.#answer();
  }

  /** Calls back once when `res` is gone, whether answered or aborted. */
  onOver(callback: () => void): void {
    if (this.#over) callback();
    else this.#onOver.push(callback);
  }
  /** How a watch is ended in good order before its time. */
  set earlyEnd(end: () => void) {
    this.#endEarly = end;
  }
  endEarly(): void {
    this.#endEarly?.();
  }
  /** Called by the writers when the last byte has been handed to uWS. */
  finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#body?.abort();
    this.#context.finished(this);
    for (const callback of this.#onOver) callback();
  }

  #abort(): void {
    if (this.#request !== undefined) {
      this.#request.abort("the client is gone");
      this.#context.deadlines.remove(this.#request);
    }
    this.finish();
  }

  #receive(req: HttpRequest, socket: us_socket_context_t | undefined): void {
    const headers = new HeaderFields();
    req.forEach((name, value) => {
      headers.add(name, value);
    });
    for (const name of SINGLE_HEADERS) {
      if (headers.values(name).length > 1) throw new Error(`repeated header ${name}`);
    }
    if (!headers.isEncodingKnown) throw new Error(UNSUPPORTED_ENCODING);
    const query = req.getQuery() as string | undefined; // undefined without `?`
    const path = req.getUrl();
    if (socket !== undefined) this.#handshake = { context: socket, headers: headers.joined };
    this.#body = this.#collectBody(headers.joined);
    this.#request = new IncomingRequest({
      method: req.getCaseSensitiveMethod(),
      target: query === undefined || query === "" ? path : `${path}?${query}`,
      headers,
      connection: this.#context.connections.of(this.res),
      body: this.#body,
      selectors: this.#context.selectors,
    });
  }

  #collectBody(headers: ReadonlyMap<string, string>): BodyBuffer | undefined {
    const length = headers.get("content-length") ?? "0";
    if (length === "0" && !headers.has("transfer-encoding")) return undefined;
    const body = new BodyBuffer(this.#context.limits.bodyBytesMax, {
      pause: () => {
        this.#bodyPaused = true;
        if (!this.#over) this.res.pause();
      },
      resume: () => this.#resumeBody(),
    });
    this.res.onData((chunk, isLast) => {
      body.push(new Uint8Array(chunk.slice(0))); // the chunk is uWS's own and dies on return
      if (isLast) body.end();
    });
    return body;
  }
  #resumeBody(): void {
    if (!this.#bodyPaused) return;
    this.#bodyPaused = false;
    if (!this.#over) this.res.resume();
  }

  async #answer(): Promise<void> {
    const { deadlines, limits, serve } = this.#context;
    const request = this.request;
    try {
      const timeoutMs = requestTimeoutMs(request, limits.requestTimeoutMs);
      const served = serve(request);
      if (!(served instanceof Promise)) {
        this.#write(served);
        return;
      }
      if (timeoutMs !== undefined) {
        deadlines.add(request, timeoutMs, () => this.#write(deadlineResponse()));
      }
      this.#write(await served);
    } catch (thrown) {
      this.#write(errorResponse(thrown));
    }
  }

  /** The first answer wins; a later one, or one for a client that left, is only closed. */
  #write(answer: Response): void {
    if (this.#request !== undefined) this.#context.deadlines.remove(this.#request);
    if (this.#over || this.#answered) {
      discard(answer);
      return;
    }
    this.#answered = true;
    this.#resumeBody(); // the rest of an unread body passes by unseen
    try {
      this.#dispatch(answer);
    } catch (error) {
      logError("Writing a response failed", error);
      if (!this.#over) this.res.close();
    }
  }

  #dispatch(answer: Response): void {
    switch (answer.kind) {
      case "bytes":
        writeBytes(this, answer);
        return;
      case "stream":
        writeStream(this, answer);
        return;
      case "watch":
        if (this.#handshake !== undefined) upgradeToWebSocket(this, this.#handshake, answer);
        else startWatch(this, answer);
        return;
      case "upgrade":
        if (this.#handshake !== undefined && answer.acceptMessages !== undefined) {
          upgradeToWebSocket(this, this.#handshake, answer);
          return;
        }
        answer.abandon?.();
        writeBytes(this, textResponse(501, "this listener can not hand over connections"));
        return;
    }
  }

  /** Not HTTP as Go reads it. Nothing of the request is known for sure, so the connection ends. */
  #refuse(error: unknown): void {
    if (this.#over) return;
    this.#context.connections.refuse(this.res);
    const isEncoding = error instanceof Error && error.message === UNSUPPORTED_ENCODING;
    this.res.cork(() => {
      this.res.writeStatus(isEncoding ? "501 Not Implemented" : "400 Bad Request");
      this.res.writeHeader("Content-Type", "text/plain; charset=utf-8");
      this.res.end(isEncoding ? UNSUPPORTED_ENCODING : "400 Bad Request", true);
    });
    this.finish();
  }
}
