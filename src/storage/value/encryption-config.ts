/**
 * EncryptionConfiguration (apiserver.config.k8s.io/v1): which providers, for which resources.
 * Upstream: server/options/encryptionconfig/config.go, apis/apiserver/validation.
 */
import { parseYaml } from "../../apimachinery/runtime/yaml-library.ts";

export interface KeyConfig {
  readonly name: string;
  readonly secret: Buffer;
}
export type ProviderConfig =
  | { readonly kind: "aescbc" | "aesgcm" | "secretbox"; readonly keys: readonly KeyConfig[] }
  | { readonly kind: "identity" }
  | {
      readonly kind: "kms";
      readonly version: "v1" | "v2";
      readonly name: string;
      readonly socket: string;
      readonly timeoutMs: number;
      /** Of v1: how many keys it remembers; none when negative. */
      readonly cacheSize: number;
    };
export interface ResourceEncryption {
  readonly resources: readonly string[];
  readonly providers: readonly ProviderConfig[];
}

/** Says where the file is wrong, in upstream's words; never what a secret is. */
export class EncryptionConfigError extends Error {
  override readonly name = "EncryptionConfigError";
}

interface KmsRules {
  readonly names: Set<string>;
  readonly v1: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/** `kmsV1`: the gate of that name. Throws EncryptionConfigError. */
export function parseEncryptionConfig(text: string, kmsV1 = false): readonly ResourceEncryption[] {
  let config: unknown;
  try {
    config = parseYaml(text);
  } catch (error) {
    throw new EncryptionConfigError(`error decoding encryption provider configuration: ${error}`);
  }
  if (!isObject(config) || config["kind"] !== "EncryptionConfiguration") {
    throw new EncryptionConfigError("got unexpected config type: not an EncryptionConfiguration");
  }
  if (!/^apiserver\.config\.k8s\.io\//.test(String(config["apiVersion"]))) {
    throw new EncryptionConfigError(
      `no kind "EncryptionConfiguration" is registered for version "${config["apiVersion"]}"`,
    );
  }
  const list = listOf(config["resources"]);
  if (list.length === 0)
    throw wrong("resources", "Required value: at least one resources is required");
  const kms: KmsRules = { names: new Set(), v1: kmsV1 };
  return list.map((entry, i) => readEntry(entry, `resources[${i}]`, kms));
}

function readEntry(entry: unknown, path: string, kms: KmsRules): ResourceEncryption {
  const object = isObject(entry) ? entry : {};
  const resources = listOf(object["resources"]).map(String);
  if (resources.length === 0) {
    throw wrong(`${path}.resources`, `Required value: at least one ${path}.resources is required`);
  }
  for (const [i, name] of resources.entries()) checkResource(name, `${path}.resources[${i}]`);
  checkOverlap(resources, `${path}.resources`);
  const list = listOf(object["providers"]);
  if (list.length === 0) {
    throw wrong(`${path}.providers`, `Required value: at least one ${path}.providers is required`);
  }
  const providers = list.map((p, i) => readProvider(p, `${path}.providers[${i}]`, kms));
  return { resources, providers };
}

const UNSTORED = ["apiserveripinfo", "serviceipallocations", "servicenodeportallocations"];

function checkResource(name: string, path: string): void {
  const [resource, group] = splitResource(name);
  const invalid = (why: string): EncryptionConfigError =>
    wrong(path, `Invalid value: ${JSON.stringify(name)}: ${why}`);
  if (name !== name.toLowerCase())
    throw invalid("resource name should not contain capital letters");
  if (name === "*") {
    throw invalid(
      "use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources",
    );
  }
  if (UNSTORED.includes(name))
    throw invalid("resources which do not have REST API/s cannot be encrypted");
  if (group === "events.k8s.io") {
    throw invalid(
      "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file",
    );
  }
  if (group === "extensions") {
    throw invalid("'extensions' group has been removed and cannot be used for encryption");
  }
  if (group === "*" && resource !== "*") {
    throw invalid("encrypting the same resource across groups is not supported");
  }
}

function checkOverlap(resources: readonly string[], path: string): void {
  const shown = JSON.stringify(resources);
  if (new Set(resources).size !== resources.length) {
    throw wrong(
      path,
      `Invalid value: ${shown}: the same resource cannot be specified multiple times`,
    );
  }
  const overlaps = resources.some((a, i) =>
    resources.some((b, j) => i !== j && (a === "*.*" || (masks(a, b) && a.startsWith("*")))),
  );
  if (overlaps) {
    throw wrong(
      path,
      `Invalid value: ${shown}: using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked`,
    );
  }
}

const KEY_LENGTHS = { aescbc: [16, 24, 32], aesgcm: [16, 24, 32], secretbox: [32] } as const;
/** Of KMS v1. */
const CACHE_SIZE = 1000;
const KINDS = ["aescbc", "aesgcm", "secretbox", "identity", "kms"] as const;

function readProvider(entry: unknown, path: string, kms: KmsRules): ProviderConfig {
  const object = isObject(entry) ? entry : {};
  const named = KINDS.filter((kind) => object[kind] !== undefined && object[kind] !== null);
  const [kind] = named;
  if (kind === undefined) {
    throw wrong(
      path,
      "Invalid value: provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity",
    );
  }
  if (named.length > 1) {
    throw wrong(
      path,
      "Invalid value: more than one provider specified in a single element, should split into different list elements",
    );
  }
  if (kind === "identity") return { kind };
  const body = isObject(object[kind]) ? (object[kind] as Json) : {};
  if (kind === "kms") return readKms(body, `${path}.kms`, kms);
  const keys = listOf(body["keys"]);
  if (keys.length === 0) {
    throw wrong(`${path}.${kind}.keys`, "Required value: at least one keys is required");
  }
  const lengths = KEY_LENGTHS[kind];
  return { kind, keys: keys.map((k, i) => readKey(k, `${path}.${kind}.keys[${i}]`, lengths)) };
}

function readKey(entry: unknown, path: string, lengths: readonly number[]): KeyConfig {
  const object = isObject(entry) ? entry : {};
  const name = textOf(object["name"]);
  const text = textOf(object["secret"]);
  if (name === "")
    throw wrong(`${path}.name`, "Required value: name is a mandatory field for a key");
  if (text === "") {
    throw wrong(`${path}.secret`, "Required value: secret is a mandatory field for a key");
  }
  const secret = Buffer.from(text, "base64");
  if (secret.toString("base64") !== text.trim()) {
    throw wrong(`${path}.secret`, 'Invalid value: "REDACTED": secrets must be base64 encoded');
  }
  if (!lengths.includes(secret.length)) {
    throw wrong(
      `${path}.secret`,
      `Invalid value: "REDACTED": secret is not of the expected length, got ${secret.length}, expected one of [${lengths.join(" ")}]`,
    );
  }
  return { name, secret };
}

function readKms(body: Json, path: string, { names, v1 }: KmsRules): ProviderConfig {
  const name = textOf(body["name"]);
  const version = textOf(body["apiVersion"]) || "v1";
  if (version !== "v1" && version !== "v2") {
    throw wrong(
      `${path}.apiVersion`,
      `Invalid value: ${JSON.stringify(version)}: unsupported apiVersion apiVersion for KMS provider, only v1 and v2 are supported`,
    );
  }
  if (version === "v1" && !v1) {
    throw wrong(
      path,
      "KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.",
    );
  }
  const cacheSize = cacheSizeOf(body["cachesize"], version, `${path}.cachesize`);
  if (name === "")
    throw wrong(`${path}.name`, "Required value: name is a mandatory field for a provider");
  if (name.includes(":")) {
    throw wrong(
      `${path}.name`,
      `Invalid value: ${JSON.stringify(name)}: invalid KMS provider name ${name}, must not contain ':'`,
    );
  }
  if (names.has(name)) {
    throw wrong(
      `${path}.name`,
      `Invalid value: ${JSON.stringify(name)}: duplicate KMS provider name ${name}, names must be unique`,
    );
  }
  names.add(name);
  const endpoint = textOf(body["endpoint"]);
  if (endpoint === "") {
    throw wrong(`${path}.endpoint`, 'Invalid value: "": endpoint is a mandatory field for a kms');
  }
  const scheme = endpoint.split("://")[0];
  if (scheme !== "unix") {
    throw wrong(
      `${path}.endpoint`,
      `Invalid value: ${JSON.stringify(endpoint)}: unsupported scheme "${scheme}" for KMS provider, only unix is supported`,
    );
  }
  return {
    kind: "kms",
    version,
    name,
    cacheSize,
    socket: endpoint.slice("unix://".length),
    timeoutMs: durationMs(textOf(body["timeout"]) || "3s", `${path}.timeout`),
  };
}

function cacheSizeOf(size: unknown, version: "v1" | "v2", path: string): number {
  if (size === undefined || size === null) return CACHE_SIZE;
  if (version === "v2") {
    throw wrong(path, `Invalid value: ${size}: cachesize is not supported in v2`);
  }
  if (typeof size === "number" && Number.isInteger(size) && size !== 0) return size;
  throw wrong(
    path,
    `Invalid value: ${size}: cachesize should be a positive value, or negative to disable`,
  );
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function durationMs(text: string, path: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|s|m|h)/g)) {
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  }
  if (total > 0) return total;
  throw wrong(path, `Invalid value: ${JSON.stringify(text)}: timeout should be a positive value`);
}

/** `deployments.apps` as resource and group. */
export function splitResource(name: string): readonly [string, string] {
  const dot = name.indexOf(".");
  return dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1)];
}

/** Whether an entry's resource names `resource`, wildcards included. */
export function masks(entry: string, resource: string): boolean {
  if (entry === "*.*" || entry === resource) return true;
  const [entryResource, entryGroup] = splitResource(entry);
  const [, group] = splitResource(resource);
  return entryResource === "*" && entryGroup === group;
}

function wrong(path: string, message: string): EncryptionConfigError {
  return new EncryptionConfigError(`${path}: ${message}`);
}
function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
