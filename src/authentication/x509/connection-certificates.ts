/**
 * The parsed client certificate of a connection. Reading one and checking its signature costs more
 * than the rest of a handshake, so all connections that show the same certificate share the result.
 */
import type { ClientConnection } from "../../request/request.ts";
import { type ParsedCertificate, parseCertificate } from "./certificate.ts";

/** What is remembered in ClientConnection.identity. Only this file writes it. */
interface ConnectionIdentity {
  readonly certificate: ParsedCertificate;
  /** By pool: verified once, good until this time (ms), or the reason why it is not. */
  readonly verified: WeakMap<object, { readonly validUntil: number; readonly error?: Error }>;
}

interface Verifier {
  verifyClient(certificate: ParsedCertificate, now: number): void;
}

/** Clients whose certificates are remembered; the one that has been there longest goes first. */
const CERTIFICATES_MAX = 4_096;
const byPem = new Map<string, ConnectionIdentity>();

/**
 * The connection's certificate once `pool` accepts it; undefined without one. Throws
 * CertificateRefused. The signature is checked once per certificate and pool, the dates at every
 * call, so that a certificate does not outlive its end on a connection that stays open.
 */
export function verifiedCertificateOf(
  connection: ClientConnection,
  pool: Verifier,
  now: number,
): ParsedCertificate | undefined {
  const identity = identityOf(connection);
  if (identity === undefined) return undefined;
  const { certificate, verified } = identity;
  let known = verified.get(pool);
  if (known === undefined || now > known.validUntil) {
    known = { validUntil: certificate.notAfter };
    try {
      pool.verifyClient(certificate, now);
    } catch (error) {
      const why = error instanceof Error ? error : new Error(String(error));
      // What is not valid yet is asked again when it is.
      const { notBefore } = certificate;
      known = {
        validUntil: now < notBefore ? notBefore - 1 : Number.POSITIVE_INFINITY,
        error: why,
      };
    }
    verified.set(pool, known);
  }
  if (known.error !== undefined) throw known.error;
  return certificate;
}

function identityOf(connection: ClientConnection): ConnectionIdentity | undefined {
  const pem = connection.certificate;
  if (pem === undefined) return undefined;
  if (connection.identity === undefined) {
    let known = byPem.get(pem);
    if (known === undefined) {
      known = { certificate: parseCertificate(pem), verified: new WeakMap() };
      const [eldest] = byPem.size < CERTIFICATES_MAX ? [] : byPem.keys();
      if (eldest !== undefined) byPem.delete(eldest);
      byPem.set(pem, known);
    }
    connection.identity = known;
  }
  return connection.identity as ConnectionIdentity; // written above only
}
