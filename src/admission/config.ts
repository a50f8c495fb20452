/**
 * The file of `--admission-control-config-file`: settings of plugins, inline or in files of their
 * own, checked once at the start. Upstream: apiserver/pkg/admission/config.go and each plugin's
 * config.go.
 */
import { dirname, isAbsolute, join } from "node:path";
import { parseYaml } from "../apimachinery/runtime/yaml-library.ts";
import { type ErrorList, errorText, invalid, Path } from "../apimachinery/validation/field.ts";
import { isDNS1123Label, isDNS1123Subdomain } from "../apimachinery/validation/names.ts";
import {
  AdmissionConfigError,
  type ImagePolicyConfig,
  type PluginConfigs,
} from "./config-types.ts";
import type { EventLimit, EventLimitType } from "./plugins/event-rate-limit.ts";
import type { PodTolerationConfig } from "./plugins/pod-toleration-restriction.ts";
import {
  LATEST,
  LEVEL_PROBLEM,
  type LevelVersion,
  MODES,
  parseLevel,
  parseVersion,
  VERSION_PROBLEM,
} from "./pod-security/policy.ts";
import type { LimitedResource } from "./quota/check.ts";

type Fields = Readonly<Record<string, unknown>>;

const GROUP = "apiserver.config.k8s.io";
/** Plugins that had files without a version, and may be given one directly. */
const LEGACY_KEYS: readonly (readonly [key: string, plugin: string])[] = [
  ["imagePolicy", "ImagePolicyWebhook"],
  ["podNodeSelectorPluginConfig", "PodNodeSelector"],
];

/**
 * Reads the file at `path` with `readFile`, and the files it names. Throws AdmissionConfigError and
 * what `readFile` throws.
 */
export function loadAdmissionConfig(
  path: string,
  readFile: (path: string) => string,
): PluginConfigs {
  const file = parseFields(readFile(path), path);
  const isLegacy = file["apiVersion"] === undefined && file["kind"] === undefined;
  const legacy = LEGACY_KEYS.filter(([key]) => file[key] !== undefined);
  if (isLegacy && legacy.length > 0) {
    return Object.assign({}, ...legacy.map(([, plugin]) => pluginConfig(plugin, file)));
  }
  checkKind(file, path, [GROUP], "AdmissionConfiguration");
  const plugins = listOf(file["plugins"], "plugins");
  const seen = new Set<string>();
  const configs: PluginConfigs[] = [];
  for (const [i, one] of plugins.entries()) {
    const entry = fieldsOf(one, `plugins[${i}]`);
    const name = textOf(entry["name"]);
    // As upstream: the first of several for a plugin counts.
    if (seen.has(name)) continue;
    seen.add(name);
    const inline = entry["configuration"];
    const own = textOf(entry["path"]);
    if (inline !== undefined && inline !== null) {
      configs.push(pluginConfig(name, fieldsOf(inline, `plugins[${i}].configuration`)));
    } else if (own !== "") {
      const at = isAbsolute(own) ? own : join(dirname(path), own);
      configs.push(pluginConfig(name, parseFields(readFile(at), at)));
    }
  }
  return Object.assign({}, ...configs);
}

function pluginConfig(plugin: string, config: Fields): PluginConfigs {
  switch (plugin) {
    case "PodSecurity":
      return { podSecurity: podSecurityConfig(config) };
    case "PodNodeSelector":
      return { podNodeSelector: textsOf(config["podNodeSelectorPluginConfig"], plugin) };
    case "PodTolerationRestriction":
      return { podTolerationRestriction: tolerationConfig(config) };
    case "EventRateLimit":
      return { eventRateLimit: eventLimits(config) };
    case "ResourceQuota":
      return { limitedResources: limitedResources(config) };
    case "ImagePolicyWebhook":
      return { imagePolicy: imagePolicyConfig(config) };
    case "MutatingAdmissionWebhook":
      return { mutatingWebhookKubeConfig: webhookKubeConfig(config, plugin) };
    case "ValidatingAdmissionWebhook":
      return { validatingWebhookKubeConfig: webhookKubeConfig(config, plugin) };
    default:
      return {};
  }
}

function podSecurityConfig(config: Fields): NonNullable<PluginConfigs["podSecurity"]> {
  const group = "pod-security.admission.config.k8s.io";
  checkKind(config, "PodSecurity", [group], "PodSecurityConfiguration");
  const given = fieldsOf(config["defaults"] ?? {}, "defaults");
  const errors: ErrorList = [];
  const at = Path.root("defaults");
  const modeOf = (mode: string): LevelVersion => {
    const levelText = textOf(given[mode]) || "privileged";
    const versionText = textOf(given[`${mode}-version`]) || "latest";
    const level = parseLevel(levelText);
    const version = parseVersion(versionText);
    if (level === undefined) errors.push(invalid(at.child(mode), levelText, LEVEL_PROBLEM));
    if (version === undefined) {
      errors.push(invalid(at.child(`${mode}-version`), versionText, VERSION_PROBLEM));
    }
    return { level: level ?? "restricted", version: version ?? LATEST };
  };
  const [enforce, audit, warn] = MODES.map(modeOf);
  const exempt = fieldsOf(config["exemptions"] ?? {}, "exemptions");
  const names = (key: string, rule: (name: string) => readonly string[]) => {
    const list = listOf(exempt[key], `exemptions.${key}`).map(textOf);
    for (const [i, name] of list.entries()) {
      const problems = rule(name);
      const where = Path.root("exemptions").child(key).index(i);
      if (problems.length > 0) errors.push(invalid(where, name, problems.join(", ")));
      else if (list.indexOf(name) !== i) errors.push(invalid(where, name, "Duplicate value"));
    }
    return list;
  };
  const exemptions = {
    usernames: names("usernames", (name) => (name === "" ? ["username must not be empty"] : [])),
    runtimeClasses: names("runtimeClasses", isDNS1123Subdomain),
    namespaces: names("namespaces", isDNS1123Label),
  };
  if (errors.length > 0 || !enforce || !audit || !warn) {
    throw new AdmissionConfigError(`PodSecurity: ${errors.map(errorText).join(", ")}`);
  }
  return { defaults: { enforce, audit, warn }, exemptions };
}

function tolerationConfig(config: Fields): PodTolerationConfig {
  const group = "podtolerationrestriction.admission.k8s.io";
  checkKind(config, "PodTolerationRestriction", [group], "Configuration");
  const list = (key: string) =>
    listOf(config[key], key).map((one, i) => fieldsOf(one, `${key}[${i}]`));
  return {
    ...(config["default"] === undefined ? {} : { default: list("default") }),
    ...(config["whitelist"] === undefined ? {} : { whitelist: list("whitelist") }),
  };
}

const EVENT_LIMIT_TYPES: readonly EventLimitType[] = [
  "Server",
  "Namespace",
  "User",
  "SourceAndObject",
];

function eventLimits(config: Fields): readonly EventLimit[] {
  checkKind(config, "EventRateLimit", ["eventratelimit.admission.k8s.io"], "Configuration");
  const limits = listOf(config["limits"], "limits");
  if (limits.length === 0)
    throw new AdmissionConfigError("limits: Required value: must not be empty");
  return limits.map((one, i) => {
    const at = `limits[${i}]`;
    const fields = fieldsOf(one, at);
    const type = EVENT_LIMIT_TYPES.find((known) => known === fields["type"]);
    if (type === undefined) throw new AdmissionConfigError(`${at}.type: Unsupported value`);
    const qps = numberOf(fields["qps"]);
    const burst = numberOf(fields["burst"]);
    const cacheSize = numberOf(fields["cacheSize"]);
    if (burst <= 0) throw new AdmissionConfigError(`${at}.burst: Invalid value: must be positive`);
    if (qps <= 0) throw new AdmissionConfigError(`${at}.qps: Invalid value: must be positive`);
    if (cacheSize < 0) {
      throw new AdmissionConfigError(`${at}.cacheSize: Invalid value: must not be negative`);
    }
    return { type, qps, burst, cacheSize };
  });
}

function limitedResources(config: Fields): readonly LimitedResource[] {
  const groups = [GROUP, "resourcequota.admission.k8s.io"];
  const kinds = ["ResourceQuotaConfiguration", "Configuration"];
  checkKind(config, "ResourceQuota", groups, ...kinds);
  return listOf(config["limitedResources"], "limitedResources").map((one, i) => {
    const at = `limitedResources[${i}]`;
    const fields = fieldsOf(one, at);
    const resource = textOf(fields["resource"]);
    if (resource === "") throw new AdmissionConfigError(`${at}.resource: Required value`);
    return {
      resource,
      apiGroup: textOf(fields["apiGroup"]),
      matchContains: listOf(fields["matchContains"], `${at}.matchContains`).map(textOf),
      matchScopes: listOf(fields["matchScopes"], `${at}.matchScopes`).map((scope, j) => {
        const own = fieldsOf(scope, `${at}.matchScopes[${j}]`);
        return {
          scopeName: textOf(own["scopeName"]),
          operator: textOf(own["operator"]),
          values: listOf(own["values"], `${at}.matchScopes[${j}].values`).map(textOf),
        };
      }),
    };
  });
}

const MINUTE_MS = 60_000;

function imagePolicyConfig(config: Fields): ImagePolicyConfig {
  const policy = fieldsOf(config["imagePolicy"], "imagePolicy");
  const kubeConfigFile = textOf(policy["kubeConfigFile"]);
  if (kubeConfigFile === "") {
    throw new AdmissionConfigError("imagePolicy.kubeConfigFile: Required value");
  }
  return {
    kubeConfigFile,
    defaultAllow: policy["defaultAllow"] === true,
    retryBackoffMs: durationOf(policy["retryBackoff"], "backoff", 1, 500, 1, 5 * MINUTE_MS),
    allowTtlMs: durationOf(
      policy["allowTTL"],
      "allow cache",
      1000,
      5 * MINUTE_MS,
      1000,
      30 * MINUTE_MS,
    ),
    denyTtlMs: durationOf(policy["denyTTL"], "deny cache", 1000, 30_000, 1000, 30 * MINUTE_MS),
  };
}

/** -1 turns it off, 0 is the default, anything else is in units of `scale` milliseconds. */
function durationOf(
  given: unknown,
  name: string,
  scale: number,
  byDefault: number,
  min: number,
  max: number,
): number {
  const value = numberOf(given);
  if (value === -1) return 0;
  if (value === 0) return byDefault;
  const scaled = value * scale;
  if (scaled >= min && scaled <= max) return scaled;
  throw new AdmissionConfigError(
    `valid value is between ${min}ms and ${max}ms, got ${scaled}ms for image policy webhook ${name}`,
  );
}

function webhookKubeConfig(config: Fields, plugin: string): string {
  const groups = [GROUP];
  checkKind(config, plugin, groups, "WebhookAdmissionConfiguration", "WebhookAdmission");
  const path = textOf(config["kubeConfigFile"]);
  if (path !== "" && !isAbsolute(path)) {
    throw new AdmissionConfigError(`${plugin}: kubeConfigFile must be an absolute file path`);
  }
  return path;
}

function checkKind(
  config: Fields,
  what: string,
  groups: readonly string[],
  ...kinds: readonly string[]
): void {
  const [group = "", version = ""] = textOf(config["apiVersion"]).split("/");
  const isVersion = /^v1(?:alpha1|beta1)?$/.test(version);
  if (groups.includes(group) && isVersion && kinds.includes(textOf(config["kind"]))) return;
  const seen = `${textOf(config["apiVersion"])} ${textOf(config["kind"])}`;
  throw new AdmissionConfigError(`${what}: no kind ${JSON.stringify(seen)} is known here`);
}

function parseFields(text: string, path: string): Fields {
  try {
    return fieldsOf(parseYaml(text), path);
  } catch (error) {
    if (error instanceof AdmissionConfigError) throw error;
    throw new AdmissionConfigError(
      `${path}: ${error instanceof Error ? error.message : "no YAML"}`,
    );
  }
}

function fieldsOf(value: unknown, at: string): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject) throw new AdmissionConfigError(`${at}: must be an object`);
  return value as Fields;
}
function listOf(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new AdmissionConfigError(`${at}: must be a list`);
  return value;
}
function textsOf(value: unknown, at: string): Readonly<Record<string, string>> {
  const entries = Object.entries(fieldsOf(value ?? {}, at));
  return Object.fromEntries(entries.map(([key, text]) => [key, textOf(text)]));
}
const textOf = (value: unknown) => (typeof value === "string" ? value : "");
const numberOf = (value: unknown) => (typeof value === "number" ? value : 0);
