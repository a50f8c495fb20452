/**
 * The checks behind every mode of impersonation: one per part of the wanted identity.
 * Upstream: apiserver/pkg/endpoints/filters/impersonation/mode.go impersonationModeState.
 */
import {
  serviceAccountGroups,
  splitServiceAccountName,
} from "../authentication/service-account/names.ts";
import {
  ANONYMOUS,
  GROUP_AUTHENTICATED,
  GROUP_UNAUTHENTICATED,
  type UserInfo,
} from "../request/user-info.ts";
import type { AuthorizationAttributes, Authorizer } from "./authorizer.ts";
import { forbiddenBy } from "./gate.ts";

/** How a mode asks for each part of an identity. */
export interface IdentityRules {
  readonly verb: string;
  /** Of users and groups: "" for the legacy way, authentication.k8s.io for the constrained ones. */
  readonly userGroup: string;
  check(attributes: AuthorizationAttributes): Promise<void>;
  /** What users ask for as another resource: nodes of the constrained modes. */
  nodeNameOf?(userName: string): string | undefined;
  /** Throws for parts this mode never grants; tries a wildcard for long lists. */
  checkGroups?(groups: readonly string[], of: AuthorizationAttributes): Promise<boolean>;
  checkExtra?(extra: UserInfo["extra"], of: AuthorizationAttributes): Promise<boolean>;
}

/** Throws the 403 of these attributes unless they are allowed. */
export function checkWith(authorizer: Authorizer) {
  return async (attributes: AuthorizationAttributes): Promise<void> => {
    const { decision, reason, error } = await authorizer.authorize(attributes);
    if (decision === "Allow") return;
    const parts = [error ?? "", reason].filter((part) => part !== "");
    throw forbiddenBy(attributes, parts.join(": "));
  };
}

const AUTHENTICATION_GROUP = "authentication.k8s.io";

/** Checks every part of `wanted` and returns the identity with its implied groups. */
export async function checkIdentity(
  rules: IdentityRules,
  wanted: UserInfo,
  requestor: UserInfo,
): Promise<UserInfo> {
  const { verb, userGroup } = rules;
  const ask = (apiGroup: string, resource: string, name: string): AuthorizationAttributes => ({
    user: requestor,
    verb,
    resourceRequest: true,
    apiGroup,
    apiVersion: "v1",
    namespace: "",
    resource,
    subresource: "",
    name,
    path: "",
  });
  const groups = await checkUserName(rules, wanted, ask);
  if (wanted.uid !== "") await rules.check(ask(AUTHENTICATION_GROUP, "uids", wanted.uid));
  const ofGroups = ask(userGroup, "groups", "");
  if (wanted.groups.length > 0 && !(await rules.checkGroups?.(wanted.groups, ofGroups))) {
    for (const name of wanted.groups) await rules.check({ ...ofGroups, name });
  }
  const ofExtra = ask(AUTHENTICATION_GROUP, "userextras", "");
  const { extra } = wanted;
  if (Object.keys(extra).length > 0 && !(await rules.checkExtra?.(extra, ofExtra))) {
    for (const [subresource, values] of Object.entries(extra)) {
      for (const name of values) await rules.check({ ...ofExtra, subresource, name });
    }
  }
  return { ...wanted, groups: withImpliedGroup(wanted.name, groups) };
}

/** Checks the name; returns the groups that come with it. */
async function checkUserName(
  rules: IdentityRules,
  { name, groups }: UserInfo,
  ask: (apiGroup: string, resource: string, name: string) => AuthorizationAttributes,
): Promise<readonly string[]> {
  const node = rules.nodeNameOf?.(name);
  if (node !== undefined) {
    await rules.check(ask(rules.userGroup, "nodes", node));
    return ["system:nodes"];
  }
  const account = splitServiceAccountName(name);
  if (account === undefined) {
    await rules.check(ask(rules.userGroup, "users", name));
    return groups;
  }
  const attributes = ask(rules.userGroup, "serviceaccounts", account.name);
  await rules.check({ ...attributes, namespace: account.namespace });
  return groups.length > 0 ? groups : serviceAccountGroups(account.namespace);
}

function withImpliedGroup(name: string, groups: readonly string[]): readonly string[] {
  const implied = name === ANONYMOUS ? GROUP_UNAUTHENTICATED : GROUP_AUTHENTICATED;
  if (groups.includes(implied) || groups.includes(GROUP_UNAUTHENTICATED)) return groups;
  return [...groups, implied];
}
