/** ID tokens: `--oidc-*` or `--authentication-config`. */

import type { TokenAuthenticator } from "./authentication/authenticator.ts";
import {
  AuthenticationConfigError,
  parseAuthenticationConfig,
} from "./authentication/oidc/authentication-config.ts";
import { type JwtIssuer, jwtAuthenticator } from "./authentication/oidc/jwt-authenticator.ts";
import type { AnonymousRule } from "./authentication/union.ts";
import type { GatesConfig } from "./gates-config.ts";
import type { Flags } from "./options/flags.ts";
import { ConfigError, readConfigFile } from "./settings.ts";

export interface JwtAuthenticators {
  readonly tokens: readonly TokenAuthenticator[];
  /** Set when the file configures anonymous requests. */
  readonly anonymous: AnonymousRule | undefined;
}

/** Throws ConfigError. */
export function jwtAuthenticators({ options, files }: GatesConfig): JwtAuthenticators {
  const { flags } = options;
  const path = flags["authentication-config"];
  if (path !== "") {
    const text = readConfigFile("--authentication-config", path);
    try {
      const { issuers, anonymous } = parseAuthenticationConfig(text, files.issuers);
      return { tokens: issuers.map((one) => jwtAuthenticator(one)), anonymous };
    } catch (error) {
      if (!(error instanceof AuthenticationConfigError)) throw error;
      throw new ConfigError(`--authentication-config: ${path}: ${error.message}`);
    }
  }
  if (flags["oidc-issuer-url"] === "") return { tokens: [], anonymous: undefined };
  return { tokens: [jwtAuthenticator(issuerOfFlags(flags))], anonymous: undefined };
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
    requiredClaims: Object.fromEntries(Object.entries(flags["oidc-required-claim"])),
  };
}

/** Names of an issuer must not collide with others: only e-mail addresses go without a prefix. */
function userNamePrefix(prefix: string, claim: string, url: string): string {
  if (prefix === "-") return "";
  return prefix === "" && claim !== "email" ? `${url}#` : prefix;
}
