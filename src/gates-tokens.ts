/** The token authenticators that flags name, in upstream's order. */
import type { TokenAuthenticator } from "./authentication/authenticator.ts";
import type { VerificationKey } from "./authentication/service-account/keys.ts";
import { tokenObjects } from "./authentication/service-account/objects.ts";
import {
  boundTokenAuthenticator,
  legacyTokenAuthenticator,
} from "./authentication/service-account/token-authenticator.ts";
import { bootstrapTokenAuthenticator } from "./authentication/token/bootstrap-token.ts";
import { loopbackAuthenticator } from "./authentication/token/loopback.ts";
import { cachedTokenAuthenticator } from "./authentication/token/token-cache.ts";
import { TokenFileError, tokenFileAuthenticator } from "./authentication/token/token-file.ts";
import { audienceAgnostic, unionOfTokens } from "./authentication/token/token-union.ts";
import type { AnonymousRule } from "./authentication/union.ts";
import type { GatesConfig } from "./gates-config.ts";
import { ConfigError, readConfigFile } from "./settings.ts";

/** Upstream: config.TokenSuccessCacheTTL. */
const SUCCESS_TTL_MS = 10_000;

export interface TokenAuthenticators {
  readonly authenticator: TokenAuthenticator;
  /** Set when --authentication-config configures anonymous requests. */
  readonly anonymous: AnonymousRule | undefined;
  close(): void;
}

export async function createTokenAuthenticators(
  config: GatesConfig,
  apiAudiences: readonly string[],
  keys: readonly VerificationKey[],
): Promise<TokenAuthenticators> {
  const { options, files, listers, loopbackToken } = config;
  const { flags } = options;
  const tokens: TokenAuthenticator[] = [];
  if (flags["token-auth-file"] !== "") {
    tokens.push(audienceAgnostic(tokenFile(config), apiAudiences));
  }
  if (keys.length > 0) {
    const accounts = {
      keys: () => keys,
      issuers: files.issuers,
      apiAudiences,
      objects: tokenObjects(listers),
      lookup: flags["service-account-lookup"],
      now: Date.now,
    };
    tokens.push(legacyTokenAuthenticator(accounts), boundTokenAuthenticator(accounts));
  }
  if (flags["enable-bootstrap-token-auth"]) {
    tokens.push(audienceAgnostic(bootstrapTokenAuthenticator(listers, Date.now), apiAudiences));
  }
  const cached = cachedTokenAuthenticator(unionOfTokens(tokens), { successTtlMs: SUCCESS_TTL_MS });
  const loopback = audienceAgnostic(loopbackAuthenticator(loopbackToken), apiAudiences);
  return {
    authenticator: unionOfTokens([loopback, cached]),
    anonymous: undefined,
    close: () => {},
  };
}

function tokenFile({ options, log }: GatesConfig): TokenAuthenticator {
  const path = options.flags["token-auth-file"];
  const text = readConfigFile("--token-auth-file", path);
  try {
    const { authenticator, warnings } = tokenFileAuthenticator(text);
    for (const warning of warnings) log.warning(warning, { file: path });
    return authenticator;
  } catch (error) {
    if (!(error instanceof TokenFileError)) throw error;
    throw new ConfigError(`--token-auth-file: ${path}: ${error.message}`);
  }
}
