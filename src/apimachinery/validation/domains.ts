/**
 * Names with a domain in them, as field errors.
 * Upstream: apimachinery/pkg/util/validation (IsFullyQualifiedName and its kin).
 */
import { type ErrorList, invalid, type Path, required } from "./field.ts";
import { isDNS1123Label, isDNS1123Subdomain, isQualifiedName, regexError } from "./names.ts";

/** A domain of at least three segments, as webhooks are named. */
export function validateFullyQualifiedName(at: Path, name: string): ErrorList {
  if (name === "") return [required(at)];
  const errors = isDNS1123Subdomain(name);
  if (errors.length > 0) return [invalid(at, name, errors.join(","))];
  if (name.split(".").length >= 3) return [];
  return [invalid(at, name, "should be a domain with at least three segments separated by dots")];
}

/** A domain of at least two segments, each a label; one trailing dot is allowed. */
export function validateFullyQualifiedDomainName(at: Path, text: string): ErrorList {
  if (text === "") return [required(at)];
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  const errors = isDNS1123Subdomain(name);
  if (errors.length > 0) return [invalid(at, name, errors.join(","))];
  const labels = name.split(".");
  if (labels.length < 2) {
    return [invalid(at, name, "should be a domain with at least two segments separated by dots")];
  }
  for (const label of labels) {
    const wrong = isDNS1123Label(label);
    if (wrong.length > 0) return [invalid(at, label, wrong.join(","))];
  }
  return [];
}

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPathRegExp = new RegExp(`^${HTTP_PATH}$`);

/** `acme.io/foo/bar`, as signers are named. */
export function validateDomainPrefixedPath(at: Path, text: string): ErrorList {
  if (text === "") return [required(at)];
  const slash = text.indexOf("/");
  const host = text.slice(0, Math.max(slash, 0));
  const path = text.slice(slash + 1);
  if (host === "" || path === "") {
    return [invalid(at, text, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const errors = isDNS1123Subdomain(host).map((message) => invalid(at, host, message));
  if (!httpPathRegExp.test(path)) {
    errors.push(invalid(at, path, regexError("Invalid path", HTTP_PATH)));
  }
  return errors;
}

/** `acme.io/foo`: a qualified name whose prefix may not be left out. */
export function validateDomainPrefixedKey(at: Path, key: string): ErrorList {
  if (key === "") return [required(at)];
  const errors = isQualifiedName(key).map((message) => invalid(at, key, message));
  if (errors.length > 0 || key.split("/").length === 2) return errors;
  return [invalid(at, key, 'must be a domain-prefixed key (such as "acme.io/foo")')];
}
