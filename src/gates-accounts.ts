/**
 * Service account tokens: who signs them, and with which keys they are verified.
 * Upstream: pkg/controlplane/apiserver/options/options.go completeServiceAccountOptions.
 */
import { ExternalSigner } from "./authentication/service-account/external-signer.ts";
import { createIssuer, EXTENDED_SECONDS } from "./authentication/service-account/issuer.ts";
import { signToken } from "./authentication/service-account/jwt.ts";
import {
  jsonWebKey,
  KeyError,
  parseSigningKey,
  parseVerificationKeys,
  type VerificationKey,
} from "./authentication/service-account/keys.ts";
import type { TokenIssuer } from "./endpoints/api-context.ts";
import { authenticationPaths } from "./endpoints/authentication-paths.ts";
import type { GatesConfig } from "./gates-config.ts";
import type { ServerOptions } from "./options/options.ts";
import type { PathTable } from "./server/system-paths.ts";
import { ConfigError, type LoadedFiles } from "./settings.ts";

/** Hard-coded upstream as well: the keys of files do not change while the server runs. */
const STATIC_KEYS_SECONDS = 3600;

export interface ServiceAccountKeys {
  /** Keys with the id, all of them for "". */
  keysFor(keyId: string): readonly VerificationKey[] | Promise<readonly VerificationKey[]>;
  /** Those that others are told of. */
  published(): readonly VerificationKey[];
  /** How long others may keep them. */
  cacheSeconds(): number;
  /** Signs claims; undefined: no tokens are issued. */
  readonly sign: ((claims: Readonly<Record<string, unknown>>) => Promise<string>) | undefined;
  readonly maxExpirationSeconds: number;
  readonly maxExtendedSeconds: number;
}

/** The plugin of `--service-account-signing-endpoint`. Rejects with ConfigError. */
export async function startSigner(
  { flags }: ServerOptions,
  log: GatesConfig["log"],
): Promise<ExternalSigner | undefined> {
  const socket = flags["service-account-signing-endpoint"];
  if (socket === "") return undefined;
  try {
    const signer = await ExternalSigner.start({
      socket,
      log: (message, error) => log.error(message, error),
    });
    const max = flags["service-account-max-token-expiration"] / 1000;
    if (max <= signer.maxExpirationSeconds) return signer;
    signer.close();
    const limit = "the token expiration supported by service-account-signing-endpoint";
    const values = `${max}s > ${signer.maxExpirationSeconds}s`;
    throw new Error(
      `service-account-max-token-expiration cannot be set longer than ${limit}: ${values}`,
    );
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`--service-account-signing-endpoint: ${why}`);
  }
}

/** Throws ConfigError for a file without a usable key. */
export function serviceAccountKeys({ options, files, signer }: GatesConfig): ServiceAccountKeys {
  const seconds = Math.round(options.flags["service-account-max-token-expiration"] / 1000);
  if (signer !== undefined) {
    return {
      keysFor: (keyId) => signer.keysFor(keyId),
      published: () => signer.keys.filter((key) => !key.excludedFromDiscovery),
      cacheSeconds: () => signer.cacheSeconds,
      sign: (claims) => signer.sign(claims),
      maxExpirationSeconds: seconds === 0 ? signer.maxExpirationSeconds : seconds,
      maxExtendedSeconds: Math.min(EXTENDED_SECONDS, signer.maxExpirationSeconds),
    };
  }
  const { signing, verification } = keysOfFiles(files);
  return {
    keysFor: (id) => (id === "" ? verification : verification.filter(({ keyId }) => keyId === id)),
    published: () => verification,
    cacheSeconds: () => STATIC_KEYS_SECONDS,
    sign: signing === undefined ? undefined : (claims) => signToken(signing, claims),
    maxExpirationSeconds: seconds,
    maxExtendedSeconds: EXTENDED_SECONDS,
  };
}

function keysOfFiles(files: LoadedFiles) {
  try {
    const signing = files.signingKey === "" ? undefined : parseSigningKey(files.signingKey);
    const pems = files.verificationKeys.filter((pem) => pem !== "");
    return { signing, verification: pems.flatMap((pem) => parseVerificationKeys(pem)) };
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new ConfigError(`service account keys: ${error.message}`);
  }
}

/** Undefined when nothing signs. */
export function tokenIssuer(
  { options, files }: GatesConfig,
  apiAudiences: readonly string[],
  { sign, maxExpirationSeconds, maxExtendedSeconds }: ServiceAccountKeys,
): TokenIssuer | undefined {
  if (sign === undefined) return undefined;
  return createIssuer({
    sign,
    issuer: files.issuers[0] ?? "",
    apiAudiences,
    extendsExpiration: options.flags["service-account-extend-token-expiration"],
    maxExpirationSeconds,
    maxExtendedSeconds,
  });
}

/** The issuer's metadata and keys. */
export function issuerPaths(
  { options, files, externalAddress }: GatesConfig,
  keys: ServiceAccountKeys,
): PathTable {
  const own = `https://${externalAddress}/openid/v1/jwks`;
  return authenticationPaths({
    issuer: files.issuers[0] ?? "",
    keySetUri: options.flags["service-account-jwks-uri"] || own,
    keys: () => keys.published().map((key) => jsonWebKey(key)),
    algorithms: () => keys.published().map(({ algorithm }) => algorithm),
    cacheSeconds: keys.cacheSeconds,
  });
}
