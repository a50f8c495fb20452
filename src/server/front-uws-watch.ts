/**
 * Watches over HTTP on uWebSockets.js: the native pump when the watch has a native cursor, frames
 * from JavaScript otherwise.
 */
import type { WatchResponse } from "../request/request.ts";
import type { UwsExchange } from "./front-uws-exchange.ts";
import { writeHead } from "./front-uws-write.ts";

/** setTimeout fires at once beyond this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

export function startWatch(exchange: UwsExchange, watch: WatchResponse): void {
  if (exchange.isHead) {
    exchange.res.cork(() => {
      writeHead(exchange, watch);
      exchange.res.endWithoutBody(undefined, exchange.draining);
    });
    watch.close();
    exchange.finish();
    return;
  }
  exchange.onOver(() => watch.close());
  new FrameWriter(exchange, watch).start();
}

/**
 * Writes frames from JavaScript. uWS sends the end of the headers, and of each chunk, only with
 * the next write; so the body opens with a newline, which JSON decoders skip. Protobuf allows no
 * such filler: there the head waits for the first event.
 */
class FrameWriter {
  readonly #exchange: UwsExchange;
  readonly #watch: WatchResponse;
  readonly #filler: string;
  #full = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(exchange: UwsExchange, watch: WatchResponse) {
    this.#exchange = exchange;
    this.#watch = watch;
    const type = watch.headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
    this.#filler = type.includes("json") ? "\n" : "";
  }

  start(): void {
    const { res } = this.#exchange;
    res.cork(() => {
      writeHead(this.#exchange, this.#watch);
      if (this.#filler !== "") res.write(this.#filler);
    });
    res.onWritable(() => {
      this.#full = false;
      this.#pump();
      // Only a write makes uWS send what it holds back.
      if (!this.#exchange.over && this.#filler !== "") res.cork(() => res.write(this.#filler));
      return true;
    });
    const end = () => this.#end();
    this.#timer = setTimeout(end, Math.min(this.#watch.timeoutMs, TIMER_MS_MAX));
    this.#exchange.earlyEnd = end;
    this.#exchange.onOver(() => clearTimeout(this.#timer));
    this.#watch.onReadable(() => this.#pump());
    this.#pump();
  }

  #pump(): void {
    const { res } = this.#exchange;
    while (!this.#exchange.over && !this.#full) {
      const frames = this.#watch.frames();
      if (frames === "end") {
        this.#end();
        return;
      }
      if (frames.length === 0) return;
      res.cork(() => {
        for (const frame of frames) this.#full = !res.write(frame) || this.#full;
      });
    }
  }

  #end(): void {
    if (this.#exchange.over) return;
    this.#exchange.res.cork(() => this.#exchange.res.end(undefined, this.#exchange.draining));
    this.#exchange.finish();
  }
}
