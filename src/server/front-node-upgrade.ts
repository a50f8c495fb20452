/** How front-node.ts answers a request that asked to upgrade its connection. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type {
  Response,
  UpgradedSocket,
  UpgradeResponse,
  WatchResponse,
} from "../request/request.ts";
import { pumpFrames } from "./front-node-write.ts";
import type { IncomingRequest } from "./incoming-request.ts";
import { completeHeaders, statusLine } from "./response.ts";
import { chosenProtocol } from "./websocket-protocol.ts";

const WEBSOCKET_BUFFER_BYTES_MAX = 1024 * 1024;
/** RFC 6455: the server goes down. */
const GOING_AWAY = 1001;
const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

export interface Upgrade {
  readonly request: IncomingRequest;
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly answer: Response;
}

/** Answers an upgrade request. Returns a function that ends the connection in good order. */
export function writeUpgrade(upgrade: Upgrade): () => void {
  const { answer, request, socket, message } = upgrade;
  switch (answer.kind) {
    case "upgrade":
      if (answer.acceptMessages !== undefined) return relayMessages(upgrade, answer);
      switchProtocols(upgrade);
      return () => socket.end();
    case "watch":
      if (message.headers.upgrade?.toLowerCase() === "websocket") {
        return watchOverWebSocket(upgrade, answer);
      }
      answer.close();
      plain(socket, request, { ...answer, status: 400 }, "unsupported upgrade\n");
      return () => {};
    case "stream":
      void drainStream(upgrade);
      return () => {};
    case "bytes":
      plain(socket, request, answer, answer.body);
      return () => {};
  }
}

function head(request: IncomingRequest, answer: Response, status: number, more: string): string {
  const lines = completeHeaders(request, answer).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${statusLine(status)}\r\n${lines.join("")}${more}\r\n`;
}

function plain(
  socket: Duplex,
  request: IncomingRequest,
  answer: Exclude<Response, { kind: "upgrade" }>,
  body: Uint8Array | string,
): void {
  const bytes = Buffer.from(body);
  const more = `Content-Length: ${bytes.length}\r\nConnection: close\r\n`;
  socket.write(head(request, answer, answer.status, more));
  socket.end(request.method === "HEAD" ? undefined : bytes);
}

/** A stream answers an upgrade request only when the handler ignored it: send it, then close. */
async function drainStream({ socket, request, answer }: Upgrade): Promise<void> {
  if (answer.kind !== "stream") return;
  try {
    socket.write(head(request, answer, answer.status, "Connection: close\r\n"));
    while (!request.aborted) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      const length = await answer.read(chunk);
      if (length === 0) break;
      if (!socket.write(chunk.subarray(0, length))) {
        await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
      }
    }
    socket.end();
  } catch {
    socket.destroy();
  } finally {
    answer.close();
  }
}

function switchProtocols({ socket, request, answer, head: first }: Upgrade): void {
  if (answer.kind !== "upgrade") return;
  socket.write(head(request, answer, 101, ""));
  const upgraded: UpgradedSocket = {
    write: (bytes) => socket.write(bytes),
    onData: (callback) => {
      if (first.length > 0) callback(first);
      socket.on("data", callback);
    },
    onDrain: (callback) => socket.on("drain", callback),
    onClose: (callback) => socket.once("close", callback),
    close: () => socket.end(),
  };
  answer.accept(upgraded);
}

/** A WebSocket, message by message. */
function relayMessages(upgrade: Upgrade, answer: UpgradeResponse): () => void {
  const { request, message, socket, head: first } = upgrade;
  const { protocol = "" } = answer;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    handleProtocols: () => (protocol === "" ? false : protocol),
  });
  server.on("headers", (lines) => {
    for (const [name, value] of completeHeaders(request, answer)) lines.push(`${name}: ${value}`);
  });
  let end = (_code: number) => {};
  server.handleUpgrade(message, socket, first, (client) => {
    end = (code) => client.close(code);
    client.on("error", () => client.terminate());
    answer.acceptMessages?.({
      send(bytes, isBinary) {
        client.send(bytes, { binary: isBinary });
        return client.bufferedAmount < WEBSOCKET_BUFFER_BYTES_MAX;
      },
      onMessage: (callback) =>
        client.on("message", (bytes: Buffer, isBinary: boolean) => callback(bytes, isBinary)),
      onDrain: (callback) => socket.on("drain", callback),
      onClose: (callback) => client.once("close", callback),
      close: end,
    });
  });
  return () => end(GOING_AWAY);
}

/** Each frame becomes one message. Upstream: apiserver/pkg/endpoints/handlers/watch.go HandleWS. */
function watchOverWebSocket(upgrade: Upgrade, watch: WatchResponse): () => void {
  const { request, message, socket, head: first } = upgrade;
  const protocol = chosenProtocol(watch.headers, message.headers["sec-websocket-protocol"]);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MESSAGE_BYTES_MAX,
    handleProtocols: () => (protocol === "" ? false : protocol),
  });
  let end = () => {};
  server.on("headers", (lines) => {
    for (const [name, value] of completeHeaders(request, watch)) {
      const lower = name.toLowerCase();
      if (lower === "content-type" || lower === "sec-websocket-protocol") continue;
      lines.push(`${name}: ${value}`);
    }
  });
  server.once("wsClientError", () => watch.close());
  server.handleUpgrade(message, socket, first, (client) => {
    end = () => client.close(1000);
    client.on("error", () => client.terminate());
    pumpFrames(watch, {
      write: (frame) => {
        client.send(frame, { binary: !watch.text });
        return client.bufferedAmount < WEBSOCKET_BUFFER_BYTES_MAX;
      },
      onDrain: (callback) => socket.on("drain", callback),
      onClose: (callback) => client.once("close", callback),
      end,
    });
  });
  return () => end();
}
