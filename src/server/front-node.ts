/**
 * The front on node:https: works wherever Node does, and can hand over raw connections (SPDY/3.1
 * upgrades). Several times the CPU of front-uws.ts per request.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { DetailedPeerCertificate, SecureContextOptions, TLSSocket } from "node:tls";
import { logError } from "../metrics/log.ts";
import { MalformedTarget } from "../request/go-url.ts";
import type { ClientConnection, Response } from "../request/request.ts";
import { BodyBuffer } from "./body-buffer.ts";
import { Deadlines, requestTimeoutMs } from "./deadline.ts";
import type { Front, FrontConfig, FrontLimits, ListenOptions, TlsMaterial } from "./front.ts";
import { writeUpgrade } from "./front-node-upgrade.ts";
import { writeResponse } from "./front-node-write.ts";
import { HeaderFields, IncomingRequest } from "./incoming-request.ts";
import { presented, resumed } from "./presented-chains.ts";
import { deadlineResponse, discard, errorResponse } from "./response.ts";

export class NodeFront implements Front {
  readonly name = "node";
  readonly #config: FrontConfig;
  readonly #open = new Set<{ request: IncomingRequest; end(): void }>();
  readonly #refused = new WeakSet<object>();
  readonly #connections = new WeakMap<object, ClientConnection>();
  readonly #deadlines = new Deadlines();
  #server: Server | undefined;
  #limits: FrontLimits | undefined;

  constructor(config: FrontConfig) {
    this.#config = config;
  }
  get openRequests(): number {
    return this.#open.size;
  }

  listen({ host, port, tls, limits }: ListenOptions): Promise<number> {
    this.#limits = limits;
    const server = createServer(
      {
        ...secureContext(tls),
        requestCert: tls.clientAuthorities !== undefined,
        // Authentication verifies it and answers 401; another authenticator may still win.
        rejectUnauthorized: false,
        maxHeaderSize: limits.headerBytesMax,
        headersTimeout: Math.min(limits.idleTimeoutMs, 32_000),
        requestTimeout: Math.max(limits.requestTimeoutMs, 32_000),
        keepAliveTimeout: limits.idleTimeoutMs,
        connectionsCheckingInterval: 4_000,
        insecureHTTPParser: false,
        noDelay: true,
        keepAlive: true,
        keepAliveInitialDelay: 30_000,
      },
      (message, response) => this.#serve(message, response),
    );
    server.maxConnections = limits.connectionsMax;
    server.maxHeadersCount = 1000;
    for (const { names, certificate, key } of tls.sni) {
      for (const name of names) server.addContext(name, { cert: certificate, key });
    }
    server.on("upgrade", (message, socket, head) => this.#upgrade(message, socket, head));
    server.on("checkContinue", (message, response) => this.#serve(message, response));
    server.on("clientError", refuse);
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", (error) => logError("Listener failed", error));
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  async reloadCertificates(tls: TlsMaterial): Promise<void> {
    this.#server?.setSecureContext(secureContext(tls));
    for (const { names, certificate, key } of tls.sni) {
      for (const name of names) this.#server?.addContext(name, { cert: certificate, key });
    }
  }

  async close(graceMs: number, watchGraceMs = 0): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const deadline = performance.now() + graceMs;
    const watchDeadline = performance.now() + Math.min(watchGraceMs, graceMs);
    while (this.#open.size > 0 && performance.now() < deadline) {
      if (performance.now() >= watchDeadline) for (const open of this.#open) open.end();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#deadlines.close();
    server.closeAllConnections();
    for (const { request } of this.#open) request.abort("the server is shutting down");
    await closed;
  }

  #serve(message: IncomingMessage, response: ServerResponse): void {
    const body = hasBody(message) ? collect(message, response, this.#bodyBytesMax) : undefined;
    if (this.#refused.has(message.socket)) return; // what came behind a refused request is none
    const request = this.#receive(message, body);
    if (request === undefined) {
      this.#refused.add(message.socket);
      refuse(new Error("bad target"), message.socket);
      return;
    }
    const open = { request, end: () => {} };
    this.#open.add(open);
    response.once("close", () => {
      request.abort("the client is gone");
      this.#open.delete(open);
      this.#deadlines.remove(request);
    });
    void this.#answer(request, (answer) => {
      if (response.headersSent || response.destroyed) return discard(answer);
      open.end = writeResponse(request, response, answer, body);
    });
  }

  #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const request = this.#receive(message, undefined);
    if (request === undefined) {
      refuse(new Error("bad target"), socket);
      return;
    }
    const open = { request, end: () => {} };
    this.#open.add(open);
    socket.once("close", () => {
      request.abort("the client is gone");
      this.#open.delete(open);
    });
    socket.on("error", () => socket.destroy());
    void this.#answer(request, (answer) => {
      if (socket.destroyed) return discard(answer);
      open.end = writeUpgrade({ request, message, socket, head, answer });
    });
  }

  /** Calls `write` once, with the handler's answer or the error that stands for it. */
  async #answer(request: IncomingRequest, write: (answer: Response) => void): Promise<void> {
    let answered = false;
    const answerOnce = (answer: Response) => {
      this.#deadlines.remove(request);
      if (answered) return discard(answer);
      answered = true;
      write(answer);
    };
    try {
      const timeoutMs = requestTimeoutMs(request, this.#limits?.requestTimeoutMs ?? 60_000);
      if (timeoutMs !== undefined) {
        this.#deadlines.add(request, timeoutMs, () => answerOnce(deadlineResponse()));
      }
      answerOnce(await this.#config.serve(request));
    } catch (thrown) {
      answerOnce(errorResponse(thrown));
    }
  }

  #receive(message: IncomingMessage, body: BodyBuffer | undefined): IncomingRequest | undefined {
    const headers = new HeaderFields();
    const raw = message.rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      headers.add((raw[i] ?? "").toLowerCase(), raw[i + 1] ?? "");
    }
    if (!headers.isEncodingKnown) return undefined;
    const parts = {
      method: message.method ?? "GET",
      target: message.url ?? "",
      headers,
      connection: this.#connectionOf(message.socket as TLSSocket),
      body,
      selectors: this.#config.selectors,
    };
    try {
      return new IncomingRequest(parts);
    } catch (thrown) {
      if (thrown instanceof MalformedTarget) return undefined;
      throw thrown;
    }
  }

  #connectionOf(socket: TLSSocket): ClientConnection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      const certificate = certificatesOf(socket);
      const remoteAddress = `${socket.remoteAddress ?? ""}:${socket.remotePort ?? 0}`;
      connection = { remoteAddress, certificate, identity: undefined };
      this.#connections.set(socket, connection);
    }
    return connection;
  }
  get #bodyBytesMax(): number {
    return this.#limits?.bodyBytesMax ?? 0;
  }
}

function secureContext(tls: TlsMaterial): SecureContextOptions {
  return {
    cert: tls.certificate,
    key: tls.key,
    minVersion: tls.minVersion,
    ...(tls.clientAuthorities === undefined ? {} : { ca: tls.clientAuthorities }),
    ...(tls.cipherSuites === undefined ? {} : { ciphers: tls.cipherSuites }),
  };
}

/** What the client presented, leaf first. */
function certificatesOf(socket: TLSSocket): string | undefined {
  const leaf: Partial<DetailedPeerCertificate> = socket.getPeerCertificate(true);
  if (leaf.raw === undefined) return undefined; // no certificate: an empty object
  const seen = new Set<Buffer>();
  let pem = "";
  let one: Partial<DetailedPeerCertificate> | undefined = leaf;
  while (one?.raw !== undefined && !seen.has(one.raw)) {
    seen.add(one.raw);
    const base64 = one.raw.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
    pem += `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
    one = one.issuerCertificate;
  }
  return socket.isSessionReused() ? resumed(pem) : presented(pem);
}

const hasBody = (message: IncomingMessage) =>
  message.headers["transfer-encoding"] !== undefined ||
  (message.headers["content-length"] ?? "0") !== "0";

/** Chunks flow into the buffer from now on; `Expect: 100-continue` is answered on first need. */
function collect(message: IncomingMessage, response: ServerResponse, bytesMax: number) {
  if (message.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
  const body = new BodyBuffer(bytesMax, message);
  message.on("data", (chunk: Buffer) => body.push(chunk));
  message.once("end", () => body.end());
  message.once("close", () => body.abort());
  message.once("error", () => body.abort());
  return body;
}

const REFUSED_MS = 1_000;

/** Go's answer to what is not HTTP: plain text, and the connection ends. */
function refuse(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const line = tooLarge ? "431 Request Header Fields Too Large" : "400 Bad Request";
  const headers = "Content-Type: text/plain; charset=utf-8\r\nConnection: close";
  setTimeout(() => socket.destroy(), REFUSED_MS).unref(); // whether the client reads it or not
  socket.end(`HTTP/1.1 ${line}\r\n${headers}\r\n\r\n${line}`);
}
