/**
 * What authentication reads of a certificate, from its DER. Splitting a printed subject at commas
 * or line ends would let a crafted name pose as another group.
 * Upstream: crypto/x509 as apiserver/pkg/authentication/request/x509 uses it.
 */
import { createHash, X509Certificate } from "node:crypto";
import {
  DerError,
  DerReader,
  readObjectIdentifier,
  readString,
  readTime,
  Tag,
} from "./der-reader.ts";

export interface ParsedName {
  /** The last one, as Go's pkix.Name.FillFromRDNSequence leaves it; "" without one. */
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** Every attribute, by its object identifier. */
  readonly attributes: readonly { readonly oid: string; readonly value: string }[];
}

export interface ParsedCertificate {
  readonly certificate: X509Certificate;
  readonly subject: ParsedName;
  readonly rawSubject: Uint8Array;
  readonly rawIssuer: Uint8Array;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Undefined: the certificate does not restrict its use. */
  readonly extendedKeyUsages: readonly string[] | undefined;
  readonly isAuthority: boolean;
  /** How many intermediates may stand between this authority and a leaf; undefined: any number. */
  readonly pathLengthMax: number | undefined;
  /** Signed with a hash that Go refuses. */
  readonly weakSignature: boolean;
  readonly hasAlternativeNames: boolean;
  readonly constrainsNames: boolean;
  /** Critical extensions that nothing here understands: such a certificate is refused. */
  readonly unknownCritical: readonly string[];
  /** SHA-256 of the DER in lower-case hexadecimal. */
  readonly fingerprint: string;
}

const OID_COMMON_NAME = "2.5.4.3";
const OID_ORGANIZATION = "2.5.4.10";
const OID_EXTENDED_KEY_USAGE = "2.5.29.37";
const OID_BASIC_CONSTRAINTS = "2.5.29.19";
const OID_ALTERNATIVE_NAMES = "2.5.29.17";
const OID_NAME_CONSTRAINTS = "2.5.29.30";
/** With MD2, MD5 and SHA-1, of RSA, DSA and ECDSA. */
const WEAK_SIGNATURES = new Set([
  "1.2.840.113549.1.1.2",
  "1.2.840.113549.1.1.4",
  "1.2.840.113549.1.1.5",
  "1.2.840.10040.4.3",
  "1.2.840.10045.4.1",
]);
/** Key usage, alternative names, policies and the like, which Go's verifier handles. */
const UNDERSTOOD = new Set([
  OID_EXTENDED_KEY_USAGE,
  OID_BASIC_CONSTRAINTS,
  OID_ALTERNATIVE_NAMES,
  OID_NAME_CONSTRAINTS,
  "2.5.29.15",
  "2.5.29.32",
]);
const CERTIFICATE_BYTES_MAX = 64 * 1024;
const NAME_ATTRIBUTES_MAX = 10_000;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, each in PEM. */
export function certificatesIn(pem: string): readonly string[] {
  return pem.match(PEM_CERTIFICATE) ?? [];
}

/** Parses PEM or DER. Throws DerError, or node's own error, for anything that is no certificate. */
export function parseCertificate(input: string | Uint8Array): ParsedCertificate {
  const given = typeof input === "string" ? input : Buffer.from(input);
  if (given.length > CERTIFICATE_BYTES_MAX * 2) throw new DerError("certificate is too large");
  const certificate = new X509Certificate(given);
  const der = certificate.raw;
  const outer = new DerReader(der).enter(Tag.SEQUENCE);
  const body = outer.enter(Tag.SEQUENCE);
  if (body.peek() === 0xa0) body.next(); // version
  body.expect(Tag.INTEGER);
  const algorithm = body.enter(Tag.SEQUENCE).expect(Tag.OBJECT_IDENTIFIER);
  const issuer = body.expect(Tag.SEQUENCE);
  const validity = body.enter(Tag.SEQUENCE);
  const notBefore = readTime(validity.next());
  const notAfter = readTime(validity.next());
  const subject = body.expect(Tag.SEQUENCE);
  body.expect(Tag.SEQUENCE); // public key
  return {
    certificate,
    subject: readName(subject.content),
    rawSubject: subject.raw,
    rawIssuer: issuer.raw,
    notBefore,
    notAfter,
    weakSignature: WEAK_SIGNATURES.has(readObjectIdentifier(algorithm.content)),
    ...readExtensions(body),
    fingerprint: createHash("sha256").update(der).digest("hex"),
  };
}

/** A Name's attributes. */
export function readName(content: Uint8Array): ParsedName {
  const attributes: { oid: string; value: string }[] = [];
  const names = new DerReader(content);
  while (!names.done) {
    const set = names.enter(Tag.SET);
    while (!set.done) {
      const pair = set.enter(Tag.SEQUENCE);
      const oid = readObjectIdentifier(pair.expect(Tag.OBJECT_IDENTIFIER).content);
      attributes.push({ oid, value: readString(pair.next()) });
      if (attributes.length > NAME_ATTRIBUTES_MAX) throw new DerError("name is too large");
    }
  }
  const valuesOf = (wanted: string) =>
    attributes.filter(({ oid }) => oid === wanted).map(({ value }) => value);
  return {
    commonName: valuesOf(OID_COMMON_NAME).at(-1) ?? "",
    organizations: valuesOf(OID_ORGANIZATION),
    attributes,
  };
}

function readExtensions(body: DerReader) {
  let extendedKeyUsages: string[] | undefined;
  let constraints: ReturnType<typeof readBasicConstraints> = NO_AUTHORITY;
  const unknownCritical: string[] = [];
  const seen = new Set<string>();
  while (!body.done) {
    const element = body.next();
    if (element.tag !== 0xa3) continue; // issuerUniqueID, subjectUniqueID
    const list = new DerReader(element.content).enter(Tag.SEQUENCE);
    while (!list.done) {
      const extension = list.enter(Tag.SEQUENCE);
      const oid = readObjectIdentifier(extension.expect(Tag.OBJECT_IDENTIFIER).content);
      if (seen.has(oid)) throw new DerError(`extension ${oid} appears twice`);
      seen.add(oid);
      const critical = extension.peek() === Tag.BOOLEAN && (extension.next().content[0] ?? 0) !== 0;
      const value = extension.expect(Tag.OCTET_STRING).content;
      if (oid === OID_EXTENDED_KEY_USAGE) extendedKeyUsages = readKeyUsages(value);
      else if (oid === OID_BASIC_CONSTRAINTS) constraints = readBasicConstraints(value);
      if (critical && !UNDERSTOOD.has(oid)) unknownCritical.push(oid);
    }
  }
  return {
    extendedKeyUsages,
    ...constraints,
    unknownCritical,
    hasAlternativeNames: seen.has(OID_ALTERNATIVE_NAMES),
    constrainsNames: seen.has(OID_NAME_CONSTRAINTS),
  };
}

function readKeyUsages(value: Uint8Array): string[] {
  const usages: string[] = [];
  const list = new DerReader(value).enter(Tag.SEQUENCE);
  while (!list.done) {
    usages.push(readObjectIdentifier(list.expect(Tag.OBJECT_IDENTIFIER).content));
  }
  return usages;
}

const NO_AUTHORITY = { isAuthority: false, pathLengthMax: undefined } as const;

function readBasicConstraints(value: Uint8Array): {
  readonly isAuthority: boolean;
  readonly pathLengthMax: number | undefined;
} {
  const constraints = new DerReader(value).enter(Tag.SEQUENCE);
  if (constraints.peek() !== Tag.BOOLEAN) return NO_AUTHORITY;
  if ((constraints.next().content[0] ?? 0) === 0) return NO_AUTHORITY;
  if (constraints.done) return { isAuthority: true, pathLengthMax: undefined };
  const [length = 0, ...more] = constraints.expect(Tag.INTEGER).content;
  // No chain here is so long that more than a byte would matter.
  return { isAuthority: true, pathLengthMax: more.length > 0 ? undefined : length };
}
