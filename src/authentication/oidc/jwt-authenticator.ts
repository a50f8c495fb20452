/**
 * ID tokens of OpenID Connect issuers. Upstream: apiserver/plugin/pkg/authenticator/token/oidc;
 * signatures are checked by the jose package.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import { fetchJson } from "../../request/outgoing/fetch-json.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type { TokenAuthenticator } from "../authenticator.ts";
import { CREDENTIAL_ID_KEY } from "../extra-keys.ts";
import { parseToken } from "../service-account/jwt.ts";
import { ClaimEvaluation, type IssuerExpressions } from "./claim-expressions.ts";

export interface PrefixedClaim {
  readonly claim: string;
  readonly prefix: string;
}
export interface JwtIssuer {
  readonly url: string;
  /** Undefined: below `url`. */
  readonly discoveryUrl: string | undefined;
  /** PEM; undefined: the system's. */
  readonly authorities: string | undefined;
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** Undefined: an expression gives it. */
  readonly username: PrefixedClaim | undefined;
  readonly groups: PrefixedClaim | undefined;
  readonly uidClaim: string | undefined;
  readonly requiredClaims: Readonly<Record<string, string>>;
  readonly expressions: IssuerExpressions;
}

/** Time between reads of an issuer's keys, so that tokens with made-up key ids cost nothing. */
const REFRESH_MS = 10_000;
const CLOCK_TOLERANCE_SECONDS = 0;

/** Reads the issuer's metadata when the first of its tokens comes. */
export function jwtAuthenticator(
  issuer: JwtIssuer,
  fetchDocument: typeof fetchJson = fetchJson,
): TokenAuthenticator {
  const keys = new IssuerKeys(issuer, fetchDocument);
  return {
    name: `oidc:${issuer.url}`,
    async authenticateToken(token) {
      const parsed = parseToken(token);
      if (parsed === undefined || parsed.claims["iss"] !== issuer.url) return undefined;
      const claims = await verified(token, issuer, keys);
      return { user: userOf(claims, issuer) };
    },
  };
}

/** The user that verified claims stand for. Throws an Error that says why they stand for none. */
function userOf(claims: JWTPayload, issuer: JwtIssuer): UserInfo {
  const { username, uidClaim, groups: groupsClaim } = issuer;
  const evaluation = new ClaimEvaluation(issuer.expressions, claims);
  const plainName = () => (username === undefined ? "" : userNameOf(claims, username));
  const plainUid = () => (uidClaim === undefined ? "" : textClaim(claims, uidClaim));
  const plainGroups = () => (groupsClaim === undefined ? [] : groupsOf(claims, groupsClaim));
  const { jti } = claims;
  const user = {
    name: evaluation.username() ?? plainName(),
    uid: evaluation.uid() ?? plainUid(),
    groups: evaluation.groups() ?? plainGroups(),
    extra: {
      ...evaluation.extra(),
      ...(jti === undefined ? {} : { [CREDENTIAL_ID_KEY]: [`JTI=${jti}`] }),
    },
  };
  checkRequired(claims, issuer.requiredClaims);
  evaluation.checkClaims();
  evaluation.checkUser(user);
  return user;
}

async function verified(token: string, issuer: JwtIssuer, keys: IssuerKeys): Promise<JWTPayload> {
  const options = {
    issuer: issuer.url,
    audience: [...issuer.audiences],
    algorithms: [...issuer.algorithms],
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    requiredClaims: ["exp"],
  };
  try {
    const { payload } = await jwtVerify(token, await keys.current(), options);
    return payload;
  } catch (error) {
    // The issuer may have turned its keys over since they were read.
    if (error instanceof errors.JWKSNoMatchingKey && (await keys.refresh())) {
      const { payload } = await jwtVerify(token, await keys.current(), options);
      return payload;
    }
    throw new Error(`oidc: verify token: ${error instanceof Error ? error.message : error}`);
  }
}

class IssuerKeys {
  readonly #issuer: JwtIssuer;
  readonly #fetch: typeof fetchJson;
  #keys: Promise<ReturnType<typeof createLocalJWKSet>> | undefined;
  #readAt = 0;

  constructor(issuer: JwtIssuer, fetchDocument: typeof fetchJson) {
    this.#issuer = issuer;
    this.#fetch = fetchDocument;
  }

  current(): Promise<ReturnType<typeof createLocalJWKSet>> {
    this.#keys ??= this.#read();
    return this.#keys;
  }

  /** False when the keys were read a moment ago. */
  async refresh(): Promise<boolean> {
    if (Date.now() - this.#readAt < REFRESH_MS) return false;
    this.#keys = this.#read();
    await this.#keys;
    return true;
  }

  #read() {
    this.#readAt = Date.now();
    const reading = this.#load();
    reading.catch(() => {
      if (this.#keys === reading) this.#keys = undefined; // the next token tries again
    });
    return reading;
  }

  async #load() {
    const { url, discoveryUrl, authorities } = this.#issuer;
    const wellKnown = `${url.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const metadata = await this.#fetch(discoveryUrl ?? wellKnown, authorities);
    const { issuer, jwks_uri: uri } = (metadata ?? {}) as { issuer?: unknown; jwks_uri?: unknown };
    if (issuer !== url)
      throw new Error("oidc: issuer did not match the issuer returned by provider");
    if (typeof uri !== "string" || !uri.startsWith("https://")) {
      throw new Error("oidc: the provider names no usable jwks_uri");
    }
    return createLocalJWKSet((await this.#fetch(uri, authorities)) as JSONWebKeySet);
  }
}

function userNameOf(claims: JWTPayload, { claim, prefix }: PrefixedClaim): string {
  const name = textClaim(claims, claim);
  if (claim === "email" && claims["email_verified"] !== undefined) {
    if (claims["email_verified"] !== true) throw new Error("oidc: email not verified");
  }
  if (name === "") throw new Error("oidc: username is empty");
  return `${prefix}${name}`;
}

function textClaim(claims: JWTPayload, claim: string): string {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (typeof value === "string") return value;
  throw new Error(`oidc: parse claim "${claim}": claim not present or no string`);
}

function groupsOf(claims: JWTPayload, { claim, prefix }: PrefixedClaim): readonly string[] {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (value === undefined) return [];
  const list = Array.isArray(value) ? value : [value];
  if (!list.every((one) => typeof one === "string")) {
    throw new Error(`oidc: parse groups claim "${claim}": expected strings`);
  }
  return list.map((group) => `${prefix}${group}`);
}

function checkRequired(claims: JWTPayload, required: Readonly<Record<string, string>>): void {
  for (const [claim, wanted] of Object.entries(required)) {
    if (!Object.hasOwn(claims, claim)) {
      throw new Error(`oidc: required claim ${claim} not present in ID token`);
    }
    if (claims[claim] !== wanted) {
      throw new Error(`oidc: required claim ${claim} value does not match`);
    }
  }
}
