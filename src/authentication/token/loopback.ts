/**
 * The server's own identity, for its controllers: a random token known to this process only.
 * Upstream: apiserver/pkg/server/config.go AuthorizeClientBearerToken.
 */
import { timingSafeEqual } from "node:crypto";
import { GROUP_PRIVILEGED } from "../../request/user-info.ts";
import type { TokenAuthenticator } from "../authenticator.ts";
import { secretDigest } from "../secret-digest.ts";

export const LOOPBACK_USER = "system:apiserver";

/** Knows `token` and no other, compared in constant time. */
export function loopbackAuthenticator(token: string): TokenAuthenticator {
  const want = secretDigest(token);
  const user = { name: LOOPBACK_USER, uid: "", groups: [GROUP_PRIVILEGED], extra: {} };
  return {
    name: "loopback",
    async authenticateToken(given) {
      if (given.length !== token.length) return undefined; // its length is no secret
      const have = secretDigest(given);
      return timingSafeEqual(want, have) ? { user } : undefined;
    },
  };
}
