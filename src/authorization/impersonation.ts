/**
 * Acting as somebody else: `Impersonate-User` and its companions. Every part of the wanted identity
 * is authorized by itself before it is taken on.
 * Upstream: apiserver/pkg/endpoints/filters/impersonation.
 */
import * as api from "../apimachinery/api/errors.ts";
import { unescapeKey } from "../authentication/request-header.ts";
import type { AuthenticatedRequest } from "../request/request.ts";
import type { UserInfo } from "../request/user-info.ts";
import type { Authorizer } from "./authorizer.ts";
import { constrainedModes } from "./constrained-impersonation.ts";
import { attributesOf } from "./gate.ts";
import { checkIdentity, checkWith, type IdentityRules } from "./impersonation-checks.ts";

/** How an identity was taken on; goes into the audit event. "" for the legacy way. */
export type ImpersonationConstraint = string;

export type Impersonate = (request: AuthenticatedRequest) => Promise<AuthenticatedRequest>;

const EXTRA_PREFIX = "impersonate-extra-";

/**
 * The gate of the handler chain. `constrained`: gate ConstrainedImpersonation. Throws 400 for parts
 * of an identity without a name, 403 for what the requestor may not be.
 */
export function createImpersonate(authorizer: Authorizer, constrained: boolean): Impersonate {
  const modes = constrained ? constrainedModes(authorizer) : [];
  return async (request) => {
    const wanted = wantedUserOf(request);
    if (wanted === undefined) return request;
    const requestor = request.user;
    const attributes = attributesOf(request);
    let firstError: unknown;
    for (const mode of modes) {
      if (!mode.applies(wanted, requestor)) continue;
      try {
        const user = await mode.check(wanted, attributes);
        return impersonating(request, user, mode.constraint);
      } catch (error) {
        firstError ??= error;
      }
    }
    try {
      const user = await checkIdentity(legacyRules(authorizer), wanted, requestor);
      return impersonating(request, user, "");
    } catch (error) {
      throw firstError ?? error;
    }
  };
}

function impersonating(
  request: AuthenticatedRequest,
  user: UserInfo,
  constraint: ImpersonationConstraint,
): AuthenticatedRequest {
  const impersonator = request.user;
  return Object.assign(request, { user, impersonator, impersonationConstraint: constraint });
}

/** The identity in the headers; undefined when none is asked for. */
function wantedUserOf(request: AuthenticatedRequest): UserInfo | undefined {
  const { headers } = request;
  const name = request.headerValues("impersonate-user")[0] ?? "";
  const uid = request.headerValues("impersonate-uid")[0] ?? "";
  const groups = request.headerValues("impersonate-group");
  const extraHeaders = [...headers.keys()].filter((header) => header.startsWith(EXTRA_PREFIX));
  if (name === "" && uid === "" && groups.length === 0 && extraHeaders.length === 0) {
    return undefined;
  }
  // Without a prototype: a header may name any key, `__proto__` too.
  const extra = Object.create(null) as Record<string, string[]>;
  for (const header of extraHeaders) {
    const key = unescapeKey(header.slice(EXTRA_PREFIX.length));
    extra[key] = [...(extra[key] ?? []), ...request.headerValues(header)];
  }
  const wanted = { name, uid, groups, extra };
  if (name !== "") return wanted;
  throw api.badRequest(`requested ${goSyntax(wanted)} without impersonating a user name`);
}

/** Go's %#v of a user.DefaultInfo pointer. */
function goSyntax({ name, uid, groups, extra }: UserInfo): string {
  const quote = (text: string) => JSON.stringify(text);
  const list = (values: readonly string[]) =>
    values.length === 0 ? "[]string(nil)" : `[]string{${values.map(quote).join(", ")}}`;
  const keys = Object.keys(extra).sort();
  const pairs = keys.map((key) => `${quote(key)}:${list(extra[key] ?? [])}`);
  const map =
    keys.length === 0 ? "map[string][]string(nil)" : `map[string][]string{${pairs.join(", ")}}`;
  return `&user.DefaultInfo{Name:${quote(name)}, UID:${quote(uid)}, Groups:${list(groups)}, Extra:${map}}`;
}

function legacyRules(authorizer: Authorizer): IdentityRules {
  return { verb: "impersonate", userGroup: "", check: checkWith(authorizer) };
}
