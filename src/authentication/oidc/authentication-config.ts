/**
 * The file of `--authentication-config`. Upstream: apiserver/pkg/apis/apiserver/v1/types.go and its
 * validation. An expression that does not compile keeps the server from starting: ignoring one would
 * let in users whom the operator meant to keep out.
 */
import { parseYaml } from "../../apimachinery/runtime/yaml-library.ts";
import { validateDomainPrefixedPath } from "../../apimachinery/validation/domains.ts";
import { Path } from "../../apimachinery/validation/field.ts";
import { CelError } from "../../apis/cel/values.ts";
import type { AnonymousRule } from "../union.ts";
import {
  compileIssuerExpression,
  type IssuerExpression,
  type IssuerExpressions,
  type IssuerRule,
  looksAtClaim,
} from "./claim-expressions.ts";
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
  const expressions = expressionsOf(fields, mappings, at);
  const username = prefixed(mappings["username"], `${at}.claimMappings.username`);
  if (username === undefined && expressions.username === undefined) {
    return refuse(`${at}.claimMappings.username`, "claim or expression is required");
  }
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
    expressions,
  };
}

function requiredOf(value: unknown, at: string): Record<string, string> {
  const required: Record<string, string> = {};
  for (const [i, one] of list(value, at).entries()) {
    const fields = object(one, `${at}[${i}]`);
    const claim = textOf(fields["claim"]);
    const expression = textOf(fields["expression"]);
    if (claim !== "" && expression !== "") {
      refuse(`${at}[${i}]`, "claim and expression can't both be set");
    }
    if (claim === "" && expression === "") {
      refuse(`${at}[${i}]`, "claim or expression is required");
    }
    if (claim === "") {
      if (textOf(fields["requiredValue"]) === "") continue;
      refuse(`${at}[${i}].requiredValue`, "may not be specified when expression is set");
    }
    if (textOf(fields["message"]) !== "") {
      refuse(`${at}[${i}].message`, "may not be specified when claim is set");
    }
    if (Object.hasOwn(required, claim)) refuse(`${at}[${i}].claim`, "Duplicate value");
    required[claim] = textOf(fields["requiredValue"]);
  }
  return required;
}

/** What the issuer says in expressions, compiled. */
function expressionsOf(fields: Fields, mappings: Fields, at: string): IssuerExpressions {
  const rules = `${at}.claimValidationRules`;
  const expressions = {
    username: mappingOf(mappings["username"], `${at}.claimMappings.username`),
    groups: mappingOf(mappings["groups"], `${at}.claimMappings.groups`),
    uid: mappingOf(mappings["uid"], `${at}.claimMappings.uid`),
    extra: extraOf(mappings["extra"], `${at}.claimMappings.extra`),
    claimRules: rulesOf(fields["claimValidationRules"], "claims", rules),
    userRules: rulesOf(fields["userValidationRules"], "user", `${at}.userValidationRules`),
  };
  checkEmail(expressions, at);
  return expressions;
}

/** A name made from an address must rest on the issuer's word that the address is the user's. */
function checkEmail(expressions: IssuerExpressions, at: string): void {
  const { username, extra, claimRules } = expressions;
  if (username === undefined || !looksAtClaim(username, "email")) return;
  const all = [username, ...extra.map(([, one]) => one), ...claimRules];
  if (all.some((one) => looksAtClaim(one, "email_verified"))) return;
  refuse(
    `${at}.claimMappings.username.expression`,
    "claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression",
  );
}

function compiled(
  text: string,
  variable: "claims" | "user",
  results: readonly string[],
  at: string,
): IssuerExpression {
  try {
    return compileIssuerExpression(text, variable, results);
  } catch (thrown) {
    if (thrown instanceof CelError) return refuse(at, thrown.message);
    throw thrown;
  }
}

function mappingOf(value: unknown, at: string): IssuerExpression | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = object(value, at);
  const text = textOf(fields["expression"]);
  if (text === "") return undefined;
  if (textOf(fields["claim"]) !== "") refuse(at, "claim and expression can't both be set");
  if (fields["prefix"] !== undefined)
    refuse(`${at}.prefix`, "prefix can't be set when expression is set");
  return compiled(text, "claims", [], `${at}.expression`);
}

function extraOf(value: unknown, at: string): readonly (readonly [string, IssuerExpression])[] {
  const seen = new Set<string>();
  return list(value, at).map((one, i) => {
    const fields = object(one, `${at}[${i}]`);
    const key = textOf(fields["key"]);
    const [problem] = validateDomainPrefixedPath(Path.root(`${at}[${i}].key`), key);
    if (problem !== undefined) refuse(`${at}[${i}].key`, problem.detail);
    if (key !== key.toLowerCase()) refuse(`${at}[${i}].key`, "must be lowercase");
    if (/(^|\.)(k8s|kubernetes)\.io\//.test(key)) {
      const why = "k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use";
      refuse(`${at}[${i}].key`, why);
    }
    if (seen.has(key)) refuse(`${at}[${i}].key`, "Duplicate value");
    seen.add(key);
    const text = textOf(fields["valueExpression"]);
    if (text === "") refuse(`${at}[${i}].valueExpression`, "Required value");
    return [key, compiled(text, "claims", [], `${at}[${i}].valueExpression`)] as const;
  });
}

/** Rules in expressions; those that name a claim are in requiredOf. */
function rulesOf(value: unknown, variable: "claims" | "user", at: string): readonly IssuerRule[] {
  const seen = new Set<string>();
  return list(value, at).flatMap((one, i) => {
    const fields = object(one, `${at}[${i}]`);
    const text = textOf(fields["expression"]);
    if (text === "") {
      if (variable === "user") refuse(`${at}[${i}].expression`, "Required value");
      return [];
    }
    if (seen.has(text)) refuse(`${at}[${i}].expression`, "Duplicate value");
    seen.add(text);
    const message = textOf(fields["message"]);
    return [{ ...compiled(text, variable, ["bool"], `${at}[${i}].expression`), text, message }];
  });
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
  return textOf(fields["claim"]) || undefined;
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
