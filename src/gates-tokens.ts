/** The token authenticators that flags name, in upstream's order. */
import type { TokenAuthenticator } from "./authentication/authenticator.ts";
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
import { webhookTokenAuthenticator } from "./authentication/token/webhook-token.ts";
import type { AnonymousRule } from "./authentication/union.ts";
import type { ServiceAccountKeys } from "./gates-accounts.ts";
import type { GatesConfig } from "./gates-config.ts";
import { legacyTokenUse } from "./gates-legacy-tokens.ts";
import { jwtAuthenticators } from "./gates-oidc.ts";
import { retriesFrom, WebhookClient } from "./request/outgoing/webhook-client.ts";
import { ConfigError, loadWebhookConfig, readConfigFile } from "./settings.ts";

/** Upstream: config.TokenSuccessCacheTTL. */
const SUCCESS_TTL_MS = 10_000;
const WEBHOOK_TIMEOUT_MS = 30_000;
const WEBHOOK_BACKOFF_MS = 500;

export interface TokenAuthenticators {
  readonly authenticator: TokenAuthenticator;
  /** Defined when --authentication-config configures anonymous requests. */
  anonymous(): AnonymousRule | undefined;
  close(): void;
}

export function createTokenAuthenticators(
  config: GatesConfig,
  apiAudiences: readonly string[],
  keys: ServiceAccountKeys,
): TokenAuthenticators {
  const { options, files, listers, loopbackToken } = config;
  const { flags } = options;
  const tokens: TokenAuthenticator[] = [];
  if (flags["token-auth-file"] !== "") {
    tokens.push(audienceAgnostic(tokenFile(config), apiAudiences));
  }
  if (keys.sign !== undefined || keys.published().length > 0) {
    const accounts = {
      keysFor: keys.keysFor,
      issuers: files.issuers,
      apiAudiences,
      objects: tokenObjects(listers),
      lookup: flags["service-account-lookup"],
      now: Date.now,
      onLegacyUse: legacyTokenUse(config.storageOf("", "secrets"), (error) =>
        config.log.error("Noting the use of a legacy token failed", error),
      ),
    };
    tokens.push(legacyTokenAuthenticator(accounts), boundTokenAuthenticator(accounts));
  }
  if (flags["enable-bootstrap-token-auth"]) {
    tokens.push(audienceAgnostic(bootstrapTokenAuthenticator(listers, Date.now), apiAudiences));
  }
  const jwt = jwtAuthenticators(config);
  if (jwt.tokens !== undefined) tokens.push(audienceAgnostic(jwt.tokens, apiAudiences));
  const webhook = webhookOf(config, apiAudiences);
  if (webhook !== undefined) tokens.push(webhook.authenticator);
  const cached = cachedTokenAuthenticator(unionOfTokens(tokens), { successTtlMs: SUCCESS_TTL_MS });
  const loopback = audienceAgnostic(loopbackAuthenticator(loopbackToken), apiAudiences);
  return {
    authenticator: unionOfTokens([loopback, cached]),
    anonymous: jwt.anonymous,
    close: () => {
      jwt.close();
      webhook?.close();
    },
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

function webhookOf(
  { options }: GatesConfig,
  apiAudiences: readonly string[],
): { readonly authenticator: TokenAuthenticator; close(): void } | undefined {
  const { flags } = options;
  const path = flags["authentication-token-webhook-config-file"];
  if (path === "") return undefined;
  const connection = loadWebhookConfig("--authentication-token-webhook-config-file", path);
  const retry = retriesFrom(WEBHOOK_BACKOFF_MS);
  const client = new WebhookClient(connection, { timeoutMs: WEBHOOK_TIMEOUT_MS, retry });
  const version = flags["authentication-token-webhook-version"];
  const ttlMs = flags["authentication-token-webhook-cache-ttl"];
  const asking = webhookTokenAuthenticator(client, version, apiAudiences);
  const ttls = { successTtlMs: ttlMs, failureTtlMs: ttlMs };
  return {
    authenticator: ttlMs > 0 ? cachedTokenAuthenticator(asking, ttls) : asking,
    close: () => client.close(),
  };
}
