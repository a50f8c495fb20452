/**
 * A set of trusted authorities, and whether a client certificate was issued by one of them. The
 * handshake has only shown that the client has the leaf's key.
 * Upstream: crypto/x509 Certificate.Verify with KeyUsages: ClientAuth. Constraints on alternative
 * names are not evaluated: a chain they would apply to is refused.
 */
import { certificatesIn, type ParsedCertificate, parseCertificate } from "./certificate.ts";

export const OID_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const OID_ANY_USAGE = "2.5.29.37.0";
/** Per certificate: a hostile chain costs no more than a few handshakes. */
const SIGNATURE_CHECKS_MAX = 16;

/** A certificate that is not good for what it was shown for; the message says why. */
export class CertificateRefused extends Error {
  override readonly name = "CertificateRefused";
}

export class CertificatePool {
  readonly #bySubject = new Map<string, ParsedCertificate[]>();
  readonly #fingerprints = new Set<string>();

  /** `pem` holds any number of certificates; "" makes an empty pool. */
  constructor(pem: string) {
    for (const one of certificatesIn(pem)) {
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
   * client, and chains to an authority of this pool, if need be through `intermediates`, which the
   * client sent along. Throws what reading those throws.
   */
  verifyClient(
    leaf: ParsedCertificate,
    now: number,
    intermediates: () => readonly ParsedCertificate[] = () => [],
  ): void {
    checkValidity(leaf, now);
    checkExtensions(leaf);
    if (!allowsClientAuth(leaf)) {
      throw new CertificateRefused("x509: certificate specifies an incompatible key usage");
    }
    if (this.#fingerprints.has(leaf.fingerprint)) return;
    const search = { now, intermediates, checksLeft: SIGNATURE_CHECKS_MAX };
    if (this.#chains([leaf], search)) return;
    throw new CertificateRefused("x509: certificate signed by unknown authority");
  }

  /** Every certificate of the pool is trusted by itself, as in Go: one good issuer is a chain. */
  #chains(chain: readonly ParsedCertificate[], search: Search): boolean {
    const child = chain.at(-1);
    if (child === undefined || child.weakSignature) return false;
    const roots = this.#bySubject.get(keyOf(child.rawIssuer)) ?? [];
    if (roots.some((issuer) => issues(issuer, chain, search))) return true;
    return search.intermediates().some((issuer) => {
      if (chain.some(({ fingerprint }) => fingerprint === issuer.fingerprint)) return false;
      if (Buffer.compare(issuer.rawSubject, child.rawIssuer) !== 0) return false;
      return issues(issuer, chain, search) && this.#chains([...chain, issuer], search);
    });
  }
}

interface Search {
  readonly now: number;
  readonly intermediates: () => readonly ParsedCertificate[];
  checksLeft: number;
}

/** Whether `issuer`, which has the name of the chain's last issuer, may have signed it and did. */
function issues(issuer: ParsedCertificate, chain: readonly ParsedCertificate[], search: Search) {
  const child = chain.at(-1);
  if (child === undefined || search.now < issuer.notBefore || search.now > issuer.notAfter) {
    return false;
  }
  if (!issuer.isAuthority || issuer.unknownCritical.length > 0) return false;
  if (!allowsClientAuth(issuer)) return false;
  if (issuer.pathLengthMax !== undefined && chain.length - 1 > issuer.pathLengthMax) return false;
  if (issuer.constrainsNames && chain.some((one) => one.hasAlternativeNames)) return false;
  if (!child.certificate.checkIssued(issuer.certificate) || search.checksLeft === 0) return false;
  search.checksLeft--;
  return child.certificate.verify(issuer.certificate.publicKey);
}

function checkExtensions({ unknownCritical }: ParsedCertificate): void {
  if (unknownCritical.length === 0) return;
  throw new CertificateRefused("x509: unhandled critical extension");
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
