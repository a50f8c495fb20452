/**
 * A set of trusted authorities, and whether a client certificate was issued by one of them.
 * TLS has verified the certificate already, but against the union of --client-ca-file and
 * --requestheader-client-ca-file; which of the two it was decides what the certificate may do.
 * Upstream: crypto/x509 Certificate.Verify with KeyUsages: ClientAuth.
 */
import { type ParsedCertificate, parseCertificate } from "./certificate.ts";

export const OID_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const OID_ANY_USAGE = "2.5.29.37.0";
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const CHAIN_LENGTH_MAX = 8;

/** A certificate that is not good for what it was shown for; the message says why. */
export class CertificateRefused extends Error {
  override readonly name = "CertificateRefused";
}

export class CertificatePool {
  readonly #bySubject = new Map<string, ParsedCertificate[]>();
  readonly #fingerprints = new Set<string>();

  /** `pem` holds any number of certificates; "" makes an empty pool. */
  constructor(pem: string) {
    for (const one of pem.match(PEM_CERTIFICATE) ?? []) {
      const parsed = parseCertificate(one);
      const subject = keyOf(parsed.rawSubject);
      this.#bySubject.set(subject, [...(this.#bySubject.get(subject) ?? []), parsed]);
      this.#fingerprints.add(parsed.fingerprint);
    }
  }

  get isEmpty(): boolean {
    return this.#fingerprints.size === 0;
  }

  /**
   * Throws CertificateRefused unless the certificate is valid at `now` (ms), may authenticate a
   * client, and chains to an authority of this pool.
   */
  verifyClient(leaf: ParsedCertificate, now: number): void {
    checkValidity(leaf, now);
    if (leaf.unknownCritical.length > 0) {
      throw new CertificateRefused("x509: unhandled critical extension");
    }
    if (!allowsClientAuth(leaf)) {
      throw new CertificateRefused("x509: certificate specifies an incompatible key usage");
    }
    if (this.#fingerprints.has(leaf.fingerprint)) return;
    if (this.#chains(leaf, now, CHAIN_LENGTH_MAX)) return;
    throw new CertificateRefused("x509: certificate signed by unknown authority");
  }

  /** Every certificate of the pool is trusted by itself, as in Go: one good issuer is a chain. */
  #chains(child: ParsedCertificate, now: number, depthLeft: number): boolean {
    if (depthLeft === 0) return false;
    const issuers = this.#bySubject.get(keyOf(child.rawIssuer)) ?? [];
    return issuers.some((issuer) => {
      if (now < issuer.notBefore || now > issuer.notAfter) return false;
      if (!issuer.isAuthority || !allowsClientAuth(issuer)) return false;
      if (!child.certificate.checkIssued(issuer.certificate)) return false;
      return child.certificate.verify(issuer.certificate.publicKey);
    });
  }
}

function checkValidity({ notBefore, notAfter }: ParsedCertificate, now: number): void {
  const rfc3339 = (time: number) => new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
  const lead = "x509: certificate has expired or is not yet valid: current time";
  if (now < notBefore) {
    throw new CertificateRefused(`${lead} ${rfc3339(now)} is before ${rfc3339(notBefore)}`);
  }
  if (now > notAfter) {
    throw new CertificateRefused(`${lead} ${rfc3339(now)} is after ${rfc3339(notAfter)}`);
  }
}

function allowsClientAuth({ extendedKeyUsages }: ParsedCertificate): boolean {
  if (extendedKeyUsages === undefined) return true;
  return extendedKeyUsages.some((oid) => oid === OID_CLIENT_AUTH || oid === OID_ANY_USAGE);
}

const keyOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
