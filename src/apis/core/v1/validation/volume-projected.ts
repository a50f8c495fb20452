/**
 * Volumes made of several sources: projected and downward API.
 * Upstream: validateProjectionSources, validateDownwardAPIVolumeSource, ValidateSignerName.
 */

import { validateDomainPrefixedKey } from "../../../../apimachinery/validation/domains.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import { validateLabelSelector } from "../../../../apimachinery/validation/labels.ts";
import {
  byteLength,
  isDNS1035Label,
  isDNS1123Subdomain,
} from "../../../../apimachinery/validation/names.ts";
import { nameIsDNSSubdomain } from "../../../../apimachinery/validation/object-meta.ts";
import { goStruct } from "../../../validation/common.ts";
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "../types.ts";
import {
  VOLUME_FIELD_PATHS,
  validateObjectFieldSelector,
  validateResourceFieldSelector,
} from "./field-selector.ts";
import type { PodValidationOptions } from "./options.ts";
import { validateFileMode, validateLocalNonReservedPath } from "./paths.ts";
import { requireFields, validateKeyToPath } from "./volume-source.ts";

/** downwardAPI; errors of its files are at the volume, as upstream has them. */
export function validateDownwardAPI(source: DownwardAPIVolumeSource, at: Path): ErrorList {
  return [
    ...validateFileMode(source.defaultMode, at.child("defaultMode")),
    ...(source.items ?? []).flatMap((file) => validateDownwardAPIFile(file, at)),
  ];
}

function validateDownwardAPIFile(file: DownwardAPIVolumeFile, at: Path): ErrorList {
  const errors = [
    ...requireFields(file, at, "path"),
    ...validateLocalNonReservedPath(file.path ?? "", at.child("path")),
  ];
  if (file.fieldRef !== undefined) {
    const path = at.child("fieldRef");
    errors.push(...validateObjectFieldSelector(file.fieldRef, VOLUME_FIELD_PATHS, path));
    if (file.resourceFieldRef !== undefined) {
      const detail = "fieldRef and resourceFieldRef can not be specified simultaneously";
      errors.push(invalid(at, "resource", detail));
    }
  } else if (file.resourceFieldRef !== undefined) {
    const path = at.child("resourceFieldRef");
    errors.push(...validateResourceFieldSelector(file.resourceFieldRef, path, true));
  } else errors.push(required(at, "one of fieldRef and resourceFieldRef is required"));
  return [...errors, ...validateFileMode(file.mode, at.child("mode"))];
}

/** Paths that the sources of one volume claim; each may be claimed once. */
class ClaimedPaths {
  readonly #paths = new Set<string>();
  readonly #at: Path;
  constructor(at: Path) {
    this.#at = at;
  }
  /** `value` is what the message shows. */
  claim(path: string, value: string = path): ErrorList {
    if (this.#paths.has(path)) return [invalid(this.#at, value, "conflicting duplicate paths")];
    this.#paths.add(path);
    return [];
  }
}

/** projected. */
export function validateProjected(
  source: ProjectedVolumeSource,
  at: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors = validateFileMode(source.defaultMode, at.child("defaultMode"));
  const claimed = new ClaimedPaths(at);
  for (const [i, projection] of (source.sources ?? []).entries()) {
    errors.push(
      ...validateProjection(projection, at, at.child("sources").index(i), claimed, options),
    );
  }
  return errors;
}

function validateProjection(
  source: VolumeProjection,
  volume: Path,
  at: Path,
  claimed: ClaimedPaths,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["secret", "configMap"] as const) {
    const keyed = source[name];
    if (keyed !== undefined) errors.push(...validateKeyed(keyed, at.child(name), claimed));
  }
  for (const file of source.downwardAPI?.items ?? []) {
    errors.push(...validateDownwardAPIFile(file, at.child("downwardAPI")));
    if (file.path) errors.push(...claimed.claim(file.path));
  }
  if (source.serviceAccountToken !== undefined) {
    const path = at.child("serviceAccountToken");
    errors.push(...validateServiceAccountToken(source.serviceAccountToken, path, volume, options));
  }
  if (source.clusterTrustBundle !== undefined) {
    const path = at.child("clusterTrustBundle");
    errors.push(...validateClusterTrustBundle(source.clusterTrustBundle, path));
    errors.push(...claimed.claim(source.clusterTrustBundle.path ?? ""));
  }
  if (source.podCertificate !== undefined) {
    const path = at.child("podCertificate");
    errors.push(...validatePodCertificate(source.podCertificate, path, claimed));
  }
  if (Object.values(source).filter((value) => value !== undefined).length > 1) {
    errors.push(forbidden(at, "may not specify more than 1 volume type per source"));
  }
  return errors;
}

function validateKeyed(
  source: { name?: string | undefined; items?: KeyToPath[] | undefined },
  at: Path,
  claimed: ClaimedPaths,
): ErrorList {
  const errors = requireFields(source, at, "name");
  for (const [i, item] of (source.items ?? []).entries()) {
    errors.push(...validateKeyToPath(item, at.child("items").index(i)));
    if (item.path) errors.push(...claimed.claim(item.path, source.name ?? ""));
  }
  return errors;
}

const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

function validateServiceAccountToken(
  { expirationSeconds = 0, path = "" }: ServiceAccountTokenProjection,
  at: Path,
  volume: Path,
  options: PodValidationOptions,
): ErrorList {
  const errors: ErrorList = [];
  const seconds = at.child("expirationSeconds");
  if (expirationSeconds < TOKEN_SECONDS_MIN) {
    const detail = "may not specify a duration less than 10 minutes";
    errors.push(invalid(seconds, expirationSeconds, detail));
  }
  if (expirationSeconds > TOKEN_SECONDS_MAX) {
    const detail = "may not specify a duration larger than 2^32 seconds";
    errors.push(invalid(seconds, expirationSeconds, detail));
  }
  if (path === "") errors.push(required(volume.child("path")));
  else if (!options.allowNonLocalProjectedTokenPath) {
    errors.push(...validateLocalNonReservedPath(path, volume.child("path")));
  }
  return errors;
}

function validateClusterTrustBundle(source: ClusterTrustBundleProjection, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { name, signerName, labelSelector, path = "" } = source;
  if (name !== undefined && signerName !== undefined) {
    const value = goStruct(source, "k8s.io/api/core/v1.ClusterTrustBundleProjection");
    errors.push(invalid(at, value, "only one of name and signerName may be used"));
  } else if (name !== undefined) {
    if (name === "") errors.push(required(at.child("name"), "must be a valid object name"));
    for (const problem of clusterTrustBundleNameProblems(name)) {
      errors.push(
        invalid(at.child("name"), name, `not a valid clustertrustbundlename: ${problem}`),
      );
    }
    if (labelSelector !== undefined) {
      const detail = "labelSelector must be unset if name is specified";
      errors.push(invalid(at.child("labelSelector"), labelSelector, detail));
    }
  } else if (signerName !== undefined) {
    if (signerName === "") {
      errors.push(required(at.child("signerName"), "must be a valid signer name"));
    }
    errors.push(
      ...validateSignerName(signerName, at.child("signerName")),
      ...validateLabelSelector(labelSelector, {}, at.child("labelSelector")),
    );
  } else errors.push(required(at, "either name or signerName must be specified"));
  if (path === "") errors.push(required(at.child("path")));
  return [...errors, ...validateLocalNonReservedPath(path, at.child("path"))];
}

/** `<signer>:<name>` with the signer's slash as a colon, or a plain subdomain. */
function clusterTrustBundleNameProblems(name: string): readonly string[] {
  const parts = name.split(":");
  if (parts.length < 2) return nameIsDNSSubdomain(name, false);
  return nameIsDNSSubdomain(parts[parts.length - 1] ?? "", false);
}

const SIGNER_PATH_MAX = 571;
const SIGNER_DOMAIN_MAX = 253;

/** `example.com/name`: who signs certificates. Upstream: ValidateSignerName. */
export function validateSignerName(name: string, at: Path): ErrorList {
  if (name === "") return [required(at)];
  const segments = name.split("/");
  if (segments.length < 2) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(at, name, detail)];
  }
  const errors: ErrorList = [];
  const [domain = "", ...rest] = segments;
  const path = rest.join("/");
  if (segments.length > 2) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(at, name, detail)];
  }
  errors.push(
    ...isDNS1123Subdomain(domain).map((problem) => {
      return invalid(at, domain, `validating label "${domain}": ${problem}`);
    }),
  );
  if (domain.split(".").length < 2) {
    errors.push(
      invalid(at, name, "should be a domain with at least two segments separated by dots"),
    );
  }
  for (const label of path.split(".")) {
    for (const problem of isDNS1035LabelLike(label)) {
      errors.push(invalid(at, label, `validating label "${label}": ${problem}`));
    }
  }
  if (byteLength(name) > SIGNER_PATH_MAX) errors.push(tooLong(at, SIGNER_PATH_MAX));
  if (byteLength(domain) > SIGNER_DOMAIN_MAX) errors.push(tooLong(at, SIGNER_DOMAIN_MAX));
  return errors;
}

function isDNS1035LabelLike(label: string): readonly string[] {
  return /^\d/.test(label) ? isDNS1123Subdomain(label) : isDNS1035Label(label);
}

const KEY_TYPES = ["RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"];
const CERTIFICATE_SECONDS_MIN = 3600;
const CERTIFICATE_SECONDS_MAX = 91 * 24 * 3600;
const KUBERNETES_CERTIFICATE_SECONDS_MAX = 24 * 3600;

function validatePodCertificate(
  source: PodCertificateProjection,
  at: Path,
  claimed: ClaimedPaths,
): ErrorList {
  const { signerName = "", keyType = "", maxExpirationSeconds: seconds } = source;
  const errors = validateSignerName(signerName, at.child("signerName"));
  for (const key of Object.keys(source.userAnnotations ?? {})) {
    errors.push(...validateDomainPrefixedKey(at.child("userAnnotations").key(key), key));
  }
  if (!KEY_TYPES.includes(keyType)) {
    errors.push(notSupported(at.child("keyType"), keyType, KEY_TYPES));
  }
  if (seconds !== undefined) {
    errors.push(
      ...validateCertificateSeconds(signerName, seconds, at.child("maxExpirationSeconds")),
    );
  }
  let paths = 0;
  for (const name of ["credentialBundlePath", "keyPath", "certificateChainPath"] as const) {
    const path = source[name];
    if (!path) continue;
    paths++;
    errors.push(...validateLocalNonReservedPath(path, at.child(name)), ...claimed.claim(path));
  }
  if (paths === 0) {
    const detail =
      "specify at least one of credentialBundlePath, keyPath, and certificateChainPath";
    errors.push(required(at, detail));
  }
  return errors;
}

function validateCertificateSeconds(signer: string, seconds: number, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (seconds < CERTIFICATE_SECONDS_MIN) {
    errors.push(invalid(at, seconds, "if provided, maxExpirationSeconds must be >= 3600"));
  }
  const isOwn = (signer.split("/")[0] ?? "").endsWith("kubernetes.io");
  const max = isOwn ? KUBERNETES_CERTIFICATE_SECONDS_MAX : CERTIFICATE_SECONDS_MAX;
  if (seconds > max) {
    errors.push(invalid(at, seconds, `if provided, maxExpirationSeconds must be <= ${max}`));
  }
  return errors;
}
