/** Upstream: apiserver/pkg/authentication/token/union, and authenticator/audagnostic.go. */

import type { TokenAuthenticator } from "../authenticator.ts";
import { AuthenticationErrors } from "../errors.ts";

/** The first success wins; errors count only when nobody succeeds. */
export function unionOfTokens(authenticators: readonly TokenAuthenticator[]): TokenAuthenticator {
  return {
    name: "token",
    async authenticateToken(token, audiences) {
      const errors: unknown[] = [];
      for (const one of authenticators) {
        try {
          const found = await one.authenticateToken(token, audiences);
          if (found !== undefined) return found;
        } catch (error) {
          errors.push(error);
        }
      }
      if (errors.length > 0) throw new AuthenticationErrors(errors);
      return undefined;
    },
  };
}

/** For tokens that know no audience: they are for this server, and for nobody else. */
export function audienceAgnostic(
  inner: TokenAuthenticator,
  apiAudiences: readonly string[],
): TokenAuthenticator {
  return {
    name: inner.name,
    async authenticateToken(token, audiences) {
      if (audiences === undefined) return inner.authenticateToken(token, audiences);
      const shared = apiAudiences.filter((one) => audiences.includes(one));
      if (shared.length === 0) return undefined;
      const found = await inner.authenticateToken(token, audiences);
      return found === undefined ? undefined : { user: found.user, audiences: shared };
    },
  };
}
