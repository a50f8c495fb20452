/** Names of certificate signers. Upstream: core/validation.ValidateSignerName. */
import {
  type ErrorList,
  invalid,
  type Path,
  quote,
  required,
  tooLong,
} from "../../apimachinery/validation/field.ts";
import {
  byteLength,
  isDNS1123Label,
  isDNS1123Subdomain,
} from "../../apimachinery/validation/names.ts";

const DOMAIN_MAX = 253;
const SIGNER_NAME_MAX = 571;

/** `example.com/signer-name`: a domain of two labels and more, and a path. */
export function validateSignerName(at: Path, signerName: string): ErrorList {
  if (signerName === "") return [required(at)];
  const [domain = "", path, ...more] = signerName.split("/");
  if (path === undefined || more.length > 0) {
    const detail =
      "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalid(at, signerName, detail)];
  }
  const errors: ErrorList = [];
  if (byteLength(domain) > DOMAIN_MAX) errors.push(tooLong(at, DOMAIN_MAX));
  const labels = domain.split(".");
  for (const label of labels) {
    for (const message of isDNS1123Label(label)) {
      errors.push(invalid(at, domain, `validating label ${quote(label)}: ${message}`));
    }
  }
  if (labels.length < 2) {
    const detail = "should be a domain with at least two segments separated by dots";
    errors.push(invalid(at, domain, detail));
  }
  for (const label of path.split(".")) {
    for (const message of isDNS1123Subdomain(label)) {
      errors.push(invalid(at, path, `validating label ${quote(label)}: ${message}`));
    }
  }
  if (byteLength(signerName) > SIGNER_NAME_MAX) errors.push(tooLong(at, SIGNER_NAME_MAX));
  return errors;
}
