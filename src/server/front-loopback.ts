/**
 * Serves the in-server controllers' requests without a connection: a message in, messages out. They
 * pass the same gates as those of any client, with the token of system:apiserver.
 * Upstream: apiserver/pkg/server/options/serving_with_loopback.go, which goes over TLS.
 */
import { StringDecoder } from "node:string_decoder";
import type { MessagePort } from "node:worker_threads";
import type {
  ClientConnection,
  Response,
  StreamResponse,
  WatchResponse,
} from "../request/request.ts";
import { BodyBuffer } from "./body-buffer.ts";
import { Deadlines, requestTimeoutMs } from "./deadline.ts";
import type { FrontLimits, Serve } from "./front.ts";
import { pumpFrames } from "./front-node-write.ts";
import { HeaderFields, IncomingRequest } from "./incoming-request.ts";
import type { FromLoopback, LoopbackRequest, ToLoopback } from "./loopback-messages.ts";
import { deadlineResponse, discard, errorResponse, textResponse } from "./response.ts";

const CHUNK_BYTES = 64 * 1024;
/** Of a watch, that the controllers have not taken yet. */
const UNTAKEN_MAX = 1024 * 1024;

export interface LoopbackFrontConfig {
  readonly serve: Serve;
  readonly limits: Pick<FrontLimits, "bodyBytesMax" | "requestTimeoutMs">;
}

export class LoopbackFront {
  readonly #port: MessagePort;
  readonly #config: LoopbackFrontConfig;
  readonly #open = new Map<number, LoopbackExchange>();
  readonly #deadlines = new Deadlines();
  readonly #connection: ClientConnection = {
    remoteAddress: "127.0.0.1:0",
    certificate: undefined,
    identity: undefined,
  };

  /** Takes the port over. It keeps no thread alive. */
  constructor(port: MessagePort, config: LoopbackFrontConfig) {
    this.#port = port;
    this.#config = config;
    port.on("message", (message: ToLoopback) => {
      if (message.kind === "request") this.#serve(message.id, message);
      else if (message.kind === "taken") this.#open.get(message.id)?.taken(message.length);
      else this.#open.get(message.id)?.abort();
    });
    port.once("close", () => this.close());
    port.unref();
  }

  /** Whoever still waits is told that there is no answer. */
  close(): void {
    for (const exchange of this.#open.values()) exchange.abort();
    this.#deadlines.close();
    this.#port.close();
  }

  #serve(id: number, received: LoopbackRequest): void {
    const { bodyBytesMax, requestTimeoutMs: timeoutMs } = this.#config.limits;
    let request: IncomingRequest;
    try {
      request = incoming(received, this.#connection, bodyBytesMax);
    } catch (thrown) {
      const end: FromLoopback = { kind: "end", id, error: String(thrown) };
      this.#port.postMessage(end);
      return;
    }
    const exchange = new LoopbackExchange(request, {
      say: (message) => this.#port.postMessage({ ...message, id }),
      over: () => {
        this.#open.delete(id);
        this.#deadlines.remove(request);
      },
    });
    this.#open.set(id, exchange);
    void this.#answer(exchange, timeoutMs);
  }

  async #answer(exchange: LoopbackExchange, maximumMs: number): Promise<void> {
    const { request } = exchange;
    try {
      const timeoutMs = requestTimeoutMs(request, maximumMs);
      if (timeoutMs !== undefined) {
        this.#deadlines.add(request, timeoutMs, () => exchange.write(deadlineResponse()));
      }
      const answer = await this.#config.serve(request);
      this.#deadlines.remove(request);
      exchange.write(answer);
    } catch (thrown) {
      exchange.write(errorResponse(thrown));
    }
  }
}

function incoming(
  { method, target, headers, body }: LoopbackRequest,
  connection: ClientConnection,
  bodyBytesMax: number,
): IncomingRequest {
  const fields = new HeaderFields();
  for (const [name, value] of headers) fields.add(name.toLowerCase(), value);
  let buffer: BodyBuffer | undefined;
  if (body !== undefined) {
    buffer = new BodyBuffer(bodyBytesMax, { pause() {}, resume() {} });
    buffer.push(Buffer.from(body));
    buffer.end();
  }
  const parts = { method, target, headers: fields, connection, selectors: undefined };
  return new IncomingRequest({ ...parts, body: buffer });
}

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

interface ExchangeEnd {
  say(message: WithoutId<FromLoopback>): void;
  /** Nothing more will be said. */
  over(): void;
}

class LoopbackExchange {
  readonly request: IncomingRequest;
  readonly #end: ExchangeEnd;
  #answered = false;
  #over = false;
  #untaken = 0;
  #unsaid = "";
  #onDrain: () => void = () => {};
  #onClose: () => void = () => {};

  constructor(request: IncomingRequest, end: ExchangeEnd) {
    this.request = request;
    this.#end = end;
  }

  taken(length: number): void {
    const wasFull = this.#untaken >= UNTAKEN_MAX;
    this.#untaken -= length;
    if (wasFull && this.#untaken < UNTAKEN_MAX) this.#onDrain();
  }
  abort(): void {
    this.request.abort("the client is gone");
    this.#finish("the server is shutting down");
  }

  /** The first answer wins. */
  write(answer: Response): void {
    if (this.#over || this.#answered) {
      discard(answer);
      return;
    }
    this.#answered = true;
    switch (answer.kind) {
      case "bytes": {
        const { status, body } = answer;
        this.#end.say({ kind: "whole", status, text: textOf(body) });
        this.#settle();
        return;
      }
      case "stream":
        void this.#stream(answer);
        return;
      case "watch":
        this.#watch(answer);
        return;
      case "upgrade": {
        answer.abandon?.();
        this.#answered = false;
        this.write(textResponse(400, "you must upgrade the connection"));
      }
    }
  }

  async #stream(answer: StreamResponse): Promise<void> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const decoder = new StringDecoder("utf8");
    let error: string | undefined;
    try {
      this.#end.say({ kind: "head", status: answer.status });
      while (!this.#over) {
        const length = await answer.read(chunk);
        if (length === 0) break;
        this.#end.say({ kind: "text", text: decoder.write(chunk.subarray(0, length)) });
      }
    } catch (thrown) {
      error = String(thrown);
    } finally {
      answer.close();
    }
    this.#finish(error);
  }

  /**
   * Frames are whole events: none ends within a character. Those of one turn go as one message, up
   * to a chunk's length.
   */
  #watch(answer: WatchResponse): void {
    this.#end.say({ kind: "head", status: answer.status });
    pumpFrames(answer, {
      write: (frame) => {
        const text = textOf(frame);
        this.#untaken += text.length;
        if (this.#unsaid === "") setImmediate(() => this.#sayRest());
        this.#unsaid += text;
        if (this.#unsaid.length >= CHUNK_BYTES) this.#sayRest();
        return this.#untaken < UNTAKEN_MAX;
      },
      onDrain: (callback) => {
        this.#onDrain = callback;
      },
      onClose: (callback) => {
        this.#onClose = callback;
      },
      end: () => this.#finish(undefined),
    });
  }

  #sayRest(): void {
    if (this.#over || this.#unsaid === "") return;
    this.#end.say({ kind: "text", text: this.#unsaid });
    this.#unsaid = "";
  }

  #finish(error: string | undefined): void {
    if (this.#over) return;
    this.#sayRest();
    this.#end.say({ kind: "end", error });
    this.#settle();
  }
  #settle(): void {
    this.#over = true;
    this.#end.over();
    this.#onClose();
  }
}

function textOf(bytes: Uint8Array | string): string {
  if (typeof bytes === "string") return bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}
