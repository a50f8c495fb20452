/** WebSockets on uWebSockets.js: watches, whose frames are messages, and what kubelets stream. */
import type {
  HttpRequest,
  HttpResponse,
  us_socket_context_t,
  WebSocket,
  WebSocketBehavior,
} from "uWebSockets.js";
import type { UpgradeResponse, WatchResponse } from "../request/request.ts";
import { pumpFrames } from "./front-node-write.ts";
import type { UwsExchange } from "./front-uws-exchange.ts";
import { completeHeaders, statusLine } from "./response.ts";
import { chosenProtocol } from "./websocket-protocol.ts";

/** Of one message: what clients of exec send is far below. */
const MESSAGE_BYTES_MAX = 1024 * 1024;
const BUFFERED_BYTES_MAX = 1024 * 1024;
/** RFC 6455: the server goes down. */
const GOING_AWAY = 1001;

export interface WebSocketHandshake {
  readonly context: us_socket_context_t;
  readonly headers: ReadonlyMap<string, string>;
}
interface SocketData {
  readonly answer: WatchResponse | UpgradeResponse;
  /** Tells the exchange how to end early, and that it is over. */
  readonly exchange: UwsExchange;
  onMessage: (data: Uint8Array, isBinary: boolean) => void;
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
    message: (socket, data, isBinary) =>
      socket.getUserData().onMessage(new Uint8Array(data), isBinary),
    drain: (socket) => socket.getUserData().onDrain(),
    close: (socket) => socket.getUserData().onClose(),
    maxPayloadLength: MESSAGE_BYTES_MAX,
    maxBackpressure: 0, // we stop at BUFFERED_BYTES_MAX ourselves; uWS must not drop messages
    idleTimeout: 0,
    sendPingsAutomatically: false,
  };
}

/** Completes the handshake. The exchange stays open until the socket closes. */
export function upgradeToWebSocket(
  exchange: UwsExchange,
  { context, headers }: WebSocketHandshake,
  answer: WatchResponse | UpgradeResponse,
): void {
  const nothing = () => {};
  const data = { answer, exchange, onMessage: nothing, onDrain: nothing, onClose: nothing };
  const offered = headers.get("sec-websocket-protocol");
  const own = answer.kind === "upgrade" ? answer.protocol : undefined;
  const protocol = own ?? chosenProtocol(answer.headers, offered);
  exchange.res.cork(() => {
    exchange.res.writeStatus(statusLine(101));
    for (const [name, value] of completeHeaders(exchange.request, answer)) {
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
  const { answer } = socket.getUserData();
  if (answer.kind === "watch") openWatch(socket, answer);
  else openMessages(socket, answer);
}

function openMessages(socket: WebSocket<SocketData>, answer: UpgradeResponse): void {
  const data = socket.getUserData();
  const { exchange } = data;
  let open = true;
  const close = (code: number) => {
    if (open) socket.end(code);
  };
  exchange.earlyEnd = () => close(GOING_AWAY);
  data.onClose = () => {
    open = false;
    exchange.finish();
  };
  answer.acceptMessages?.({
    send(bytes, isBinary) {
      if (!open) return false;
      socket.send(bytes, isBinary);
      return socket.getBufferedAmount() < BUFFERED_BYTES_MAX;
    },
    onMessage: (callback) => {
      data.onMessage = callback;
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
    close,
  });
}

function openWatch(socket: WebSocket<SocketData>, watch: WatchResponse): void {
  const data = socket.getUserData();
  const { exchange } = data;
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
