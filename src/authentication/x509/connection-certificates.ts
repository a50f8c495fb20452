/** The parsed client certificate of a connection, read once for its life. */
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

/**
 * The connection's certificate once `pool` accepts it; undefined without one. Throws
 * CertificateRefused. The signature is checked once per connection, the dates at every call, so
 * that a certificate does not outlive its end on a connection that stays open.
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
      known = { validUntil: Number.POSITIVE_INFINITY, error: why };
    }
    verified.set(pool, known);
  }
  if (known.error !== undefined) throw known.error;
  return certificate;
}

function identityOf(connection: ClientConnection): ConnectionIdentity | undefined {
  if (connection.certificate === undefined) return undefined;
  if (connection.identity === undefined) {
    const certificate = parseCertificate(connection.certificate);
    connection.identity = { certificate, verified: new WeakMap() } satisfies ConnectionIdentity;
  }
  return connection.identity as ConnectionIdentity; // written above only
}
