/**
 * The file of `--authorization-config`. Upstream: apiserver/pkg/apis/apiserver/v1/types.go. Match
 * conditions are refused when the server starts: a webhook must not be skipped or asked by mistake.
 */

import { parseDuration } from "../apimachinery/runtime/duration.ts";
import { parseYaml } from "../apimachinery/runtime/yaml-library.ts";
import { compileMatchCondition, type MatchCondition } from "./match-conditions.ts";

export const AUTHORIZER_TYPES = [
  "Webhook",
  "Node",
  "RBAC",
  "ABAC",
  "AlwaysAllow",
  "AlwaysDeny",
] as const;
export type AuthorizerType = (typeof AUTHORIZER_TYPES)[number];

export interface WebhookSettings {
  readonly kubeconfig: string;
  readonly version: string;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  readonly timeoutMs: number;
  readonly onFailure: "NoOpinion" | "Deny";
  /** All must hold of a question before the webhook is asked. */
  readonly matchConditions: readonly MatchCondition[];
}
export interface ConfiguredAuthorizer {
  readonly type: AuthorizerType;
  readonly name: string;
  /** Of type Webhook only. */
  readonly webhook: WebhookSettings | undefined;
}

/** The file can not be used; the message names the field. */
export class AuthorizationConfigError extends Error {
  override readonly name = "AuthorizationConfigError";
}

const CONDITIONS_MAX = 64;
const TIMEOUT_MS_MAX = 30_000;
const refuse = (at: string, why: string): never => {
  throw new AuthorizationConfigError(`${at}: ${why}`);
};

export function parseAuthorizationConfig(text: string): readonly ConfiguredAuthorizer[] {
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    throw new AuthorizationConfigError(
      `is no YAML: ${error instanceof Error ? error.message : ""}`,
    );
  }
  const fields = object(parsed, "the file");
  const versions = ["v1", "v1beta1", "v1alpha1"].map((v) => `apiserver.config.k8s.io/${v}`);
  if (!versions.includes(textOf(fields["apiVersion"]))) refuse("apiVersion", "is not known");
  if (fields["kind"] !== "AuthorizationConfiguration") refuse("kind", "is not known");
  const given = fields["authorizers"];
  if (!Array.isArray(given) || given.length === 0) {
    return refuse("authorizers", "at least one authorization mode must be defined");
  }
  const authorizers = given.map((one, i) =>
    authorizerOf(object(one, `authorizers[${i}]`), `authorizers[${i}]`),
  );
  const seen = new Set<string>();
  for (const [i, { type, name }] of authorizers.entries()) {
    if (type !== "Webhook" && seen.has(type)) refuse(`authorizers[${i}].type`, "Duplicate value");
    if (seen.has(`name ${name}`)) refuse(`authorizers[${i}].name`, "Duplicate value");
    seen.add(type).add(`name ${name}`);
  }
  return authorizers;
}

function authorizerOf(fields: Fields, at: string): ConfiguredAuthorizer {
  const type = AUTHORIZER_TYPES.find((one) => one === fields["type"]);
  if (type === undefined) return refuse(`${at}.type`, "Unsupported value");
  const name = textOf(fields["name"]);
  if (name === "") refuse(`${at}.name`, "Required value");
  if (type !== "Webhook") {
    if (fields["webhook"] !== undefined) {
      refuse(`${at}.webhook`, "may only be specified when type=Webhook");
    }
    return { type, name, webhook: undefined };
  }
  return {
    type,
    name,
    webhook: webhookOf(object(fields["webhook"], `${at}.webhook`), `${at}.webhook`),
  };
}

function webhookOf(fields: Fields, at: string): WebhookSettings {
  const version = textOf(fields["subjectAccessReviewVersion"]);
  if (version !== "v1" && version !== "v1beta1") {
    refuse(`${at}.subjectAccessReviewVersion`, 'supported values: "v1", "v1beta1"');
  }
  const policy = fields["failurePolicy"];
  if (policy !== "NoOpinion" && policy !== "Deny") {
    return refuse(`${at}.failurePolicy`, 'supported values: "NoOpinion", "Deny"');
  }
  const timeoutMs = durationMs(fields["timeout"], `${at}.timeout`, 0);
  if (timeoutMs <= 0 || timeoutMs > TIMEOUT_MS_MAX) {
    refuse(`${at}.timeout`, "must be greater than 0 and at most 30s");
  }
  const connection = object(fields["connectionInfo"], `${at}.connectionInfo`);
  if (connection["type"] !== "KubeConfigFile") {
    refuse(`${at}.connectionInfo.type`, "this server supports KubeConfigFile only");
  }
  const kubeconfig = textOf(connection["kubeConfigFile"]);
  if (!kubeconfig.startsWith("/")) {
    refuse(`${at}.connectionInfo.kubeConfigFile`, "must be an absolute path");
  }
  return {
    kubeconfig,
    version,
    authorizedTtlMs: durationMs(fields["authorizedTTL"], `${at}.authorizedTTL`, 300_000),
    unauthorizedTtlMs: durationMs(fields["unauthorizedTTL"], `${at}.unauthorizedTTL`, 30_000),
    timeoutMs,
    onFailure: policy,
    matchConditions: conditionsOf(fields["matchConditions"], `${at}.matchConditions`),
  };
}

function conditionsOf(value: unknown, at: string): readonly MatchCondition[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return refuse(at, "must be a list");
  if (value.length > CONDITIONS_MAX) {
    refuse(at, `Too many: ${value.length}: must have at most ${CONDITIONS_MAX} items`);
  }
  const seen = new Set<string>();
  return value.map((one, i) => {
    const text = textOf(object(one, `${at}[${i}]`)["expression"]);
    if (text === "") refuse(`${at}[${i}].expression`, "Required value");
    if (seen.has(text)) refuse(`${at}[${i}].expression`, "Duplicate value");
    seen.add(text);
    const condition = compileMatchCondition(text);
    return "problem" in condition ? refuse(`${at}[${i}].expression`, condition.problem) : condition;
  });
}

function durationMs(value: unknown, at: string, fallback: number): number {
  if (value === undefined) return fallback;
  try {
    return Number(parseDuration(textOf(value)) / 1_000_000n);
  } catch {
    return refuse(at, "is no duration");
  }
}

type Fields = Readonly<Record<string, unknown>>;
function object(value: unknown, at: string): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : refuse(at, "must be an object");
}
const textOf = (value: unknown) => (typeof value === "string" ? value : "");
