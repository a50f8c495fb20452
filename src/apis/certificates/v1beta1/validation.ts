/** ClusterTrustBundle. Upstream: pkg/apis/certificates/validation/validation.go. */
import { X509Certificate } from "node:crypto";
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { type ErrorList, invalid, Path, tooLong } from "../../../apimachinery/validation/field.ts";
import { byteLength, isPathSegmentName } from "../../../apimachinery/validation/names.ts";
import {
  nameIsDNSSubdomain,
  validateImmutableField,
} from "../../../apimachinery/validation/object-meta.ts";
import { decodePem, type PemBlock } from "../pem.ts";
import { validateSignerName } from "../signer-name.ts";
import type { ClusterTrustBundle } from "./types.ts";

type Bundle = Omit<ClusterTrustBundle, "metadata"> & KubeObject;

const MAX_TRUST_BUNDLE_SIZE = 1024 * 1024;

/** Errors of a bundle beyond its metadata; the signer's name begins the bundle's. */
export function validateClusterTrustBundle(bundle: Bundle, old?: Bundle): ErrorList {
  const { signerName = "", trustBundle = "" } = bundle.spec ?? {};
  const at = Path.root("spec");
  const errors: ErrorList = [];
  for (const field of ["generateName", "name"] as const) {
    const name = bundle.metadata?.[field];
    if (!name || isPathSegmentName(name).length > 0) continue;
    for (const message of bundleNameProblems(signerName, name, field === "generateName")) {
      errors.push(invalid(`metadata.${field}`, name, message));
    }
  }
  if (signerName !== "") errors.push(...validateSignerName(at.child("signerName"), signerName));
  if (old === undefined || (old.spec?.trustBundle ?? "") !== trustBundle) {
    errors.push(...validateTrustBundle(trustBundle, at.child("trustBundle")));
  }
  if (old === undefined) return errors;
  const path = at.child("signerName");
  return [...errors, ...validateImmutableField(signerName, old.spec?.signerName ?? "", path)];
}

function bundleNameProblems(signer: string, name: string, prefix: boolean): readonly string[] {
  if (signer === "") {
    if (!name.includes(":")) return nameIsDNSSubdomain(name, prefix);
    return ['ClusterTrustBundle without signer name must not have ":" in its name'];
  }
  const wanted = `${signer.replaceAll("/", ":")}:`;
  if (name.startsWith(wanted)) return nameIsDNSSubdomain(name.slice(wanted.length), prefix);
  return [`ClusterTrustBundle for signerName ${signer} must be named with prefix ${wanted}`];
}

function validateTrustBundle(text: string, at: Path): ErrorList {
  if (byteLength(text) > MAX_TRUST_BUNDLE_SIZE) return [tooLong(at, MAX_TRUST_BUNDLE_SIZE)];
  const places = new Map<string, number[]>();
  const errors: ErrorList = [];
  for (const [i, block] of decodePem(text).entries()) {
    const problem = anchorProblem(block);
    if (problem !== undefined) {
      errors.push(invalid(at, "<value omitted>", `entry ${i} ${problem}`));
      continue;
    }
    const key = block.bytes.toString("base64");
    places.set(key, [...(places.get(key) ?? []), i]);
  }
  if (errors.length > 0) return errors;
  if (places.size === 0) {
    return [invalid(at, "<value omitted>", "at least one trust anchor must be provided")];
  }
  for (const indices of places.values()) {
    if (indices.length < 2) continue;
    const detail = `duplicate trust anchor (indices [${indices.join(" ")}])`;
    errors.push(invalid(at, "<value omitted>", detail));
  }
  return errors;
}

function anchorProblem({ type, headers, bytes }: PemBlock): string | undefined {
  if (type !== "CERTIFICATE") return `has bad block type: ${type}`;
  if (Object.keys(headers).length > 0) return "has PEM block headers";
  try {
    return new X509Certificate(bytes).ca ? undefined : "does not have the CA bit set";
  } catch {
    return "does not parse as X.509";
  }
}
