/** Certificates of every odd kind, made with node's own crypto. */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import {
  bitString,
  boolean,
  der,
  explicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from "../../src/server/pki/der.ts";

export interface Made {
  readonly pem: string;
  readonly key: string;
  readonly name: Buffer;
}
export interface Wanted {
  /** Attributes in order: OID and text. */
  readonly subject: readonly (readonly [string, string])[];
  readonly authority?: boolean;
  readonly pathLength?: number;
  /** Signed with SHA-1. */
  readonly weak?: boolean;
  readonly usages?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
  readonly criticalExtension?: string;
  /** Tag of the subject's strings. */
  readonly stringTag?: number;
}

export const CN = "2.5.4.3";
export const O = "2.5.4.10";
export const UID = "1.3.6.1.4.1.57683.2";
export const CLIENT = "1.3.6.1.5.5.7.3.2";
export const SERVER = "1.3.6.1.5.5.7.3.1";
const DAY_MS = 86_400_000;
const ECDSA = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const ECDSA_SHA1 = sequence(objectIdentifier("1.2.840.10045.4.1"));

export function certificate(wanted: Wanted, issuer?: Made): Made {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const text = (value: string) =>
    wanted.stringTag === undefined
      ? utf8String(value)
      : der(wanted.stringTag, Buffer.from(value, "latin1"));
  const name = sequence(
    ...wanted.subject.map(([oid, value]) => set(sequence(objectIdentifier(oid), text(value)))),
  );
  const extension = (oid: string, critical: boolean, value: Uint8Array) =>
    sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));
  const extensions = [
    extension("2.5.29.19", true, basicConstraints(wanted)),
    ...(wanted.usages === undefined
      ? []
      : [extension("2.5.29.37", false, sequence(...wanted.usages.map(objectIdentifier)))]),
    ...(wanted.criticalExtension === undefined
      ? []
      : [extension(wanted.criticalExtension, true, sequence())]),
  ];
  const now = Date.now();
  const serial = randomBytes(16);
  serial[0] = 0x40;
  const algorithm = wanted.weak ? ECDSA_SHA1 : ECDSA;
  const body = sequence(
    explicit(0, integer(Buffer.of(2))),
    integer(serial),
    algorithm,
    issuer?.name ?? name,
    sequence(
      time(wanted.from ?? new Date(now - DAY_MS)),
      time(wanted.until ?? new Date(now + DAY_MS)),
    ),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions)),
  );
  const signer = issuer === undefined ? privateKey : createPrivateKey(issuer.key);
  const signature = sign(wanted.weak ? "sha1" : "sha256", body, {
    key: signer,
    dsaEncoding: "der",
  });
  const whole = sequence(body, algorithm, bitString(signature));
  const base64 = whole.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return {
    pem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    name,
  };
}

function basicConstraints({ authority, pathLength }: Wanted): Buffer {
  if (!authority) return sequence();
  if (pathLength === undefined) return sequence(boolean(true));
  return sequence(boolean(true), integer(Buffer.of(pathLength)));
}

export const authority = (name: string) => certificate({ subject: [[CN, name]], authority: true });
export const client = (issuer: Made, user: string, ...groups: string[]) =>
  certificate(
    {
      subject: [[CN, user], ...groups.map((group) => [O, group] as const)],
      usages: [CLIENT],
    },
    issuer,
  );
