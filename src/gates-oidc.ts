/** ID tokens: `--oidc-*` or `--authentication-config`. */

import type { TokenAuthenticator } from "./authentication/authenticator.ts";
import {
  AuthenticationConfigError,
  parseAuthenticationConfig,
} from "./authentication/oidc/authentication-config.ts";
import { NO_EXPRESSIONS } from "./authentication/oidc/claim-expressions.ts";
import { type JwtIssuer, jwtAuthenticator } from "./authentication/oidc/jwt-authenticator.ts";
import { unionOfTokens } from "./authentication/token/token-union.ts";
import type { AnonymousRule } from "./authentication/union.ts";
import type { GatesConfig } from "./gates-config.ts";
import type { Flags } from "./options/flags.ts";
import { watchFiles } from "./server/file-watch.ts";
import { ConfigError, readConfigFile } from "./settings.ts";

export interface JwtAuthenticators {
  /** Undefined: no issuer is named. */
  readonly tokens: TokenAuthenticator | undefined;
  /** Defined when the file configures anonymous requests. */
  anonymous(): AnonymousRule | undefined;
  close(): void;
}

/** Throws ConfigError. The file of --authentication-config is read again when it changes. */
export function jwtAuthenticators(config: GatesConfig): JwtAuthenticators {
  const { options, log } = config;
  const path = options.flags["authentication-config"];
  if (path !== "") {
    let current = fromFile(config, path);
    const stop = watchFiles([path], () => {
      try {
        current = fromFile(config, path);
        log.info("The authentication configuration has been read again");
      } catch (error) {
        log.error(
          "The changed authentication configuration can not be used; the old one stays",
          error,
        );
      }
    });
    const tokens: TokenAuthenticator = {
      name: "jwt",
      authenticateToken: (token, audiences) => current.tokens.authenticateToken(token, audiences),
    };
    return { tokens, anonymous: () => current.anonymous, close: stop };
  }
  const none = { anonymous: () => undefined, close: () => {} };
  if (options.flags["oidc-issuer-url"] === "") return { tokens: undefined, ...none };
  return { tokens: jwtAuthenticator(issuerOfFlags(options.flags)), ...none };
}

function fromFile({ files }: GatesConfig, path: string) {
  const text = readConfigFile("--authentication-config", path);
  try {
    const { issuers, anonymous } = parseAuthenticationConfig(text, files.issuers);
    return { tokens: unionOfTokens(issuers.map((one) => jwtAuthenticator(one))), anonymous };
  } catch (error) {
    if (!(error instanceof AuthenticationConfigError)) throw error;
    throw new ConfigError(`--authentication-config: ${path}: ${error.message}`);
  }
}

function issuerOfFlags(flags: Flags): JwtIssuer {
  const url = flags["oidc-issuer-url"];
  const claim = flags["oidc-username-claim"];
  const groupsClaim = flags["oidc-groups-claim"];
  const caFile = flags["oidc-ca-file"];
  return {
    url,
    discoveryUrl: undefined,
    authorities: caFile === "" ? undefined : readConfigFile("--oidc-ca-file", caFile),
    audiences: [flags["oidc-client-id"]],
    algorithms: flags["oidc-signing-algs"],
    username: { claim, prefix: userNamePrefix(flags["oidc-username-prefix"], claim, url) },
    groups:
      groupsClaim === "" ? undefined : { claim: groupsClaim, prefix: flags["oidc-groups-prefix"] },
    uidClaim: undefined,
    expressions: NO_EXPRESSIONS,
    requiredClaims: Object.fromEntries(Object.entries(flags["oidc-required-claim"])),
  };
}

/** Names of an issuer must not collide with others: only e-mail addresses go without a prefix. */
function userNamePrefix(prefix: string, claim: string, url: string): string {
  if (prefix === "-") return "";
  return prefix === "" && claim !== "email" ? `${url}#` : prefix;
}
