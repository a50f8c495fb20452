/** Signed tokens in compact form, RFC 7515 and 7519; as much of them as service accounts use. */
import { sign, verify } from "node:crypto";
import { promisify } from "node:util";
import type { Algorithm, SigningKey, VerificationKey } from "./keys.ts";

const signAsync = promisify(sign);

export interface ParsedToken {
  readonly header: { readonly alg: string; readonly kid: string };
  readonly claims: Readonly<Record<string, unknown>>;
  /** Header and payload as signed. */
  readonly signed: string;
  readonly signature: Uint8Array;
}

/** A token that is well-formed and not good; the message may reach a TokenReview. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
}

const hashOf: Readonly<Record<Algorithm, string>> = {
  RS256: "sha256",
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
};
const BASE64URL = /^[A-Za-z0-9_-]+$/;
const TOKEN_LENGTH_MAX = 64 * 1024;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Takes a token apart; checks nothing. Undefined for anything that is no compact JWS with claims. */
export function parseToken(token: string): ParsedToken | undefined {
  if (token.length > TOKEN_LENGTH_MAX) return undefined;
  const parts = token.split(".");
  const [head = "", payload = "", tail = ""] = parts;
  if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part))) return undefined;
  const header = jsonObject(head);
  const claims = jsonObject(payload);
  if (header === undefined || claims === undefined) return undefined;
  const { alg, kid = "", crit, b64 } = header;
  // Extensions that must be understood are not, so such a token is not one of ours.
  if (typeof alg !== "string" || typeof kid !== "string") return undefined;
  if (crit !== undefined || b64 !== undefined) return undefined;
  const signature = Buffer.from(tail, "base64url");
  return { header: { alg, kid }, claims, signed: `${head}.${payload}`, signature };
}

function jsonObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(Buffer.from(part, "base64url")));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

/** Whether `key` made the signature with its own algorithm. */
export function verifySignature(token: ParsedToken, { algorithm, key }: VerificationKey): boolean {
  if (token.header.alg !== algorithm) return false;
  try {
    const how = algorithm === "RS256" ? key : ({ key, dsaEncoding: "ieee-p1363" } as const);
    return verify(hashOf[algorithm], Buffer.from(token.signed), how, token.signature);
  } catch {
    return false; // a signature of the wrong length
  }
}

/** Signs `claims`, whose members appear in the order given. Runs outside this thread. */
export async function signToken(
  { algorithm, keyId, privateKey }: SigningKey,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg: algorithm, kid: keyId })}.${encode(claims)}`;
  const how =
    algorithm === "RS256" ? privateKey : ({ key: privateKey, dsaEncoding: "ieee-p1363" } as const);
  const signature = await signAsync(hashOf[algorithm], Buffer.from(signed), how);
  return `${signed}.${signature.toString("base64url")}`;
}

/** Clocks of a cluster differ a little. Upstream: go-jose's DefaultLeeway. */
export const LEEWAY_SECONDS = 60;

/** Throws TokenRefused for a token out of its time, or whose times are no numbers. */
export function checkTimes(claims: ParsedToken["claims"], nowSeconds: number): void {
  const [exp, nbf, iat] = ["exp", "nbf", "iat"].map((name) => numericDate(claims[name]));
  if (nbf !== undefined && nowSeconds + LEEWAY_SECONDS < nbf) {
    throw new TokenRefused("service account token is not valid yet");
  }
  if (exp !== undefined && nowSeconds - LEEWAY_SECONDS > exp) {
    throw new TokenRefused("service account token has expired");
  }
  if (iat !== undefined && nowSeconds + LEEWAY_SECONDS < iat) {
    throw new TokenRefused(
      "service account token claims could not be validated: issued in the future",
    );
  }
}

function numericDate(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new TokenRefused("service account token claims could not be validated: bad time");
}
