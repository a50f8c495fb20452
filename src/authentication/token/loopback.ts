/**
 * The server's own identity, for its controllers: a random token known to this process only.
 * Upstream: apiserver/pkg/server/config.go AuthorizeClientBearerToken.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { GROUP_PRIVILEGED } from "../../request/user-info.ts";
import type { TokenAuthenticator } from "../authenticator.ts";

export const LOOPBACK_USER = "system:apiserver";

/** Knows `token` and no other, compared in constant time. */
export function loopbackAuthenticator(token: string): TokenAuthenticator {
  const want = createHash("sha256").update(token).digest();
  const user = { name: LOOPBACK_USER, uid: "", groups: [GROUP_PRIVILEGED], extra: {} };
  return {
    name: "loopback",
    async authenticateToken(given) {
      if (given.length !== token.length) return undefined; // its length is no secret
      const have = createHash("sha256").update(given).digest();
      return timingSafeEqual(want, have) ? { user } : undefined;
    },
  };
}
