/** What is known of each connection, read once: certificate and address. */
import type { HttpResponse } from "uWebSockets.js";
import type { ClientConnection } from "../request/request.ts";
import { forgetClientCertificates, socketKey, takeClientCertificates } from "./front-uws-pump.ts";
import { presented, resumed } from "./presented-chains.ts";

/** Without the addon connections can not be told apart; identities are then kept by certificate. */
const BY_CERTIFICATE_MAX = 10_000;

export class Connections {
  readonly #bySocket = new Map<number, ClientConnection | undefined>();
  readonly #byCertificate = new Map<string, ClientConnection>();

  /** Connections that end with the answer under way. */
  readonly #refused = new Set<number>();

  /** Nothing more is read from this connection. */
  refuse(res: HttpResponse): void {
    const key = socketKey(res);
    if (key !== 0) this.#refused.add(key);
  }
  isRefused(res: HttpResponse): boolean {
    return this.#refused.size > 0 && this.#refused.has(socketKey(res));
  }
  /** From filter(1), before the handshake. */
  opened(res: HttpResponse): void {
    const key = socketKey(res);
    if (key !== 0) this.#bySocket.set(key, undefined);
  }
  /** From filter(-1): reading the certificate here would crash. */
  closed(res: HttpResponse): void {
    const key = socketKey(res);
    if (key === 0) return;
    this.#bySocket.delete(key);
    this.#refused.delete(key);
    forgetClientCertificates(res);
  }

  of(res: HttpResponse): ClientConnection {
    const key = socketKey(res);
    if (key === 0) return this.#shared(res);
    const known = this.#bySocket.get(key);
    if (known !== undefined) return known;
    const connection = read(res);
    this.#bySocket.set(key, connection);
    return connection;
  }

  #shared(res: HttpResponse): ClientConnection {
    const fresh = read(res);
    const key = `${fresh.remoteAddress} ${fresh.certificate ?? ""}`;
    const known = this.#byCertificate.get(key);
    if (known !== undefined) return known;
    if (this.#byCertificate.size >= BY_CERTIFICATE_MAX) this.#byCertificate.clear();
    this.#byCertificate.set(key, fresh);
    return fresh;
  }
}

function read(res: HttpResponse): ClientConnection {
  const shown = takeClientCertificates(res);
  const certificate = shown === "" ? resumed(res.getX509Certificate()) : presented(shown);
  return {
    // uWS does not tell the port.
    remoteAddress: `${addressText(new Uint8Array(res.getRemoteAddress()))}:0`,
    certificate: certificate === "" ? undefined : certificate,
    identity: undefined,
  };
}

/** Dotted for IPv4 and for IPv4 within IPv6, eight groups otherwise. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return "";
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (mapped) return bytes.subarray(12).join(".");
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(i * 2).toString(16));
  return `[${groups.join(":").replace(/(^|:)0(:0)+(:|$)/, "::")}]`;
}
