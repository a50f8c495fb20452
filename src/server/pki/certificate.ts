/**
 * Issues the few certificates a server without given ones needs. ECDSA P-256 throughout: a
 * handshake costs a quarter of RSA-2048's. RFC 5280 profile; signing is node:crypto's.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from "./der.ts";

export interface IssuedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}
export interface Subject {
  readonly commonName: string;
  /** Groups, as Kubernetes reads O. */
  readonly organizations?: readonly string[];
}
export interface CertificateRequest {
  readonly subject: Subject;
  readonly usage: "authority" | "server" | "client";
  readonly names?: readonly string[];
  readonly days: number;
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const usageOids = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" };
const DAY_MS = 86_400_000;
/** Clocks of a cluster differ a little; a certificate made just now must be good everywhere. */
const BACKDATE_MS = 3_600_000;

/** A new key and its certificate, signed by `issuer`, or by itself without one. */
export function issue(request: CertificateRequest, issuer?: IssuedCertificate): IssuedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const issuerName =
    issuer === undefined
      ? nameOf(request.subject)
      : subjectOf(new X509Certificate(issuer.certificate));
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40; // positive, and never shorter
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(serial),
    ECDSA_WITH_SHA256,
    issuerName,
    sequence(time(new Date(now - BACKDATE_MS)), time(new Date(now + request.days * DAY_MS))),
    nameOf(request.subject),
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions(request, publicKey, createPublicKey(signer)))),
  );
  const signature = sign("sha256", body, { key: signer, dsaEncoding: "der" });
  const certificate = sequence(body, ECDSA_WITH_SHA256, bitString(signature));
  return {
    certificate: pem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

function nameOf({ commonName, organizations = [] }: Subject): Buffer {
  const attribute = (oid: string, value: string) =>
    set(sequence(objectIdentifier(oid), utf8String(value)));
  return sequence(
    ...organizations.map((name) => attribute("2.5.4.10", name)),
    attribute("2.5.4.3", commonName),
  );
}

function extensions(request: CertificateRequest, key: KeyObject, issuerKey: KeyObject): Buffer[] {
  const extension = (oid: string, critical: boolean, value: Uint8Array) =>
    sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
  const authorityKeyId = extension("2.5.29.35", false, sequence(implicit(0, keyId(issuerKey))));
  const subjectKeyId = extension("2.5.29.14", false, octetString(keyId(key)));
  if (request.usage === "authority") {
    // digitalSignature, keyEncipherment, keyCertSign: what kubeadm's CAs carry.
    const keyUsage = extension("2.5.29.15", true, bitString(Buffer.of(0xa4), 2));
    return [keyUsage, extension("2.5.29.19", true, sequence(boolean(true))), subjectKeyId];
  }
  const names = (request.names ?? []).map((name) =>
    isIP(name) === 0 ? implicit(2, Buffer.from(name)) : implicit(7, addressBytes(name)),
  );
  return [
    extension("2.5.29.15", true, bitString(Buffer.of(0xa0), 5)),
    extension("2.5.29.37", false, sequence(objectIdentifier(usageOids[request.usage]))),
    extension("2.5.29.19", true, sequence()),
    authorityKeyId,
    ...(names.length === 0 ? [] : [extension("2.5.29.17", false, sequence(...names))]),
  ];
}

/** SHA-1 of the public key's bits (RFC 5280, 4.2.1.2, method 1). */
function keyId(key: KeyObject): Buffer {
  const spki = key.export({ type: "spki", format: "der" });
  const bits = spki.subarray(spki.length - 65); // an uncompressed P-256 point ends the structure
  return createHash("sha1").update(bits).digest();
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const left = groups(head);
  const right = groups(tail ?? "");
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  const all = tail === undefined ? left : [...left, ...zeros, ...right];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

/** The issuer's subject as encoded in its certificate, byte for byte. */
function subjectOf(certificate: X509Certificate): Buffer {
  const body = child(certificate.raw, 0);
  // version, serial, algorithm, issuer, validity, subject
  let offset = headerLength(body);
  for (let index = 0; index < 5; index++) offset += tlvLength(body, offset);
  return body.subarray(offset, offset + tlvLength(body, offset));
}
function child(parent: Buffer, index: number): Buffer {
  let offset = headerLength(parent);
  for (let i = 0; i < index; i++) offset += tlvLength(parent, offset);
  return parent.subarray(offset, offset + tlvLength(parent, offset));
}
function headerLength(tlv: Buffer, offset = 0): number {
  const first = tlv[offset + 1] ?? 0;
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}
function tlvLength(bytes: Buffer, offset: number): number {
  const header = headerLength(bytes, offset);
  if (header === 2) return 2 + (bytes[offset + 1] ?? 0);
  return header + bytes.readUIntBE(offset + 2, header - 2);
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
