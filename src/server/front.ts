/**
 * The connection: what listens, terminates TLS, reads HTTP and writes responses. Two
 * implementations behind one interface: front-uws.ts and front-node.ts. Nothing above this file
 * knows an HTTP library.
 * Upstream: apiserver/pkg/server/secure_serving.go.
 */
import type { ReceivedRequest, Response } from "../request/request.ts";
import type { SelectorParsers } from "../request/request-info-parse.ts";

export type Serve = (request: ReceivedRequest) => Promise<Response> | Response;

export interface CertificatePair {
  /** PEM: leaf first, then its chain. */
  readonly certificate: string;
  readonly key: string;
}
export interface TlsMaterial extends CertificatePair {
  /** PEM of every CA whose client certificates may be presented; undefined: none is asked for. */
  readonly clientAuthorities: string | undefined;
  readonly sni: readonly (CertificatePair & { readonly names: readonly string[] })[];
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  /** OpenSSL names for TLS 1.2, joined by `:`; undefined: the library's own. */
  readonly cipherSuites: string | undefined;
}

/** Every bound of a connection, in one place. */
export interface FrontLimits {
  /** Request line and headers; 431 beyond. */
  readonly headerBytesMax: number;
  /** No body is taken beyond this, whatever a handler would allow; 413. */
  readonly bodyBytesMax: number;
  /** Time a client has to send its headers, and to send the next request. */
  readonly idleTimeoutMs: number;
  /** Answer time of a request that is not long-running; 504 beyond (--request-timeout). */
  readonly requestTimeoutMs: number;
  readonly connectionsMax: number;
}
export const defaultLimits: FrontLimits = {
  headerBytesMax: 65_536,
  bodyBytesMax: 4 * 1024 * 1024,
  idleTimeoutMs: 120_000,
  requestTimeoutMs: 60_000,
  connectionsMax: 65_536,
};

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls: TlsMaterial;
  readonly limits: FrontLimits;
}
export interface FrontConfig {
  readonly serve: Serve;
  readonly selectors?: SelectorParsers | undefined;
}

/** One way to serve HTTP. Its methods are called in this order: listen, reload..., close. */
export interface Front {
  readonly name: "uws" | "node";
  /** Rejects with the system's error (EADDRINUSE). Resolves to the port it listens on. */
  listen(options: ListenOptions): Promise<number>;
  /** New connections get the new material; open ones live on with the old. */
  reloadCertificates(tls: TlsMaterial): Promise<void>;
  /**
   * Stops accepting, lets requests finish for at most `graceMs`, ends watches after
   * `watchGraceMs`, then closes every connection. Resolves when none is left.
   */
  close(graceMs: number, watchGraceMs?: number): Promise<void>;
  /** Requests being served, watches included. */
  readonly openRequests: number;
}
