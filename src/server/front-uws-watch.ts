/**
 * Watches over HTTP on uWebSockets.js: the native pump when the watch has a native cursor, frames
 * from JavaScript otherwise.
 */
import type { WatchId } from "../native/binding.ts";
import type { WatchResponse } from "../request/request.ts";
import type { UwsExchange } from "./front-uws-exchange.ts";
import { loadedPump } from "./front-uws-pump.ts";
import { writeHead } from "./front-uws-write.ts";
import { completeHeaders } from "./response.ts";

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
  const pump = loadedPump();
  if (watch.nativeId === undefined || pump === undefined) {
    new FrameWriter(exchange, watch).start();
    return;
  }
  pumpNatively(exchange, watch, pump, watch.nativeId as WatchId);
}

/** The addon writes the events; JavaScript hears of the watch again when it ends. */
function pumpNatively(
  exchange: UwsExchange,
  watch: WatchResponse,
  pump: NonNullable<ReturnType<typeof loadedPump>>,
  id: WatchId,
): void {
  const end = () => pump.endWatch(id);
  const timer = setTimeout(end, Math.min(watch.timeoutMs, TIMER_MS_MAX));
  exchange.earlyEnd = end;
  exchange.onOver(() => {
    clearTimeout(timer);
    pump.closeWatch(id);
  });
  pump.startWatch(id, {
    res: exchange.res,
    ssl: true,
    json: isJson(watch),
    headers: completeHeaders(exchange.request, watch),
    onEnd: () => exchange.finish(),
  });
}

const isJson = (watch: WatchResponse) =>
  watch.headers.some(
    ([name, value]) => name.toLowerCase() === "content-type" && value.includes("json"),
  );

/**
 * Writes frames from JavaScript. uWS sends the end of the headers, and of each chunk, only with
 * the next write; so a space opens the body and follows each batch, which JSON decoders skip.
 * Protobuf allows no such filler: there the head waits for the first event.
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
    this.#filler = isJson(watch) ? " " : "";
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
        // Strict clients take a chunk only with its CRLF.
        if (this.#filler !== "") res.write(this.#filler);
      });
    }
  }

  #end(): void {
    if (this.#exchange.over) return;
    this.#exchange.res.cork(() => this.#exchange.res.end(undefined, this.#exchange.draining));
    this.#exchange.finish();
  }
}
