/**
 * The file of `--authentication-config`. Upstream: apiserver/pkg/apis/apiserver/v1/types.go and its
 * validation. CEL expressions are refused when the server starts: ignoring one would let in users
 * whom the operator meant to keep out.
 */
import { parseYaml } from "../../apimachinery/runtime/yaml-library.ts";
import type { AnonymousRule } from "../union.ts";
import type { JwtIssuer, PrefixedClaim } from "./jwt-authenticator.ts";

export interface AuthenticationConfig {
  readonly issuers: readonly JwtIssuer[];
  readonly anonymous: AnonymousRule | undefined;
}

/** The file can not be used; the message names the field. */
export class AuthenticationConfigError extends Error {
  override readonly name = "AuthenticationConfigError";
}

const ISSUERS_MAX = 64;
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "ES256",
  "ES384",
  "ES512",
  "PS256",
  "PS384",
  "PS512",
];
type Fields = Readonly<Record<string, unknown>>;

const refuse = (at: string, why: string): never => {
  throw new AuthenticationConfigError(`${at}: ${why}`);
};

/** Reads YAML or JSON. `ownIssuers` are those of service accounts, which no other may pose as. */
export function parseAuthenticationConfig(
  text: string,
  ownIssuers: readonly string[],
): AuthenticationConfig {
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    throw new AuthenticationConfigError(
      `is no YAML: ${error instanceof Error ? error.message : ""}`,
    );
  }
  const fields = object(parsed, "the file");
  const versions = ["v1", "v1beta1", "v1alpha1"].map((v) => `apiserver.config.k8s.io/${v}`);
  if (!versions.includes(textOf(fields["apiVersion"]))) refuse("apiVersion", "is not known");
  if (fields["kind"] !== "AuthenticationConfiguration") refuse("kind", "is not known");
  known(fields, ["apiVersion", "kind", "jwt", "anonymous"], "the file");
  const jwt = list(fields["jwt"], "jwt");
  if (jwt.length > ISSUERS_MAX) refuse("jwt", `must have at most ${ISSUERS_MAX} items`);
  const issuers = jwt.map((one, i) => issuerOf(object(one, `jwt[${i}]`), `jwt[${i}]`));
  const urls = new Set<string>();
  for (const [i, { url }] of issuers.entries()) {
    if (urls.has(url)) refuse(`jwt[${i}].issuer.url`, `Duplicate value: ${JSON.stringify(url)}`);
    if (ownIssuers.includes(url)) {
      refuse(`jwt[${i}].issuer.url`, "must not overlap with disallowed issuers");
    }
    urls.add(url);
  }
  return { issuers, anonymous: anonymousOf(fields["anonymous"]) };
}

function anonymousOf(value: unknown): AnonymousRule | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = object(value, "anonymous");
  known(fields, ["enabled", "conditions"], "anonymous");
  const conditions = list(fields["conditions"], "anonymous.conditions");
  const enabled = fields["enabled"] === true;
  if (!enabled && conditions.length > 0) {
    refuse("anonymous.conditions", "enabled should be set to true when conditions are defined");
  }
  if (conditions.length === 0) return { enabled };
  const paths = conditions.map((one, i) => {
    const at = `anonymous.conditions[${i}]`;
    const path = textOf(object(one, at)["path"]);
    return path === "" ? refuse(`${at}.path`, "must not be empty") : path;
  });
  return { enabled, paths: new Set(paths) };
}

function issuerOf(fields: Fields, at: string): JwtIssuer {
  known(fields, ["issuer", "claimValidationRules", "claimMappings", "userValidationRules"], at);
  if (list(fields["userValidationRules"], at).length > 0) {
    refuse(`${at}.userValidationRules`, "CEL expressions are not supported by this server yet");
  }
  const issuer = object(fields["issuer"], `${at}.issuer`);
  const names = ["url", "discoveryURL", "certificateAuthority", "audiences", "audienceMatchPolicy"];
  known(issuer, [...names, "egressSelectorType"], `${at}.issuer`);
  const url = httpsUrl(issuer["url"], `${at}.issuer.url`);
  const discovery = textOf(issuer["discoveryURL"]);
  const audiences = list(issuer["audiences"], `${at}.issuer.audiences`).map(textOf);
  if (audiences.length === 0 || audiences.includes("")) {
    refuse(`${at}.issuer.audiences`, "at least one audience is required");
  }
  const mappings = object(fields["claimMappings"], `${at}.claimMappings`);
  known(mappings, ["username", "groups", "uid", "extra"], `${at}.claimMappings`);
  if (list(mappings["extra"], at).length > 0) {
    refuse(`${at}.claimMappings.extra`, "CEL expressions are not supported by this server yet");
  }
  const username = prefixed(mappings["username"], `${at}.claimMappings.username`);
  if (username === undefined) return refuse(`${at}.claimMappings.username`, "claim is required");
  return {
    url,
    discoveryUrl: discovery === "" ? undefined : httpsUrl(discovery, `${at}.issuer.discoveryURL`),
    authorities: textOf(issuer["certificateAuthority"]) || undefined,
    audiences,
    algorithms: ALGORITHMS,
    username,
    groups: prefixed(mappings["groups"], `${at}.claimMappings.groups`),
    uidClaim: claimOf(mappings["uid"], `${at}.claimMappings.uid`),
    requiredClaims: requiredOf(fields["claimValidationRules"], `${at}.claimValidationRules`),
  };
}

function requiredOf(value: unknown, at: string): Record<string, string> {
  const required: Record<string, string> = {};
  for (const [i, one] of list(value, at).entries()) {
    const fields = object(one, `${at}[${i}]`);
    withoutExpression(fields, `${at}[${i}]`);
    const claim = textOf(fields["claim"]);
    if (claim === "") refuse(`${at}[${i}]`, "claim or expression is required");
    required[claim] = textOf(fields["requiredValue"]);
  }
  return required;
}

function prefixed(value: unknown, at: string): PrefixedClaim | undefined {
  const claim = claimOf(value, at);
  if (claim === undefined) return undefined;
  const { prefix } = object(value, at) as { prefix?: unknown };
  if (typeof prefix !== "string")
    return refuse(`${at}.prefix`, "prefix is required when claim is set");
  return { claim, prefix };
}

function claimOf(value: unknown, at: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = object(value, at);
  withoutExpression(fields, at);
  return textOf(fields["claim"]) || undefined;
}

function withoutExpression(fields: Fields, at: string): void {
  if (textOf(fields["expression"]) === "") return;
  refuse(`${at}.expression`, "CEL expressions are not supported by this server yet");
}

function httpsUrl(value: unknown, at: string): string {
  const url = textOf(value);
  if (!URL.canParse(url)) return refuse(at, "URL is required");
  const { protocol, username, password, search, hash } = new URL(url);
  if (protocol !== "https:") return refuse(at, "URL scheme must be https");
  if (username + password + search + hash !== "") {
    return refuse(at, "URL must not contain a username, password, query or fragment");
  }
  return url;
}

function known(fields: Fields, names: readonly string[], at: string): void {
  const stranger = Object.keys(fields).find((name) => !names.includes(name));
  if (stranger !== undefined) refuse(at, `unknown field ${JSON.stringify(stranger)}`);
}
function object(value: unknown, at: string): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : refuse(at, "must be an object");
}
function list(value: unknown, at: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) ? value : refuse(at, "must be a list");
}
const textOf = (value: unknown) => (typeof value === "string" ? value : "");
