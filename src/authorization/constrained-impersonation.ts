/**
 * Impersonation that may be granted per kind of identity and per target request.
 * Upstream: apiserver/pkg/endpoints/filters/impersonation/mode.go.
 */
import { aggregate } from "../apimachinery/api/errors.ts";
import * as field from "../apimachinery/validation/field.ts";
import { nameIsDNSSubdomain } from "../apimachinery/validation/object-meta.ts";
import { NODE_NAME_KEY } from "../authentication/extra-keys.ts";
import { splitServiceAccountName } from "../authentication/service-account/names.ts";
import { GROUP_PRIVILEGED, type UserInfo } from "../request/user-info.ts";
import type { AuthorizationAttributes, Authorizer } from "./authorizer.ts";
import { forbiddenBy } from "./gate.ts";
import { checkIdentity, checkWith, type IdentityRules } from "./impersonation-checks.ts";

export interface ImpersonationMode {
  /** The verb that allowed it, as the audit event names it. */
  readonly constraint: string;
  applies(wanted: UserInfo, requestor: UserInfo): boolean;
  /** The identity to take on; throws 403. */
  check(wanted: UserInfo, attributes: AuthorizationAttributes): Promise<UserInfo>;
}

const NODE_PREFIX = "system:node:";
/** From so many on, one wildcard check is tried first. */
const MANY = 4;

/** In the order in which they are tried, before the legacy way. */
export function constrainedModes(authorizer: Authorizer): readonly ImpersonationMode[] {
  return [
    mode(authorizer, "associated-node", (wanted, requestor) => {
      const [only, ...more] = requestor.extra[NODE_NAME_KEY] ?? [];
      if (only === undefined || more.length > 0 || !isNameOnly(wanted)) return false;
      return (
        splitServiceAccountName(requestor.name) !== undefined && nodeNameOf(wanted.name) === only
      );
    }),
    mode(
      authorizer,
      "arbitrary-node",
      (wanted) => isNameOnly(wanted) && nodeNameOf(wanted.name) !== undefined,
    ),
    mode(
      authorizer,
      "serviceaccount",
      (wanted) => isNameOnly(wanted) && splitServiceAccountName(wanted.name) !== undefined,
    ),
    mode(
      authorizer,
      "user-info",
      ({ name }) => nodeNameOf(name) === undefined && splitServiceAccountName(name) === undefined,
    ),
  ];
}

function mode(
  authorizer: Authorizer,
  name: string,
  applies: ImpersonationMode["applies"],
): ImpersonationMode {
  const constraint = `impersonate:${name}`;
  const associated = name === "associated-node";
  const plain = checkWith(authorizer);
  const check = (attributes: AuthorizationAttributes) =>
    plain(associated ? ofAnyNode(attributes, constraint) : attributes);
  const rules: IdentityRules = {
    verb: constraint,
    userGroup: "authentication.k8s.io",
    check,
    nodeNameOf,
    checkGroups: (groups, of) => checkGroups(check, groups, of),
    checkExtra: (extra, of) => checkExtra(check, extra, of),
  };
  return {
    constraint,
    applies,
    async check(wanted, attributes) {
      await check({ ...attributes, verb: `impersonate-on:${name}:${attributes.verb}` });
      return checkIdentity(rules, wanted, attributes.user);
    },
  };
}

/** A node agent's grant holds for whichever node it runs on, so its node is not asked about. */
function ofAnyNode(attributes: AuthorizationAttributes, constraint: string) {
  const { user } = attributes;
  const keys = Object.keys(user.extra).sort();
  const extra = { "authentication.kubernetes.io/associated-node-keys": keys };
  const name = attributes.verb === constraint ? "*" : attributes.name;
  return { ...attributes, user: { ...user, extra }, name };
}

function isNameOnly({ uid, groups, extra }: UserInfo): boolean {
  return uid === "" && groups.length === 0 && Object.keys(extra).length === 0;
}

function nodeNameOf(userName: string): string | undefined {
  if (!userName.startsWith(NODE_PREFIX)) return undefined;
  const name = userName.slice(NODE_PREFIX.length);
  return nameIsDNSSubdomain(name, false).length === 0 ? name : undefined;
}

type Check = (attributes: AuthorizationAttributes) => Promise<void>;

async function succeeds(check: Check, attributes: AuthorizationAttributes): Promise<boolean> {
  try {
    await check(attributes);
    return true;
  } catch {
    return false;
  }
}

async function checkGroups(
  check: Check,
  groups: readonly string[],
  of: AuthorizationAttributes,
): Promise<boolean> {
  if (groups.includes("")) {
    throw forbiddenBy(of, "impersonating the empty string group is not allowed");
  }
  if (groups.includes(GROUP_PRIVILEGED)) {
    const why = "impersonating the system:masters group is not allowed";
    throw forbiddenBy({ ...of, name: GROUP_PRIVILEGED }, why);
  }
  return groups.length >= MANY && succeeds(check, { ...of, name: "*" });
}

async function checkExtra(
  check: Check,
  extra: UserInfo["extra"],
  of: AuthorizationAttributes,
): Promise<boolean> {
  const entries = Object.entries(extra);
  for (const [key, values] of entries) {
    const why = extraProblem(key, values);
    if (why !== undefined) throw forbiddenBy(of, why);
  }
  const valuesCount = entries.reduce((sum, [, values]) => sum + values.length, 0);
  const isLarge = entries.length >= MANY || valuesCount >= MANY;
  return isLarge && succeeds(check, { ...of, subresource: "*", name: "*" });
}

function extraProblem(key: string, values: readonly string[]): string | undefined {
  if (key === "") return "impersonating the empty string key in extra is not allowed";
  const invalid = domainPrefixedPathErrors(key);
  if (invalid !== "") return `impersonating an invalid key in extra is not allowed: ${invalid}`;
  if (key !== key.toLowerCase()) {
    return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
  }
  if (values.length === 0) return "impersonating empty values in extra is not allowed";
  if (values.includes("")) return "impersonating the empty string value in extra is not allowed";
  return undefined;
}

const PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;

/** Upstream: utilvalidation.IsDomainPrefixedPath. */
function domainPrefixedPathErrors(key: string): string {
  const at = field.Path.root("extra").child("key");
  const slash = key.indexOf("/");
  if (slash <= 0 || slash === key.length - 1) {
    return aggregate([
      field.invalid(at, key, 'must be a domain-prefixed path (such as "acme.io/foo")'),
    ]);
  }
  const host = key.slice(0, slash);
  const path = key.slice(slash + 1);
  const errors = nameIsDNSSubdomain(host, false).map((why) => field.invalid(at, host, why));
  if (!PATH.test(path)) errors.push(field.invalid(at, path, "Invalid path"));
  return errors.length === 0 ? "" : aggregate(errors);
}
