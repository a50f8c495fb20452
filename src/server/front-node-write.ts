/** How front-node.ts writes a response to an ordinary request. */
import type { ServerResponse } from "node:http";
import type { BytesResponse, Response, StreamResponse, WatchResponse } from "../request/request.ts";
import type { BodyBuffer } from "./body-buffer.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { completeHeaders, textResponse } from "./response.ts";

const CHUNK_BYTES = 64 * 1024;
/** setTimeout fires at once beyond this. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Writes `answer`. Returns a function that ends it early and in good order (for watches). */
export function writeResponse(
  request: IncomingRequest,
  response: ServerResponse,
  answer: Response,
  body: BodyBuffer | undefined,
): () => void {
  // With the rest of a body unread, the connection can not be used again.
  if (body !== undefined && !body.complete) response.setHeader("Connection", "close");
  switch (answer.kind) {
    case "bytes":
      writeBytes(request, response, answer);
      return nothing;
    case "stream":
      void writeStream(request, response, answer);
      return nothing;
    case "watch":
      return writeWatch(request, response, answer);
    case "upgrade":
      // The client did not ask to upgrade.
      answer.abandon?.();
      writeBytes(request, response, textResponse(400, "you must upgrade the connection"));
      return nothing;
  }
}
const nothing = () => {};

function writeBytes(request: IncomingRequest, response: ServerResponse, answer: BytesResponse) {
  setHead(request, response, answer);
  const body = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
  if (answer.status !== 304 && answer.status !== 204) {
    response.setHeader("Content-Length", body.length);
  }
  if (request.method === "HEAD") response.end();
  else response.end(body);
}

async function writeStream(
  request: IncomingRequest,
  response: ServerResponse,
  answer: StreamResponse,
): Promise<void> {
  try {
    setHead(request, response, answer);
    if (answer.byteLength !== undefined) response.setHeader("Content-Length", answer.byteLength);
    response.flushHeaders();
    while (request.method !== "HEAD" && !request.aborted) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES); // Node keeps it until it is sent
      const length = await answer.read(chunk);
      if (length === 0) break;
      if (!response.write(chunk.subarray(0, length))) await drained(response);
    }
    response.end();
  } catch {
    response.destroy(); // the status is out already: an aborted body is the only error signal left
  } finally {
    answer.close();
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off("drain", settle);
      response.off("close", settle);
      resolve();
    };
    response.on("drain", settle);
    response.on("close", settle);
  });
}

function writeWatch(request: IncomingRequest, response: ServerResponse, answer: WatchResponse) {
  setHead(request, response, answer);
  response.flushHeaders();
  const end = () => response.end();
  if (request.method === "HEAD") {
    answer.close();
    end();
    return nothing;
  }
  pumpFrames(answer, {
    write: (frame) => response.write(frame),
    onDrain: (callback) => response.on("drain", callback),
    onClose: (callback) => response.once("close", callback),
    end,
  });
  return end;
}

export interface FrameSink {
  /** False: hold back until drained. */
  write(frame: Uint8Array): boolean;
  onDrain(callback: () => void): void;
  onClose(callback: () => void): void;
  end(): void;
}

/**
 * Moves frames from the watch to the sink for as long as both live, no faster than the sink takes
 * them, and closes the watch exactly once.
 */
export function pumpFrames(watch: WatchResponse, sink: FrameSink): void {
  let done = false;
  let full = false;
  const finish = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    watch.close();
  };
  const pump = () => {
    while (!done && !full) {
      const frames = watch.frames();
      if (frames === "end") {
        finish();
        sink.end();
        return;
      }
      if (frames.length === 0) return;
      for (const frame of frames) full = !sink.write(frame) || full;
    }
  };
  const timer = setTimeout(
    () => {
      finish();
      sink.end();
    },
    Math.min(watch.timeoutMs, TIMER_MS_MAX),
  );
  sink.onDrain(() => {
    full = false;
    pump();
  });
  sink.onClose(finish);
  watch.onReadable(pump);
  pump();
}

function setHead(request: IncomingRequest, response: ServerResponse, answer: Response): void {
  if (answer.kind !== "upgrade") response.statusCode = answer.status;
  for (const [name, value] of completeHeaders(request, answer)) response.appendHeader(name, value);
}
