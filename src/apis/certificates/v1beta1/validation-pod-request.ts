/** PodCertificateRequest. Upstream: pkg/apis/certificates/validation/validation.go. */
import { constants, createPublicKey, type KeyObject, verify, X509Certificate } from "node:crypto";
import { formatDuration } from "../../../apimachinery/runtime/duration.ts";
import { validateDomainPrefixedKey } from "../../../apimachinery/validation/domains.ts";
import {
  type ErrorList,
  invalid,
  notSupported,
  OMITTED,
  Path,
  PrintedValue,
  required,
  tooLong,
} from "../../../apimachinery/validation/field.ts";
import { validateConditions } from "../../../apimachinery/validation/labels.ts";
import { byteLength } from "../../../apimachinery/validation/names.ts";
import {
  semanticDeepEqual,
  TOTAL_ANNOTATION_SIZE_MAX,
  validateImmutableField,
} from "../../../apimachinery/validation/object-meta.ts";
import { goStruct, validateDNS1123Subdomain } from "../../validation/common.ts";
import { readRequest } from "../csr.ts";
import { decodePem, type PemBlock } from "../pem.ts";
import { validateSignerName } from "../signer-name.ts";
import type {
  PodCertificateRequest,
  PodCertificateRequestSpec,
  PodCertificateRequestStatus,
} from "./types.ts";

type PodRequest = Omit<PodCertificateRequest, "metadata">;

const UID_MAX = 128;
const KEY_MATERIAL_MAX = 10 * 1024;
const CHAIN_MAX = 100 * 1024;
const HOUR = 60 * 60;
const DAY = 24 * HOUR;
const MINUTE_MS = 60 * 1000;
const TERMINAL = ["Issued", "Denied", "Failed"];

const SPEC = Path.root("spec");
const STATUS = Path.root("status");
const CHAIN = STATUS.child("certificateChain");

/** Errors of a new request beyond its metadata. */
export function validatePodCertificateRequest({ spec = {} }: PodRequest): ErrorList {
  const errors = [
    ...validateSignerName(SPEC.child("signerName"), spec.signerName ?? ""),
    ...validateUserAnnotations(
      spec.unverifiedUserAnnotations ?? {},
      SPEC.child("unverifiedUserAnnotations"),
    ),
  ];
  for (const who of ["pod", "serviceAccount", "node"] as const) {
    const name = SPEC.child(`${who}Name`);
    const uid = spec[`${who}UID`] ?? "";
    errors.push(...validateDNS1123Subdomain(spec[`${who}Name`] ?? "", name));
    if (uid === "") errors.push(invalid(SPEC.child(`${who}UID`), uid, "must not be empty"));
    if (byteLength(uid) > UID_MAX) errors.push(tooLong(SPEC.child(`${who}UID`), UID_MAX));
  }
  const seconds = spec.maxExpirationSeconds;
  const path = SPEC.child("maxExpirationSeconds");
  if (seconds === undefined) return [...errors, required(path, "must be set")];
  const max = isKubernetesSigner(spec.signerName ?? "") ? DAY : 91 * DAY;
  if (seconds < HOUR || seconds > max) {
    errors.push(invalid(path, seconds, `must be in the range [${HOUR}, ${max}]`));
  }
  return [...errors, ...validateKeyMaterial(spec)];
}

function validateUserAnnotations(
  annotations: Readonly<Record<string, string>>,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  let size = 0;
  for (const [key, value] of Object.entries(annotations)) {
    errors.push(...validateDomainPrefixedKey(at, key.toLowerCase()));
    size += byteLength(key) + byteLength(value);
  }
  if (size > TOTAL_ANNOTATION_SIZE_MAX) errors.push(tooLong(at, TOTAL_ANNOTATION_SIZE_MAX));
  return errors;
}

function isKubernetesSigner(signer: string): boolean {
  const domain = signer.split("/")[0] ?? "";
  return domain === "kubernetes.io" || domain.endsWith(".kubernetes.io");
}

/** Either a request as certificate authorities know it, or a key and a signature made with it. */
function validateKeyMaterial(spec: PodCertificateRequestSpec): ErrorList {
  const bytesOf = (text: string | undefined) => Buffer.from(text ?? "", "base64");
  const stub = bytesOf(spec.stubPKCS10Request);
  const pkix = bytesOf(spec.pkixPublicKey);
  const proof = bytesOf(spec.proofOfPossession);
  const sized = { stubPKCS10Request: stub, pkixPublicKey: pkix, proofOfPossession: proof };
  for (const [name, { length }] of Object.entries(sized)) {
    if (length > KEY_MATERIAL_MAX) return [tooLong(SPEC.child(name), KEY_MATERIAL_MAX)];
  }
  const hasPair = pkix.length > 0 || proof.length > 0;
  if (stub.length > 0 === hasPair) {
    const detail =
      "exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set";
    return [invalid(SPEC, OMITTED, detail)];
  }
  if (!hasPair) return validateStub(stub, spec, SPEC.child("stubPKCS10Request"));
  const path = SPEC.child("pkixPublicKey");
  const key = parsePublicKey(pkix);
  if (key === undefined) {
    return [invalid(path, spec.pkixPublicKey, "must be a valid PKIX-serialized public key")];
  }
  const problems = validateKeyType(key, spec.pkixPublicKey, path);
  if (problems.length > 0 || isProof(key, spec.podUID ?? "", proof)) return problems;
  const detail = "could not verify proof-of-possession signature";
  return [invalid(SPEC.child("proofOfPossession"), OMITTED, detail)];
}

function validateStub(stub: Buffer, spec: PodCertificateRequestSpec, at: Path): ErrorList {
  try {
    const { key, isSigned } = readRequest(stub);
    const problems = validateKeyType(key, spec.stubPKCS10Request, at);
    if (problems.length > 0 || isSigned) return problems;
  } catch {
    return [invalid(at, spec.stubPKCS10Request, "must be a valid PKCS#10 CSR")];
  }
  return [invalid(at, OMITTED, "could not verify PKCS#10 CSR signature")];
}

function parsePublicKey(der: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}

const CURVES = ["prime256v1", "secp384r1", "secp521r1"];

function validateKeyType(key: KeyObject, printed: unknown, at: Path): ErrorList {
  const { namedCurve = "", modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ed25519":
      return [];
    case "ec": {
      if (CURVES.includes(namedCurve)) return [];
      const name = namedCurve === "secp224r1" ? "P-224" : namedCurve;
      return [invalid(at, `curve ${name}`, "elliptic public keys must use curve P256 or P384")];
    }
    case "rsa": {
      const bits = Math.ceil(modulusLength / 8) * 8;
      if (bits === 3072 || bits === 4096) return [];
      const detail = "RSA keys must have modulus size 3072 or 4096";
      return [invalid(at, `${bits}-bit modulus`, detail)];
    }
    default: {
      const detail = "unknown public key type; supported types are Ed25519, ECDSA, and RSA";
      return [invalid(at, printed, detail)];
    }
  }
}

/** The proof signs the pod's uid. */
function isProof(key: KeyObject, podUID: string, proof: Buffer): boolean {
  const data = Buffer.from(podUID);
  if (key.asymmetricKeyType === "ed25519") return verify(null, data, key, proof);
  if (key.asymmetricKeyType === "ec") return verify("sha256", data, key, proof);
  const saltLength = constants.RSA_PSS_SALTLEN_AUTO;
  return verify(
    "sha256",
    data,
    { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength },
    proof,
  );
}

/** A request never changes; only its status does. */
export function validatePodCertificateRequestUpdate(
  request: PodRequest,
  old: PodRequest,
): ErrorList {
  const goName = "k8s.io/api/certificates/v1beta1.PodCertificateRequestSpec";
  return validateImmutableField(request.spec, old.spec, SPEC, () =>
    goStruct(request.spec ?? {}, goName),
  );
}

/** Errors of an update of the status, which ends a request once. */
export function validatePodCertificateRequestStatus(
  { spec = {}, status = {} }: PodRequest,
  { status: old = {} }: PodRequest,
  now: Date,
): ErrorList {
  const errors = validateTerminalConditions(status);
  errors.push(...validateConditions(status.conditions, STATUS.child("conditions")));
  if (errors.length > 0) return errors;
  const same = (wanted: PodCertificateRequestStatus, detail: string): ErrorList =>
    semanticDeepEqual(status, wanted) ? [] : [invalid(STATUS, OMITTED, detail)];
  if (endOf(old) !== undefined) {
    return same(old, "immutable after PodCertificateRequest is issued, denied, or failed");
  }
  switch (endOf(status)) {
    case "Issued":
      return validateIssued(spec, status, now);
    case undefined: {
      const ends = TERMINAL.map((end) => `"${end}"`);
      const detail = `status is immutable unless transitioning to ${ends[0]}, ${ends[1]}, or ${ends[2]}`;
      return same(old, detail);
    }
    default: {
      const detail =
        "non-condition status fields must be empty when denying or failing the " +
        "PodCertificateRequest";
      return same({ conditions: status.conditions }, detail);
    }
  }
}

function endOf({ conditions = [] }: PodCertificateRequestStatus): string | undefined {
  return conditions.find(({ type = "", status }) => TERMINAL.includes(type) && status === "True")
    ?.type;
}

function validateTerminalConditions({ conditions = [] }: PodCertificateRequestStatus): ErrorList {
  const errors: ErrorList = [];
  let known = 0;
  for (const [i, { type = "", status = "" }] of conditions.entries()) {
    // Upstream's path has the dot before the index.
    const at = STATUS.child("conditions", `[${i}]`);
    if (!TERMINAL.includes(type)) {
      errors.push(notSupported(at.child("type"), type, TERMINAL));
      continue;
    }
    known += 1;
    if (known > 1) {
      const detail = 'There may be at most one condition with type "Issued", "Denied", or "Failed"';
      errors.push(invalid(at.child("type"), type, detail));
    }
    if (status !== "True") errors.push(notSupported(at.child("status"), status, ["True"]));
  }
  return errors;
}

/** The chain's first certificate is for the requested key, and the status has its times. */
function validateIssued(
  spec: PodCertificateRequestSpec,
  status: PodCertificateRequestStatus,
  now: Date,
): ErrorList {
  const chain = status.certificateChain ?? "";
  const refuse = (detail: string): ErrorList => [invalid(CHAIN, chain, detail)];
  if (byteLength(chain) > CHAIN_MAX) return [tooLong(CHAIN, CHAIN_MAX)];
  const [first, ...rest] = decodePem(chain);
  if (first === undefined) {
    return refuse("issued certificate chain must contain at least one certificate");
  }
  if (first.type !== "CERTIFICATE") {
    return refuse("issued certificate chain must consist entirely of CERTIFICATE PEM blocks");
  }
  const leaf = parseCertificate(first);
  if (leaf === undefined) return refuse("leaf certificate does not parse as valid X.509");
  const errors = validateNames(leaf);
  const key = requestedKey(spec);
  if (key === undefined) {
    const path = SPEC.child("pkixPublicKey");
    const detail = "must be a valid PKIX-serialized public key";
    return [...errors, invalid(path, spec.pkixPublicKey, detail)];
  }
  if (!key.equals(leaf.publicKey)) {
    const detail = "leaf certificate was not issued to the requested public key";
    return [...errors, ...refuse(detail)];
  }
  errors.push(...validateTimesPresent(status));
  if (errors.length > 0) return errors;
  const wrong = validateTimes(spec, status, leaf, now);
  if (wrong.length > 0) return wrong;
  for (const block of rest) {
    if (block.type !== "CERTIFICATE") {
      // The misspelling is upstream's.
      return refuse("issued certificate chain must consist entirely of CERTFICATE PEM blocks");
    }
    if (parseCertificate(block) === undefined) {
      return refuse("intermediate certificate does not parse as valid X.509");
    }
  }
  return [];
}

function parseCertificate({ bytes }: PemBlock): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

function requestedKey(spec: PodCertificateRequestSpec): KeyObject | undefined {
  if (!spec.stubPKCS10Request) {
    return parsePublicKey(Buffer.from(spec.pkixPublicKey ?? "", "base64"));
  }
  try {
    return readRequest(Buffer.from(spec.stubPKCS10Request, "base64")).key;
  } catch {
    return undefined;
  }
}

function validateNames(leaf: X509Certificate): ErrorList {
  const errors: ErrorList = [];
  for (const entry of (leaf.subjectAltName ?? "").split(", ")) {
    const colon = entry.indexOf(":");
    const value = entry.slice(colon + 1);
    const refuse = (detail: string) => errors.push(invalid(CHAIN, value, detail));
    if (entry.startsWith("DNS:")) {
      if (value === "") refuse("leaf certificate should not contain empty DNSName");
      if (value.includes("..")) refuse("leaf certificate's DNSName should not contain '..'");
      if (value.startsWith(".") || value.endsWith(".")) {
        refuse("leaf certificate's DNSName should not start or end with '.'");
      }
    }
    if (entry.startsWith("email:") && !/^[^\s@<>]+@[^\s@<>]+$/.test(value)) {
      refuse("leaf certificate should not contain invalid EmailAddress");
    }
  }
  return errors;
}

function validateTimesPresent(status: PodCertificateRequestStatus): ErrorList {
  const issued = "must be present and consistent with the issued certificate";
  const details = {
    notBefore: issued,
    notAfter: issued,
    beginRefreshAt: "must be present and in the range [notbefore+10min, notafter-10min]",
  };
  return (Object.keys(details) as (keyof typeof details)[])
    .filter((name) => status[name] === undefined)
    .map((name) => required(STATUS.child(name), details[name]));
}

function validateTimes(
  spec: PodCertificateRequestSpec,
  status: PodCertificateRequestStatus,
  leaf: X509Certificate,
  now: Date,
): ErrorList {
  const timeOf = (name: "notBefore" | "notAfter" | "beginRefreshAt") =>
    Date.parse(status[name] ?? "");
  const refuse = (name: "notBefore" | "notAfter" | "beginRefreshAt", detail: string): ErrorList => [
    invalid(STATUS.child(name), status[name], detail),
  ];
  const [before, after, refresh] = [
    timeOf("notBefore"),
    timeOf("notAfter"),
    timeOf("beginRefreshAt"),
  ];
  const [leafBefore, leafAfter] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  if (before !== leafBefore) {
    return refuse("notBefore", "must be set to the NotBefore time encoded in the leaf certificate");
  }
  if (Math.abs(before - now.getTime()) >= 5 * MINUTE_MS) {
    const detail = "must be set to within 5 minutes of kube-apiserver's current time";
    return refuse("notBefore", detail);
  }
  if (after !== leafAfter) {
    return refuse("notAfter", "must be set to the NotAfter time encoded in the leaf certificate");
  }
  const seconds = (leafAfter - leafBefore) / 1000;
  const lifetime = new PrintedValue(formatDuration(BigInt(seconds) * 1_000_000_000n));
  if (seconds < HOUR) {
    return [invalid(CHAIN, lifetime, "leaf certificate lifetime must be >= 1 hour")];
  }
  const max = spec.maxExpirationSeconds ?? 0;
  if (seconds > max) {
    const detail = `leaf certificate lifetime must be <= spec.maxExpirationSeconds (${max})`;
    return [invalid(CHAIN, lifetime, detail)];
  }
  if (refresh < before + 10 * MINUTE_MS) {
    return refuse("beginRefreshAt", "must be at least 10 minutes after status.notBefore");
  }
  if (refresh > after - 10 * MINUTE_MS) {
    return refuse("beginRefreshAt", "must be at least 10 minutes before status.notAfter");
  }
  return [];
}
