/**
 * Serves watches on uWebSockets.js responses. The addon writes events straight to the socket, each
 * batch one whole HTTP chunk with its closing CRLF: uWS's own res.write holds that CRLF, and the end
 * of the headers, back until the next write, so strict clients would see every event one late.
 * Head and end are ours too: uWS's own need filler to be sent, and to clients that read line by
 * line an empty line is an event. So the connection closes behind a watch.
 * Where the addon can not do so, res.write serves, behind the same functions.
 *
 * Threads: each has its own pump; a watch is served on the thread that opened it.
 */
import type { HttpResponse } from "uWebSockets.js";
import type { PumpEnd, WatchId } from "./binding.ts";
import { NativeError, native } from "./binding.ts";
import { uwsBinaryPath } from "./uws.ts";

export interface WatchResponse {
  readonly res: HttpResponse;
  readonly ssl: boolean;
  /** Whether the stream is JSON lines. */
  readonly json: boolean;
  /** `Content-Type` and what else, without Transfer-Encoding and Connection. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The response has ended (not called after closeWatch). */
  readonly onEnd?: (why: PumpEnd) => void;
}

const FALLBACK_CHUNK = 64 * 1024;
const served = new Map<WatchId, WatchResponse>();
let ready: boolean | undefined;
let scratch: Buffer | undefined;

/** Whether the addon writes to sockets itself. Decided once a thread, at the first watch. */
export function hasPump(): boolean {
  if (ready !== undefined) return ready;
  ready = process.env["KLYSTRON_PUMP"] !== "off" && native.pumpInit(uwsBinaryPath());
  if (ready) native.onPumpEnd(finish);
  return ready;
}

function finish(watch: WatchId, why: PumpEnd): void {
  const response = served.get(watch);
  if (response === undefined) return;
  served.delete(watch);
  native.watchClose(watch);
  if (hasPump()) response.res.close();
  else response.res.cork(() => response.res.end());
  response.onEnd?.(why);
}

function rawHead(response: WatchResponse): Buffer {
  const lines = response.headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const fixed = "Transfer-Encoding: chunked\r\nConnection: close\r\n";
  return Buffer.from(`HTTP/1.1 200 OK\r\n${lines}${fixed}\r\n`, "latin1");
}

/**
 * Answers 200 with the watch's events until it ends. The caller has set res.onAborted to call
 * closeWatch, and writes nothing to `res` itself. Outside of res.cork.
 */
export function startWatch(watch: WatchId, response: WatchResponse): void {
  const { res } = response;
  served.set(watch, response);
  if (hasPump()) {
    res.onWritable(() => {
      native.pumpResume(watch);
      return true;
    });
    native.pumpAttach(watch, res, response.ssl, rawHead(response));
    return;
  }
  res.cork(() => {
    res.writeStatus("200 OK");
    for (const [name, value] of response.headers) res.writeHeader(name, value);
    res.write(response.json ? " " : "");
  });
  const drain = () => drainFallback(watch, res);
  res.onWritable(() => {
    drain();
    return true;
  });
  native.onReadable(watch, drain);
}

function drainFallback(watch: WatchId, res: HttpResponse): void {
  scratch ??= Buffer.allocUnsafe(FALLBACK_CHUNK);
  while (served.has(watch)) {
    const size = native.watchRead(watch, scratch);
    if (size === 0) return;
    if (size < -100) {
      scratch = Buffer.allocUnsafe(-size - 100);
    } else if (size < 0) {
      const line = `${expiredEvent(native.watchError(watch))}\n`;
      if (size === NativeError.expired && served.get(watch)?.json) res.cork(() => res.write(line));
      finish(watch, size === NativeError.expired ? "expired" : "dropped");
      return;
    } else {
      let taken = true;
      const view = scratch.subarray(0, size);
      res.cork(() => {
        taken = res.write(view);
      });
      if (!taken) return;
    }
  }
}

/** The ERROR event of an expired watch. */
function expiredEvent(message: string): string {
  const object = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message,
    reason: "Expired",
    code: 410,
  };
  return JSON.stringify({ type: "ERROR", object });
}

/** Ends the watch properly, behind what is ready to be sent: at its timeout, or at shutdown. */
export function endWatch(watch: WatchId): void {
  if (!served.has(watch)) return;
  if (hasPump()) native.pumpEnd(watch);
  else finish(watch, "ended");
}

/** From res.onAborted: the connection is gone. */
export function closeWatch(watch: WatchId): void {
  served.delete(watch);
  native.watchClose(watch);
}

/** Watches served on this thread. */
export function watchCount(): number {
  return served.size;
}
