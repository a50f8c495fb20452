/**
 * The formats that names, keys and values of API objects must have. Each function gives the list of
 * what is wrong, in upstream's words; empty: nothing. Lengths are bytes of UTF-8, as in Go.
 * Upstream: apimachinery/pkg/util/validation/validation.go and pkg/api/validate/content. The two say
 * "characters" and "bytes" for the same limit, so both texts are kept.
 */
type Problems = readonly string[];

const OK: Problems = [];

/** How a value that does not match a regular expression is told. */
export function regexError(message: string, format: string, ...examples: string[]): string {
  const quoted = examples.map((example) => `'${example}', `).join(" or ");
  const lead = examples.length === 0 ? " (" : ` (e.g. ${quoted}`;
  return `${message}${lead}regex used for validation is '${format}')`;
}

/** "must be no more than N characters". */
export function maxLenError(length: number): string {
  return `must be no more than ${length} characters`;
}

/** "must be between A and B, inclusive". */
export function inclusiveRangeError(low: number, high: number): string {
  return `must be between ${low} and ${high}, inclusive`;
}

/** What an empty value is told. */
export const EMPTY_ERROR = "must be non-empty";

/** The length Go's len() gives for a string. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

/** A format: a length limit, a regular expression, and the words for each. */
function format(limit: number, pattern: string, message: string, ...examples: string[]) {
  const regexp = new RegExp(`^${pattern}$`);
  const error = regexError(message, pattern, ...examples);
  return (value: string): Problems => {
    const long = value.length * 3 > limit && byteLength(value) > limit;
    if (!long && regexp.test(value)) return OK;
    const errors = long ? [maxLenError(limit)] : [];
    return regexp.test(value) ? errors : [...errors, error];
  };
}

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_UNDERSCORE = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const subdomainRegExp = new RegExp(`^${SUBDOMAIN}$`);

const isLabelIgnoringDots = format(
  63,
  LABEL,
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  "my-name",
  "123-abc",
);

/** `[a-z0-9]([-a-z0-9]*[a-z0-9])?`, at most 63 bytes. */
export function isDNS1123Label(value: string): Problems {
  const errors = isLabelIgnoringDots(value);
  if (errors.length === 0 || !value.includes(".") || !subdomainRegExp.test(value)) return errors;
  return [...errors.slice(0, -1), "must not contain dots"];
}

/** Labels joined by dots, at most 253 bytes in all. */
export const isDNS1123Subdomain = format(
  253,
  SUBDOMAIN,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  "example.com",
);

/** isDNS1123Subdomain with underscores allowed, for DNS search paths. */
export const isDNS1123SubdomainWithUnderscore = format(
  253,
  `${LABEL_UNDERSCORE}(\\.${LABEL_UNDERSCORE})*`,
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  "example.com",
);

/** As a label, but starting with a letter. */
export const isDNS1035Label = format(
  63,
  "[a-z]([-a-z0-9]*[a-z0-9])?",
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  "my-name",
  "abc-123",
);

/** `*.` and a subdomain. */
export const isWildcardDNS1123Subdomain = format(
  253,
  `\\*\\.${SUBDOMAIN}`,
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  "*.example.com",
);

const KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const keyRegExp = new RegExp(`^${KEY}$`);
const KEY_MESSAGE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_ERROR = regexError(KEY_MESSAGE, KEY, "MyName", "my.name", "123-abc");

/** A label key: an optional subdomain and `/`, then a name of at most 63 bytes. */
export function isQualifiedName(value: string): Problems {
  const parts = value.split("/");
  if (parts.length > 2) {
    const hint = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
    return [`a valid label key ${KEY_ERROR}${hint}`];
  }
  const name = parts[parts.length - 1] ?? "";
  const errors = parts.length === 2 ? prefixProblems(parts[0] ?? "") : [];
  if (name === "") errors.push(`name part ${EMPTY_ERROR}`);
  else if (byteLength(name) > 63) errors.push("name part must be no more than 63 bytes");
  if (!keyRegExp.test(name)) errors.push(`name part ${KEY_ERROR}`);
  return errors;
}

function prefixProblems(prefix: string): string[] {
  if (prefix === "") return [`prefix part ${EMPTY_ERROR}`];
  return isDNS1123Subdomain(prefix).map(
    (error) =>
      `prefix part ${error.replace("no more than 253 characters", "no more than 253 bytes")}`,
  );
}

const LABEL_VALUE_ERROR = regexError(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  `(${KEY})?`,
  "MyValue",
  "my_value",
  "12345",
);

/** Empty, or at most 63 bytes of the characters of label keys. */
export function isValidLabelValue(value: string): Problems {
  if (value === "") return OK;
  const errors: string[] = [];
  if (byteLength(value) > 63) errors.push("must be no more than 63 bytes");
  if (!keyRegExp.test(value)) errors.push(LABEL_VALUE_ERROR);
  return errors;
}

/** An identifier of C: letters, digits, underscores. */
export const isCIdentifier = format(
  Number.POSITIVE_INFINITY,
  "[A-Za-z_][A-Za-z0-9_]*",
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  "my_name",
  "MY_NAME",
  "MyName",
);

/** `low` <= value <= `high`. */
export function isInRange(value: number | bigint, low: number, high: number): Problems {
  return value >= low && value <= high ? OK : [inclusiveRangeError(low, high)];
}

/** 1 to 65535. */
export function isValidPortNum(port: number | bigint): Problems {
  return isInRange(port, 1, 65535);
}

const MAX_INT32 = 2147483647;

/** 0 to 2^31 - 1. */
export function isValidUserID(uid: number | bigint): Problems {
  return isInRange(uid, 0, MAX_INT32);
}

/** 0 to 2^31 - 1. */
export function isValidGroupID(gid: number | bigint): Problems {
  return isInRange(gid, 0, MAX_INT32);
}

/** An IANA service name. */
export function isValidPortName(port: string): Problems {
  const errors: string[] = [];
  if (byteLength(port) > 15) errors.push(maxLenError(15));
  if (!/^[-a-z0-9]+$/.test(port)) {
    errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (!/[a-z]/.test(port)) errors.push("must contain at least one letter (a-z)");
  if (port.includes("--")) errors.push("must not contain consecutive hyphens");
  if (port.startsWith("-") || port.endsWith("-")) {
    errors.push("must not begin or end with a hyphen");
  }
  return errors;
}

/** Digits and `%`. */
export const isValidPercent = format(
  Number.POSITIVE_INFINITY,
  "[0-9]+%",
  "a valid percent string must be a numeric string followed by an ending '%'",
  "1%",
  "93%",
);

/** Letters, digits and `-`. */
export const isHTTPHeaderName = format(
  Number.POSITIVE_INFINITY,
  "[-A-Za-z0-9]+",
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  "X-Header-Name",
);

const isStrictEnvVarName = format(
  Number.POSITIVE_INFINITY,
  "[-._a-zA-Z][-._a-zA-Z0-9]*",
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  "my.env-name",
  "MY_ENV.NAME",
  "MyEnvName1",
);

/** The rule before RelaxedEnvironmentVariableValidation. */
export function isEnvVarName(value: string): Problems {
  return [...isStrictEnvVarName(value), ...chDirPrefix(value)];
}

/** Printable ASCII other than `=`. */
export function isRelaxedEnvVarName(value: string): Problems {
  if (value === "") return [`environment variable name ${EMPTY_ERROR}`];
  if (/^[\x20-\x3c\x3e-\x7e]+$/.test(value)) return OK;
  return [
    "a valid environment variable name must consist only of printable ASCII characters other than '='",
  ];
}

const isConfigKeyIgnoringDots = format(
  253,
  "[-._a-zA-Z0-9]+",
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  "key.name",
  "KEY_NAME",
  "key-name",
);

/** A key of a ConfigMap or Secret. */
export function isConfigMapKey(value: string): Problems {
  return [...isConfigKeyIgnoringDots(value), ...chDirPrefix(value)];
}

function chDirPrefix(value: string): Problems {
  if (value === ".") return ["must not be '.'"];
  if (value === "..") return ["must not be '..'"];
  return value.startsWith("..") ? ["must not start with '..'"] : OK;
}

/** What every name must be, whatever its kind: one segment of a URL's path. */
export function isPathSegmentName(name: string): Problems {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return isPathSegmentPrefix(name);
}

/** As isPathSegmentName, for a name that something will be appended to. */
export function isPathSegmentPrefix(name: string): Problems {
  return ["/", "%"]
    .filter((part) => name.includes(part))
    .map((part) => `may not contain '${part}'`);
}
