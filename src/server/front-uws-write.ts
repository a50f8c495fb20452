/** Byte and stream responses on uWebSockets.js. */
import type { HttpResponse } from "uWebSockets.js";
import type { BytesResponse, Response, StreamResponse } from "../request/request.ts";
import type { UwsExchange } from "./front-uws-exchange.ts";
import { completeHeaders, statusLine } from "./response.ts";

const CHUNK_BYTES = 64 * 1024;
/** Above this a body is written piece by piece: uWS would copy what the socket does not take. */
const SINGLE_WRITE_BYTES_MAX = 256 * 1024;
/** What one body may write before others have their turn: a quarter of a millisecond over TLS. */
const BYTES_AT_ONCE_MAX = 256 * 1024;
const SPARE_CHUNKS_MAX = 64;

const spareChunks: Buffer[] = [];
const takeChunk = () => spareChunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
function giveChunk(chunk: Buffer): void {
  if (spareChunks.length < SPARE_CHUNKS_MAX) spareChunks.push(chunk);
}

/** Status line and headers. Inside cork only. */
export function writeHead(exchange: UwsExchange, answer: Exclude<Response, { kind: "upgrade" }>) {
  const { res, request } = exchange;
  res.writeStatus(statusLine(answer.status));
  for (const [name, value] of completeHeaders(request, answer)) {
    const lower = name.toLowerCase();
    // uWS writes both itself.
    if (lower !== "content-length" && lower !== "connection") res.writeHeader(name, value);
  }
}

const closes = (answer: Response) =>
  answer.headers.some(([name, value]) => name.toLowerCase() === "connection" && value === "close");

export function writeBytes(exchange: UwsExchange, answer: BytesResponse): void {
  const { res } = exchange;
  const { body, status } = answer;
  const draining = exchange.draining || closes(answer);
  const byteLength = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  if (byteLength > SINGLE_WRITE_BYTES_MAX && !exchange.isHead) {
    writeStream(exchange, streamOf(answer, byteLength));
    return;
  }
  res.cork(() => {
    writeHead(exchange, answer);
    if (status === 304 || status === 204) endBodiless(res, draining);
    else if (exchange.isHead) res.endWithoutBody(byteLength, draining);
    else res.end(body, draining);
  });
  exchange.finish();
}

/** No Content-Length where there can be no body: an explicit undefined would be sent as 2^63. */
function endBodiless(res: UwsExchange["res"], draining: boolean): void {
  if (draining) res.endWithoutBody(0, true);
  else res.endWithoutBody();
}

function streamOf({ status, headers, body }: BytesResponse, byteLength: number): StreamResponse {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  let position = 0;
  return {
    kind: "stream",
    status,
    headers,
    byteLength,
    read(target) {
      const piece = bytes.subarray(position, position + target.length);
      target.set(piece);
      position += piece.length;
      return piece.length;
    },
    close() {},
  };
}

/** How long all long bodies together may keep a turn of the loop from watches and requests. */
const TURN_MS = 1;
const waitingBodies: (() => void)[] = [];

/** Goes on with a body in one of the next turns, after those that wait already. */
function inTurn(goOn: () => void): void {
  waitingBodies.push(goOn);
  if (waitingBodies.length === 1) setImmediate(runTurn);
}

function runTurn(): void {
  const end = performance.now() + TURN_MS;
  let done = 0;
  // Who goes on waiting is put behind; so the first one stays in place until the turn is over.
  for (const before = waitingBodies.length; done < before; ) {
    waitingBodies[done++]?.();
    if (performance.now() > end) break;
  }
  waitingBodies.splice(0, done);
  if (waitingBodies.length > 0) setImmediate(runTurn);
}

/** Writes under backpressure: at most one chunk of the body is in memory. */
export function writeStream(exchange: UwsExchange, answer: StreamResponse): void {
  if (exchange.isHead) {
    exchange.res.cork(() => {
      writeHead(exchange, answer);
      exchange.res.endWithoutBody(answer.byteLength, exchange.draining);
    });
    answer.close();
    exchange.finish();
    return;
  }
  exchange.res.cork(() => writeHead(exchange, answer));
  new StreamWriter(exchange, answer).pump();
}

class StreamWriter {
  readonly #exchange: UwsExchange;
  readonly #res: HttpResponse;
  readonly #answer: StreamResponse;
  readonly #chunk = takeChunk();
  /** What of the chunk the socket has not taken yet, and where that lies in the body. */
  #pending: Uint8Array | undefined;
  #pendingOffset = 0;
  #reading = false;
  #waiting = false;
  readonly #goOn = () => this.pump();

  constructor(exchange: UwsExchange, answer: StreamResponse) {
    this.#exchange = exchange;
    this.#res = exchange.res;
    this.#answer = answer;
    exchange.onOver(() => {
      answer.close();
      if (!this.#reading) giveChunk(this.#chunk); // a read under way still writes into it
    });
    this.#res.onWritable((offset) => this.#onWritable(offset));
  }

  /** Reads and writes until the socket is full, the body is done, or others have their turn. */
  pump(): void {
    let bytes = 0;
    const end = performance.now() + TURN_MS;
    while (!this.#exchange.over && !this.#waiting && !this.#reading) {
      if (bytes >= BYTES_AT_ONCE_MAX || performance.now() > end) {
        inTurn(this.#goOn);
        return;
      }
      let length: number | Promise<number>;
      try {
        length = this.#answer.read(this.#chunk);
      } catch {
        this.#fail();
        return;
      }
      if (typeof length !== "number") {
        this.#awaitRead(length);
        return;
      }
      bytes += length;
      this.#write(length);
    }
  }

  #awaitRead(length: Promise<number>): void {
    this.#reading = true;
    length.then(
      (value) => {
        this.#reading = false;
        if (this.#exchange.over) {
          giveChunk(this.#chunk);
          return;
        }
        this.#write(value);
        this.pump();
      },
      () => {
        this.#reading = false;
        this.#fail();
      },
    );
  }

  #write(length: number): void {
    if (this.#answer.byteLength === undefined) this.#writeChunked(length);
    else this.#writeKnown(this.#chunk.subarray(0, length), this.#answer.byteLength);
  }

  #writeChunked(length: number): void {
    if (length === 0) {
      this.#res.cork(() => this.#res.end(undefined, this.#exchange.draining));
      this.#exchange.finish();
      return;
    }
    this.#res.cork(() => {
      // uWS keeps a copy of what does not fit: one chunk at most, since we wait afterwards.
      this.#waiting = !this.#res.write(this.#chunk.subarray(0, length));
    });
  }

  #writeKnown(piece: Uint8Array, total: number): void {
    if (piece.length === 0) {
      if (total > 0) this.#fail();
      else this.#end();
      return;
    }
    this.#res.cork(() => {
      const offset = this.#res.getWriteOffset();
      const [ok, done] = this.#res.tryEnd(piece, total);
      if (done) {
        this.#exchange.finish();
      } else if (!ok) {
        this.#pending = piece;
        this.#pendingOffset = offset;
        this.#waiting = true;
      }
    });
  }
  #end(): void {
    this.#res.cork(() => this.#res.endWithoutBody(0, this.#exchange.draining));
    this.#exchange.finish();
  }

  #onWritable(offset: number): boolean {
    if (this.#exchange.over) return true;
    const pending = this.#pending;
    if (pending !== undefined && this.#answer.byteLength !== undefined) {
      this.#waiting = false;
      this.#pending = undefined;
      this.#writeKnown(pending.subarray(offset - this.#pendingOffset), this.#answer.byteLength);
      if (this.#waiting) return false;
    }
    this.#waiting = false;
    inTurn(this.#goOn);
    return true;
  }

  /** The status is out already: an aborted body is the only error signal left. */
  #fail(): void {
    if (!this.#exchange.over) this.#res.close();
  }
}
