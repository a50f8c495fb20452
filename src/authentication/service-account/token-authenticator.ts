/**
 * Service account tokens: the signature first, then every object the token is bound to.
 * Upstream: pkg/serviceaccount/{jwt,claims,legacy}.go.
 */
import { timingSafeEqual } from "node:crypto";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type { Authenticated, TokenAuthenticator } from "../authenticator.ts";
import {
  CREDENTIAL_ID_KEY,
  NODE_NAME_KEY,
  NODE_UID_KEY,
  POD_NAME_KEY,
  POD_UID_KEY,
} from "../extra-keys.ts";
import {
  checkTimes,
  LEEWAY_SECONDS,
  type ParsedToken,
  parseToken,
  TokenRefused,
  verifySignature,
} from "./jwt.ts";
import type { VerificationKey } from "./keys.ts";
import { serviceAccountGroups, serviceAccountUserName } from "./names.ts";
import type { TokenObjects } from "./objects.ts";

export const LEGACY_ISSUER = "kubernetes/serviceaccount";

export interface ServiceAccountTokenOptions {
  /** Keys in force that have the id, or all for "": for tokens of any accepted issuer. */
  keysFor(keyId: string): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;
  /** `--service-account-issuer`, all of them. */
  readonly issuers: readonly string[];
  readonly apiAudiences: readonly string[];
  readonly objects: TokenObjects;
  /** `--service-account-lookup`: whether legacy tokens need their secret. */
  readonly lookup: boolean;
  readonly now: () => number;
  /** A legacy token was used: for the label that says when. */
  onLegacyUse?(
    namespace: string,
    secretName: string,
    labels: Readonly<Record<string, string>>,
  ): void;
}

/** Tokens with the issuers of `--service-account-issuer`: bound to objects, with a time and audience. */
export function boundTokenAuthenticator(options: ServiceAccountTokenOptions): TokenAuthenticator {
  const { issuers, objects, now } = options;
  return jwtAuthenticator("service-account", new Set(issuers), options, (token) =>
    boundUser(token, objects, now()),
  );
}

/** Tokens from secrets of type kubernetes.io/service-account-token. */
export function legacyTokenAuthenticator(options: ServiceAccountTokenOptions): TokenAuthenticator {
  return jwtAuthenticator(
    "legacy-service-account",
    new Set([LEGACY_ISSUER]),
    options,
    (token, raw) => legacyUser(token, raw, options),
  );
}

function jwtAuthenticator(
  name: string,
  issuers: ReadonlySet<string>,
  { keysFor, apiAudiences }: ServiceAccountTokenOptions,
  userOf: (token: ParsedToken, raw: string) => Promise<UserInfo>,
): TokenAuthenticator {
  return {
    name,
    async authenticateToken(raw, requested): Promise<Authenticated | undefined> {
      const token = parseToken(raw);
      if (token === undefined || !issuers.has(text(token.claims["iss"]))) return undefined;
      checkSignature(token, await keysFor(token.header.kid));
      const audiences = audiencesOf(token.claims["aud"], apiAudiences);
      const wanted = requested ?? apiAudiences;
      const shared = audiences.filter((one) => wanted.includes(one));
      if (shared.length === 0 && apiAudiences.length > 0) {
        throw new TokenRefused(
          `token audiences ${goList(audiences)} is invalid for the target audiences ${goList(wanted)}`,
        );
      }
      return { user: await userOf(token, raw), audiences: shared };
    },
  };
}

function checkSignature(token: ParsedToken, keys: readonly VerificationKey[]): void {
  if (keys.length === 0) throw new TokenRefused("invalid signature, no keys found");
  if (keys.some((key) => verifySignature(token, key))) return;
  throw new TokenRefused("go-jose/go-jose: error in cryptographic primitive");
}

/** Tokens without an audience are for this server. */
function audiencesOf(claim: unknown, apiAudiences: readonly string[]): readonly string[] {
  if (claim === undefined || claim === null) return apiAudiences;
  const list = Array.isArray(claim) ? claim : [claim];
  if (!list.every((one) => typeof one === "string")) throw new TokenRefused("invalid audience");
  return list.length === 0 ? apiAudiences : list;
}

interface Reference {
  readonly name: string;
  readonly uid: string;
}

async function boundUser(
  { claims }: ParsedToken,
  objects: TokenObjects,
  now: number,
): Promise<UserInfo> {
  checkTimes(claims, now / 1000);
  const own = record(claims["kubernetes.io"]);
  const namespace = text(own["namespace"]);
  const account = referenceOf(own["serviceaccount"]) ?? { name: "", uid: "" };
  if (text(claims["sub"]) !== serviceAccountUserName(namespace, account.name)) {
    throw new TokenRefused("sub claim is invalid");
  }
  const found = await objects.serviceAccount(namespace, account.name);
  if (found === undefined) {
    throw new TokenRefused(`serviceaccounts ${JSON.stringify(account.name)} not found`);
  }
  if (isLongDeleted(found, now)) {
    throw new TokenRefused(`service account ${namespace}/${account.name} has been deleted`);
  }
  checkUid(found, account, "service account", "claim");
  const [secret, pod, node] = ["secret", "pod", "node"].map((name) => referenceOf(own[name]));
  if (secret !== undefined) {
    const object = await objects.secret(namespace, secret.name);
    checkUid(live(object, now), secret, "secret", "service account secret ref claim");
  }
  if (pod !== undefined) {
    const object = await objects.pod(namespace, pod.name);
    checkUid(live(object, now), pod, "pod", "service account pod ref claim");
  } else if (node !== undefined) {
    const object = await objects.node(node.name);
    checkUid(live(object, now), node, "node", "service account node ref claim");
  }
  const extra = extraOf(pod, node, text(claims["jti"]));
  return { ...userInfo(namespace, account), extra };
}

function live(object: KubeObject | undefined, now: number): KubeObject {
  if (object === undefined || isLongDeleted(object, now)) {
    throw new TokenRefused("service account token has been invalidated");
  }
  return object;
}

/** A deletion counts a little later, so that a pod can still say good-bye. */
function isLongDeleted({ metadata }: KubeObject, now: number): boolean {
  const at = metadata?.deletionTimestamp;
  return at !== undefined && Date.parse(at) < now - LEEWAY_SECONDS * 1000;
}

function checkUid({ metadata }: KubeObject, wanted: Reference, what: string, claim: string): void {
  const uid = metadata?.uid ?? "";
  if (uid === wanted.uid) return;
  const label = what === "service account" ? "service account UID" : `${what} UID`;
  throw new TokenRefused(`${label} (${uid}) does not match ${claim} (${wanted.uid})`);
}

function extraOf(pod: Reference | undefined, node: Reference | undefined, tokenId: string) {
  return {
    ...(pod === undefined ? {} : { [POD_NAME_KEY]: [pod.name], [POD_UID_KEY]: [pod.uid] }),
    ...(tokenId === "" ? {} : { [CREDENTIAL_ID_KEY]: [`JTI=${tokenId}`] }),
    ...(node === undefined || node.name === "" ? {} : { [NODE_NAME_KEY]: [node.name] }),
    ...(node === undefined || node.uid === "" ? {} : { [NODE_UID_KEY]: [node.uid] }),
  };
}

function userInfo(namespace: string, { name, uid }: Reference): UserInfo {
  const groups = serviceAccountGroups(namespace);
  return { name: serviceAccountUserName(namespace, name), uid, groups, extra: {} };
}

const LEGACY = "kubernetes.io/serviceaccount";
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";

async function legacyUser(
  { claims }: ParsedToken,
  raw: string,
  options: ServiceAccountTokenOptions,
): Promise<UserInfo> {
  checkTimes(claims, options.now() / 1000);
  const claim = (path: string, what: string) => {
    const value = text(claims[`${LEGACY}/${path}`]);
    if (value === "") throw new TokenRefused(`${what} claim is missing`);
    return value;
  };
  const subject = text(claims["sub"]);
  if (subject === "") throw new TokenRefused("sub claim is missing");
  const namespace = claim("namespace", "namespace");
  const secretName = claim("secret.name", "secretName");
  const name = claim("service-account.name", "serviceAccountName");
  const uid = claim("service-account.uid", "serviceAccountUID");
  if (subject !== serviceAccountUserName(namespace, name)) {
    throw new TokenRefused("sub claim is invalid");
  }
  if (options.lookup) await checkLegacyObjects(namespace, secretName, { name, uid }, raw, options);
  return userInfo(namespace, { name, uid });
}

async function checkLegacyObjects(
  namespace: string,
  secretName: string,
  account: Reference,
  raw: string,
  { objects, onLegacyUse }: ServiceAccountTokenOptions,
): Promise<void> {
  const secret = await objects.secret(namespace, secretName);
  if (secret === undefined || secret.metadata?.deletionTimestamp !== undefined) {
    throw new TokenRefused("service account token has been invalidated");
  }
  const stored = Buffer.from(secret.data?.["token"] ?? "", "base64");
  const given = Buffer.from(raw);
  if (stored.length !== given.length || !timingSafeEqual(stored, given)) {
    throw new TokenRefused("service account token does not match server's copy");
  }
  const labels = secret.metadata?.labels ?? {};
  if (labels[INVALID_SINCE]) {
    throw new TokenRefused(
      `the token in secret ${namespace}/${secretName} for service account ${namespace}/${account.name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`,
    );
  }
  const found = await objects.serviceAccount(namespace, account.name);
  if (found === undefined) {
    throw new TokenRefused(`serviceaccounts ${JSON.stringify(account.name)} not found`);
  }
  if (found.metadata?.deletionTimestamp !== undefined) {
    throw new TokenRefused(`service account ${namespace}/${account.name} has been deleted`);
  }
  checkUid(found, account, "service account", "claim");
  onLegacyUse?.(namespace, secretName, labels);
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
function record(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Record<string, unknown>) : {};
}
function referenceOf(value: unknown): Reference | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = record(value);
  return { name: text(fields["name"]), uid: text(fields["uid"]) };
}
const goList = (values: readonly string[]) => `[${values.map((v) => JSON.stringify(v)).join(" ")}]`;
