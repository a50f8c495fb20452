/**
 * The parsed client certificate of a connection. Reading one and checking its signature costs more
 * than the rest of a handshake, so all connections that show the same certificate share the result.
 */
import type { ClientConnection } from "../../request/request.ts";
import { certificatesIn, type ParsedCertificate, parseCertificate } from "./certificate.ts";

/** What is remembered in ClientConnection.identity. Only this file writes it. */
interface ConnectionIdentity {
  readonly certificate: ParsedCertificate;
  /** What the client sent along, for a chain; read when it is needed, then the same again. */
  readonly intermediates: () => readonly ParsedCertificate[];
  /** By pool: verified once, good until this time (ms), or the reason why it is not. */
  readonly verified: WeakMap<object, { readonly validUntil: number; readonly error?: Error }>;
}

interface Verifier {
  verifyClient(
    certificate: ParsedCertificate,
    now: number,
    intermediates: () => readonly ParsedCertificate[],
  ): void;
}

/** Clients whose certificates are remembered; the one that has been there longest goes first. */
const CERTIFICATES_MAX = 4_096;
/** Certificates that no pool has accepted: whoever connects can make any number of them. */
const STRANGERS_MAX = 256;
/** Of what a client sends beside its leaf, the first ones. */
const INTERMEDIATES_MAX = 8;
/** A key's length beyond which nothing is remembered: one ordinary chain is 2 to 6 KB. */
const PEM_LENGTH_MAX = 16_384;
const byPem = new Map<string, ConnectionIdentity>();
const strangers = new Map<string, ConnectionIdentity>();

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
  const { certificate, intermediates, verified } = identity;
  let known = verified.get(pool);
  if (known === undefined || now > known.validUntil) {
    known = { validUntil: certificate.notAfter };
    try {
      pool.verifyClient(certificate, now, intermediates);
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
    if (known.error === undefined) accept(connection.certificate ?? "", identity);
  }
  if (known.error !== undefined) throw known.error;
  return certificate;
}

function identityOf(connection: ClientConnection): ConnectionIdentity | undefined {
  const pem = connection.certificate;
  if (pem === undefined) return undefined;
  if (connection.identity === undefined) {
    let known = byPem.get(pem) ?? strangers.get(pem);
    if (known === undefined) {
      known = read(pem);
      remember(strangers, STRANGERS_MAX, pem, known);
    }
    connection.identity = known;
  }
  return connection.identity as ConnectionIdentity; // written above only
}

function accept(pem: string, identity: ConnectionIdentity): void {
  if (!strangers.delete(pem)) return;
  remember(byPem, CERTIFICATES_MAX, pem, identity);
}

function read(pem: string): ConnectionIdentity {
  const [leaf = pem, ...sent] = certificatesIn(pem);
  let parsed: readonly ParsedCertificate[] | undefined;
  const intermediates = () => {
    parsed ??= sent.slice(0, INTERMEDIATES_MAX).map((one) => parseCertificate(one));
    return parsed;
  };
  return { certificate: parseCertificate(leaf), intermediates, verified: new WeakMap() };
}

function remember(
  map: Map<string, ConnectionIdentity>,
  max: number,
  pem: string,
  identity: ConnectionIdentity,
): void {
  if (pem.length > PEM_LENGTH_MAX) return;
  const [eldest] = map.size < max ? [] : map.keys();
  if (eldest !== undefined) map.delete(eldest);
  map.set(pem, identity);
}
