/** Watches over WebSocket on uWebSockets.js: each frame is one message. */
import type {
  HttpRequest,
  HttpResponse,
  us_socket_context_t,
  WebSocket,
  WebSocketBehavior,
} from "uWebSockets.js";
import type { WatchResponse } from "../request/request.ts";
import { pumpFrames } from "./front-node-write.ts";
import type { UwsExchange } from "./front-uws-exchange.ts";
import { completeHeaders, statusLine } from "./response.ts";
import { chosenProtocol } from "./websocket-protocol.ts";

/** What a client may send on a watch: nothing but control frames make sense. */
const MESSAGE_BYTES_MAX = 64 * 1024;
const BUFFERED_BYTES_MAX = 1024 * 1024;

export interface WebSocketHandshake {
  readonly context: us_socket_context_t;
  readonly headers: ReadonlyMap<string, string>;
}
interface SocketData {
  readonly watch: WatchResponse;
  /** Tells the exchange how to end early, and that it is over. */
  readonly exchange: UwsExchange;
  onDrain: () => void;
  onClose: () => void;
}

/** The ws route: `start` decides, as for any request, what the answer is. */
export function watchSocket(
  start: (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void,
): WebSocketBehavior<SocketData> {
  return {
    upgrade: start,
    open: openSocket,
    drain: (socket) => socket.getUserData().onDrain(),
    close: (socket) => socket.getUserData().onClose(),
    maxPayloadLength: MESSAGE_BYTES_MAX,
    maxBackpressure: 0, // we stop at BUFFERED_BYTES_MAX ourselves; uWS must not drop messages
    idleTimeout: 0,
    sendPingsAutomatically: false,
  };
}

/** Completes the handshake. The exchange stays open until the socket closes. */
export function upgradeToWatch(
  exchange: UwsExchange,
  { context, headers }: WebSocketHandshake,
  watch: WatchResponse,
): void {
  const data: SocketData = { watch, exchange, onDrain: () => {}, onClose: () => {} };
  const protocol = chosenProtocol(watch.headers, headers.get("sec-websocket-protocol"));
  exchange.res.cork(() => {
    exchange.res.writeStatus(statusLine(101));
    for (const [name, value] of completeHeaders(exchange.request, watch)) {
      const lower = name.toLowerCase();
      if (lower === "content-type" || lower === "sec-websocket-protocol") continue;
      exchange.res.writeHeader(name, value);
    }
    const key = headers.get("sec-websocket-key") ?? "";
    const extensions = headers.get("sec-websocket-extensions") ?? "";
    exchange.res.upgrade(data, key, protocol, extensions, context);
  });
}

function openSocket(socket: WebSocket<SocketData>): void {
  const data = socket.getUserData();
  const { watch, exchange } = data;
  let open = true;
  const end = () => {
    if (open) socket.end(1000);
  };
  exchange.earlyEnd = end;
  pumpFrames(watch, {
    write: (frame) => {
      if (!open) return false;
      socket.send(frame, !watch.text);
      return open && socket.getBufferedAmount() < BUFFERED_BYTES_MAX;
    },
    onDrain: (callback) => {
      data.onDrain = callback;
    },
    onClose: (callback) => {
      data.onClose = () => {
        open = false;
        callback();
        exchange.finish();
      };
    },
    end,
  });
}
