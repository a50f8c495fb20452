/**
 * All authenticators as one: the first success wins; a bad credential is never anonymous.
 * Upstream: authentication/request/union, group and anonymous.
 */
import type { AuthenticatedRequest, ReceivedRequest } from "../request/request.ts";
import {
  ANONYMOUS,
  anonymousUser,
  GROUP_AUTHENTICATED,
  GROUP_UNAUTHENTICATED,
  type UserInfo,
} from "../request/user-info.ts";
import type { Authenticated, Authenticator } from "./authenticator.ts";
import { AuthenticationErrors } from "./errors.ts";
import { recordAuthentication, recordUser } from "./metrics.ts";

/** Whether a request without credentials may go on as system:anonymous. */
export interface AnonymousRule {
  readonly enabled: boolean;
  /** Exact paths it is limited to; undefined: none. */
  readonly paths?: ReadonlySet<string>;
}

/** Asks each in order. Throws AuthenticationErrors when one failed and none succeeded. */
export function unionOf(authenticators: readonly Authenticator[]): Authenticator {
  return {
    name: "union",
    async authenticate(request) {
      const errors: unknown[] = [];
      for (const one of authenticators) {
        try {
          const asked = one.authenticate(request);
          const found = asked instanceof Promise ? await asked : asked;
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

const withGroups = new WeakMap<UserInfo, UserInfo>();

/** The user with system:authenticated, unless it is the anonymous one or has the group already. */
export function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.name === ANONYMOUS) return user;
  const { groups } = user;
  if (groups.includes(GROUP_AUTHENTICATED) || groups.includes(GROUP_UNAUTHENTICATED)) return user;
  let known = withGroups.get(user);
  if (known === undefined) {
    known = { ...user, groups: [...groups, GROUP_AUTHENTICATED] };
    withGroups.set(user, known);
  }
  return known;
}

export type Authenticate = (request: ReceivedRequest) => Promise<AuthenticatedRequest | undefined>;

/**
 * The gate of the handler chain: the request with its user, or undefined for 401. `onError` hears
 * why a credential was refused. The audiences the credential was good for stay with the request.
 */
export function createAuthenticate(
  authenticator: Authenticator,
  anonymous: () => AnonymousRule,
  onError: (request: ReceivedRequest, error: unknown) => void,
): Authenticate {
  return async (request) => {
    const startedAt = performance.now();
    let found: Authenticated | undefined;
    try {
      found = await authenticator.authenticate(request);
    } catch (error) {
      recordAuthentication("error", startedAt);
      onError(request, error);
      return undefined;
    }
    if (found !== undefined) {
      recordAuthentication("success", startedAt);
      recordUser(found.user.name);
      return Object.assign(request, { user: withAuthenticatedGroup(found.user) });
    }
    const { enabled, paths } = anonymous();
    if (!enabled || (paths !== undefined && !paths.has(request.info.path))) {
      recordAuthentication("failure", startedAt);
      return undefined;
    }
    recordAuthentication("success", startedAt);
    recordUser(ANONYMOUS);
    return Object.assign(request, { user: anonymousUser });
  };
}
