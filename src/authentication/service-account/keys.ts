/**
 * Keys of service account tokens. A key fixes its algorithm: what a token's header says is compared
 * with it, never followed, so `none` and HMAC under a public key can not happen.
 * Upstream: pkg/serviceaccount/jwt.go keyIDFromPublicKey, client-go/util/keyutil.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

export type Algorithm = "RS256" | "ES256" | "ES384" | "ES512";

export interface VerificationKey {
  /** SHA-256 of the public key's DER, in base64url. */
  readonly keyId: string;
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
}
export interface SigningKey extends VerificationKey {
  readonly privateKey: KeyObject;
}

/** A key file holds nothing usable; the message goes to whoever starts the server. */
export class KeyError extends Error {
  override readonly name = "KeyError";
}

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;
const algorithmOfCurve: Readonly<Record<string, Algorithm>> = {
  prime256v1: "ES256",
  secp384r1: "ES384",
  secp521r1: "ES512",
};
const ALGORITHMS: ReadonlySet<unknown> = new Set(["RS256", "ES256", "ES384", "ES512"]);
const RSA_BITS_MIN = 1024;

export function isAlgorithm(value: unknown): value is Algorithm {
  return ALGORITHMS.has(value);
}

/** Every public key in a PEM file: public and private keys, certificates. Throws KeyError. */
export function parseVerificationKeys(pem: string): readonly VerificationKey[] {
  const keys: VerificationKey[] = [];
  for (const [block, label = ""] of pem.matchAll(PEM)) {
    if (!/KEY$|^CERTIFICATE$/.test(label)) continue; // EC PARAMETERS
    try {
      const isPrivate = label.endsWith("PRIVATE KEY");
      keys.push(keyOf(createPublicKey(isPrivate ? createPrivateKey(block) : block)));
    } catch (error) {
      throw error instanceof KeyError ? error : new KeyError(`bad key: ${String(error)}`);
    }
  }
  if (keys.length === 0)
    throw new KeyError("data does not contain any valid RSA or ECDSA public keys");
  return keys;
}

/** The private key of `--service-account-signing-key-file`. Throws KeyError. */
export function parseSigningKey(pem: string): SigningKey {
  for (const [block, label = ""] of pem.matchAll(PEM)) {
    if (!label.endsWith("PRIVATE KEY")) continue;
    try {
      const privateKey = createPrivateKey(block);
      return { ...keyOf(createPublicKey(privateKey)), privateKey };
    } catch (error) {
      throw error instanceof KeyError ? error : new KeyError(`bad key: ${String(error)}`);
    }
  }
  throw new KeyError("data does not contain a valid RSA or ECDSA private key");
}

/** A public key under an id that somebody else has given it. Throws KeyError. */
export function keyWithId(key: KeyObject, keyId: string): VerificationKey {
  return { keyId, algorithm: algorithmOf(key), key };
}

function keyOf(key: KeyObject): VerificationKey {
  const der = key.export({ type: "spki", format: "der" });
  const keyId = createHash("sha256").update(der).digest("base64url");
  return keyWithId(key, keyId);
}

function algorithmOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject) {
  if (type === "rsa") {
    if ((details?.modulusLength ?? 0) >= RSA_BITS_MIN) return "RS256";
    throw new KeyError("RSA key is too short");
  }
  const algorithm = type === "ec" ? algorithmOfCurve[details?.namedCurve ?? ""] : undefined;
  if (algorithm !== undefined) return algorithm;
  throw new KeyError("unknown private key type, must be RSA, or ECDSA with P-256, P-384 or P-521");
}

/** The key as RFC 7517 prints it in a key set. */
export function jsonWebKey({ key, keyId, algorithm }: VerificationKey) {
  const jwk = key.export({ format: "jwk" });
  const head = { use: "sig", kty: jwk.kty, kid: keyId };
  if (jwk.kty === "RSA") return { ...head, alg: algorithm, n: jwk.n, e: jwk.e };
  return { ...head, crv: jwk.crv, alg: algorithm, x: jwk.x, y: jwk.y };
}
