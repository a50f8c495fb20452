/** CertificateSigningRequest. Upstream: pkg/apis/certificates/validation/validation.go. */
import { X509Certificate } from "node:crypto";
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  quote,
  required,
} from "../../../apimachinery/validation/field.ts";
import { csrProblem } from "../csr.ts";
import { decodePem } from "../pem.ts";
import { validateSignerName } from "../signer-name.ts";
import type { CertificateSigningRequest, CertificateSigningRequestCondition } from "./types.ts";

type Request = Omit<CertificateSigningRequest, "metadata">;

/** Sorted: messages list them. */
const USAGES = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];
const LEGACY_SIGNER = "kubernetes.io/legacy-unknown";
const FINAL = ["Approved", "Denied", "Failed"];

/** Errors of a request beyond its metadata. What the stored object has wrong may stay wrong. */
export function validateCertificateSigningRequest(request: Request, old?: Request): ErrorList {
  const { spec = {} } = request;
  const at = Path.root("spec");
  const errors: ErrorList = [];
  const problem = csrProblem(spec.request ?? "");
  if (problem !== undefined)
    errors.push(invalid(at.child("request"), spec.request ?? null, problem));
  errors.push(...validateUsages(spec.usages ?? [], old?.spec?.usages ?? [], at.child("usages")));
  const signerName = spec.signerName ?? "";
  const signerPath = at.child("signerName");
  if (signerName === LEGACY_SIGNER && old?.spec?.signerName !== LEGACY_SIGNER) {
    const detail = "the legacy signerName is not allowed via this API version";
    errors.push(invalid(signerPath, signerName, detail));
  } else errors.push(...validateSignerName(signerPath, signerName));
  const seconds = spec.expirationSeconds;
  if (seconds !== undefined && seconds < 600) {
    const detail = "may not specify a duration less than 600 seconds (10 minutes)";
    errors.push(invalid(at.child("expirationSeconds"), seconds, detail));
  }
  const conditions = request.status?.conditions ?? [];
  errors.push(...validateConditions(conditions, old?.status?.conditions ?? []));
  const certificate = request.status?.certificate ?? "";
  const stored = old?.status?.certificate ?? "";
  const tolerated = old !== undefined && (certificate === stored || certificateProblem(stored));
  const wrong = tolerated ? undefined : certificateProblem(certificate);
  if (wrong !== undefined) {
    errors.push(invalid("status.certificate", "<certificate data>", wrong));
  }
  return errors;
}

function validateUsages(usages: readonly string[], old: readonly string[], at: Path): ErrorList {
  const errors: ErrorList = usages.length === 0 ? [required(at)] : [];
  if (old.every((usage) => USAGES.includes(usage))) {
    for (const [i, usage] of usages.entries()) {
      if (!USAGES.includes(usage)) errors.push(notSupported(at.index(i), usage, USAGES));
    }
  }
  if (new Set(old).size < old.length) return errors;
  const seen = new Set<string>();
  for (const [i, usage] of usages.entries()) {
    if (seen.has(usage)) errors.push(duplicate(at.index(i), usage));
    seen.add(usage);
  }
  return errors;
}

type Conditions = readonly CertificateSigningRequestCondition[];

function validateConditions(conditions: Conditions, old: Conditions): ErrorList {
  const errors: ErrorList = [];
  const types = old.map(({ type = "" }) => type);
  const allowEmpty = types.includes("");
  const allowDuplicates = new Set(types).size < types.length;
  const allowBoth = types.includes("Approved") && types.includes("Denied");
  const seen = new Set<string>();
  for (const [i, { type = "", status = "" }] of conditions.entries()) {
    const at = Path.root("status", "conditions").index(i);
    if (type === "" && !allowEmpty) errors.push(required(at.child("type")));
    const allowed = FINAL.includes(type) ? ["True"] : ["False", "True", "Unknown"];
    if (status === "") errors.push(required(at.child("status")));
    else if (!allowed.includes(status)) {
      errors.push(notSupported(at.child("status"), status, allowed));
    }
    const opposite = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (!allowBoth && opposite !== undefined && seen.has(opposite)) {
      const detail = "Approved and Denied conditions are mutually exclusive";
      errors.push(invalid(at.child("type"), type, detail));
    }
    if (!allowDuplicates && seen.has(type)) errors.push(duplicate(at.child("type"), type));
    seen.add(type);
  }
  return errors;
}

/** What is wrong with an issued certificate (base64 of PEM); an absent one is fine. */
function certificateProblem(base64: string): string | undefined {
  if (base64 === "") return undefined;
  const blocks = decodePem(Buffer.from(base64, "base64").toString("latin1"));
  for (const { type, headers, bytes } of blocks) {
    if (type !== "CERTIFICATE") {
      return `only CERTIFICATE PEM blocks are allowed, found ${quote(type)}`;
    }
    if (Object.keys(headers).length > 0) return "no PEM block headers are permitted";
    if (bytes.length === 0) return "found CERTIFICATE PEM block containing 0 certificates";
    if (!isCertificate(bytes)) return "x509: malformed certificate";
  }
  return blocks.length === 0 ? "must contain at least one CERTIFICATE PEM block" : undefined;
}

function isCertificate(der: Buffer): boolean {
  try {
    return new X509Certificate(der).raw.length > 0;
  } catch {
    return false;
  }
}

/** What an endpoint may change beyond the others. */
export interface RequestUpdateOptions {
  readonly allowSettingApprovalConditions?: boolean;
  readonly allowSettingCertificate?: boolean;
}

/** Errors of an update; decisions are final, and a certificate is written once. */
export function validateCertificateSigningRequestUpdate(
  request: Request,
  old: Request,
  options: RequestUpdateOptions = {},
): ErrorList {
  const errors = validateCertificateSigningRequest(request, old);
  const conditions = Path.root("status", "conditions");
  const ofType = ({ status }: Request, wanted: string) =>
    (status?.conditions ?? []).filter(({ type }) => type === wanted);
  for (const type of FINAL) {
    if (ofType(request, type).length < ofType(old, type).length) {
      const detail = `updates may not remove a condition of type ${quote(type)}`;
      errors.push(forbidden(conditions, detail));
    }
  }
  for (const type of options.allowSettingApprovalConditions ? [] : ["Approved", "Denied"]) {
    const now = ofType(request, type);
    const then = ofType(old, type);
    const kind = now.length > then.length ? "add" : "modify";
    if (now.length < then.length || (kind === "modify" && semanticDeepEqual(now, then))) continue;
    errors.push(
      forbidden(conditions, `updates may not ${kind} a condition of type ${quote(type)}`),
    );
  }
  const certificate = request.status?.certificate ?? "";
  const stored = old.status?.certificate ?? "";
  if (certificate === stored) return errors;
  if (!options.allowSettingCertificate) {
    errors.push(forbidden("status.certificate", "updates may not set certificate content"));
  } else if (stored !== "") {
    const detail = "updates may not modify existing certificate content";
    errors.push(forbidden("status.certificate", detail));
  }
  return errors;
}
