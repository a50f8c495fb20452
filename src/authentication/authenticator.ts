/** Upstream: apiserver/pkg/authentication/authenticator/interfaces.go. */
import type { ReceivedRequest } from "../request/request.ts";
import type { UserInfo } from "../request/user-info.ts";

export interface Authenticated {
  readonly user: UserInfo;
  /** Audiences the credential is good for; undefined: not audience-bound. */
  readonly audiences?: readonly string[];
}

/**
 * Says who sent the request; undefined: this authenticator has no opinion (no such credential).
 * A rejection means: the credential was there and is bad. An error is never an identity.
 */
export interface Authenticator {
  readonly name: string;
  authenticate(
    request: ReceivedRequest,
  ): Authenticated | undefined | Promise<Authenticated | undefined>;
}
/** Checks a bearer token, wherever it came from. */
export interface TokenAuthenticator {
  readonly name: string;
  authenticateToken(
    token: string,
    audiences: readonly string[] | undefined,
  ): Promise<Authenticated | undefined>;
}
