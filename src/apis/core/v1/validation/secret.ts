/** Secrets. Upstream: ValidateSecret and ValidateSecretUpdate, and pkg/api/secret/util.go. */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import {
  type ErrorList,
  forbidden,
  invalid,
  Path,
  required,
  tooLong,
} from "../../../../apimachinery/validation/field.ts";
import { isConfigMapKey } from "../../../../apimachinery/validation/names.ts";
import {
  semanticDeepEqual,
  validateImmutableField,
} from "../../../../apimachinery/validation/object-meta.ts";
import type { Secret } from "../types.ts";
import { base64ByteLength, MAX_DATA_BYTES } from "./configmap.ts";

const IMMUTABLE = "field is immutable when `immutable` is set";
const SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name";
const TLS = "kubernetes.io/tls";
const dataPath = Path.root("data");

export function validateSecret(secret: Secret): ErrorList {
  const errors: ErrorList = [];
  const data = secret.data ?? {};
  let size = 0;
  for (const key in data) {
    for (const message of isConfigMapKey(key))
      errors.push(invalid(dataPath.key(key), key, message));
    size += base64ByteLength(data[key] ?? "");
  }
  if (size > MAX_DATA_BYTES) errors.push(tooLong(dataPath, MAX_DATA_BYTES));
  return [...errors, ...validateByType(secret, data)];
}

function validateByType(secret: Secret, data: Readonly<Record<string, string>>): ErrorList {
  const missing = (key: string) => required(dataPath.key(key));
  switch (secret.type) {
    case "kubernetes.io/service-account-token": {
      if (secret.metadata?.annotations?.[SERVICE_ACCOUNT_NAME]) return [];
      return [required(Path.root("metadata", "annotations").key(SERVICE_ACCOUNT_NAME))];
    }
    case "kubernetes.io/dockercfg":
      return validateJsonMap(data, ".dockercfg");
    case "kubernetes.io/dockerconfigjson":
      return validateJsonMap(data, ".dockerconfigjson");
    case "kubernetes.io/basic-auth": {
      if (Object.hasOwn(data, "username") || Object.hasOwn(data, "password")) return [];
      return [missing("username"), missing("password")];
    }
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"] ? [] : [missing("ssh-privatekey")];
    case TLS:
      return ["tls.crt", "tls.key"].filter((key) => !Object.hasOwn(data, key)).map(missing);
    default:
      return [];
  }
}

function validateJsonMap(data: Readonly<Record<string, string>>, key: string): ErrorList {
  if (!Object.hasOwn(data, key)) return [required(dataPath.key(key))];
  const problem = jsonMapProblem(Buffer.from(data[key] ?? "", "base64").toString("utf8"));
  if (problem === undefined) return [];
  return [invalid(dataPath.key(key), "<secret contents redacted>", problem)];
}

/** What encoding/json says of a text that should be an object. */
function jsonMapProblem(text: string): string | undefined {
  if (text.trim() === "") return "unexpected end of JSON input";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return syntaxProblem(text);
  }
  if (value === null || (typeof value === "object" && !Array.isArray(value))) return undefined;
  const kind = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
}

/** The common cases of Go's scanner: text that does not begin like JSON, or that just stops. */
function syntaxProblem(text: string): string {
  const first = text.trimStart()[0] ?? "";
  if (!'{["-0123456789tfn'.includes(first)) {
    return `invalid character '${first}' looking for beginning of value`;
  }
  if (first === "{" && /^\{\s*[^"}\s]/.test(text.trimStart())) {
    const bad = text.trimStart().slice(1).trimStart()[0] ?? "";
    return `invalid character '${bad}' looking for beginning of object key string`;
  }
  return "unexpected end of JSON input";
}

export function validateSecretUpdate(secret: Secret, old: Secret): ErrorList {
  const errors = validateImmutableField(secret.type ?? "", old.type ?? "", Path.root("type"));
  if (old.immutable === true) {
    if (secret.immutable !== true) errors.push(forbidden("immutable", IMMUTABLE));
    if (!semanticDeepEqual(secret.data ?? {}, old.data ?? {})) {
      errors.push(forbidden("data", IMMUTABLE));
    }
  }
  return [...errors, ...validateSecret(secret)];
}

/** A key pair that does not load is stored all the same: it only gets a warning. */
export function warningsForSecret({ type, data = {} }: Secret): string[] {
  if (type !== TLS) return [];
  const problem = keyPairProblem(textOf(data["tls.crt"]), textOf(data["tls.key"]));
  return problem === undefined ? [] : [problem];
}

function textOf(base64: string | undefined): string {
  return Buffer.from(base64 ?? "", "base64").toString("latin1");
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[\s\S]*?-----END \1-----/g;

/** What Go's tls.X509KeyPair says, for the mistakes that people make. */
function keyPairProblem(certificate: string, key: string): string | undefined {
  const certificateTypes = [...certificate.matchAll(PEM)].map(([, type = ""]) => type);
  if (!certificateTypes.includes("CERTIFICATE")) {
    return notInPem("certificate", certificateTypes, "CERTIFICATE");
  }
  const keyTypes = [...key.matchAll(PEM)].map(([, type = ""]) => type);
  if (!keyTypes.some((type) => type === "PRIVATE KEY" || type.endsWith(" PRIVATE KEY"))) {
    return notInPem("key", keyTypes, "PRIVATE KEY");
  }
  try {
    const leaf = new X509Certificate(certificate);
    const fromKey = createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "der" });
    const fromLeaf = leaf.publicKey.export({ type: "spki", format: "der" });
    if (fromKey.equals(fromLeaf)) return undefined;
    return "tls: private key does not match public key";
  } catch {
    return "tls: failed to parse private key";
  }
}

function notInPem(what: "certificate" | "key", types: readonly string[], wanted: string): string {
  if (types.length === 0) return `tls: failed to find any PEM data in ${what} input`;
  const isKey = types.some((type) => type.endsWith("PRIVATE KEY"));
  if (what === "certificate" && isKey && types.length === 1) {
    return "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched";
  }
  if (what === "key" && types.length === 1 && types[0] === "CERTIFICATE") {
    return "tls: found a certificate rather than a key in the PEM for the private key";
  }
  const skipped = `[${types.join(" ")}]`;
  const label =
    what === "certificate" ? `"${wanted}"` : 'PEM block with type ending in "PRIVATE KEY"';
  const after = `after skipping PEM blocks of the following types: ${skipped}`;
  if (what === "certificate")
    return `tls: failed to find ${label} PEM block in certificate input ${after}`;
  return `tls: failed to find ${label} in key input ${after}`;
}
