/**
 * Nobody can grant what they do not have: otherwise the right to write roles would be every right.
 * Upstream guards the storage of roles and bindings (pkg/registry/rbac/{role,clusterrole,
 * rolebinding,clusterrolebinding}/policybased), right after mutating admission; so this plugin
 * checks in admit() and is the last of its kind, and it can not be turned off.
 */
import type { AdmissionPlugin, Attributes } from "../../admission/plugin.ts";
import { forbidden, notFound } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { semanticDeepEqual } from "../../apimachinery/validation/equality.ts";
import type { ClusterRole, PolicyRule, RoleRef } from "../../apis/rbac/v1/types.ts";
import type { Authorizer } from "../../authorization/authorizer.ts";
import { GROUP_PRIVILEGED } from "../../request/user-info.ts";
import { compactRules, quotedList, ruleText, uncoveredRules } from "./rule-coverage.ts";

const GROUP = "rbac.authorization.k8s.io";

/** What the checks ask of RBAC, whatever authorizers are in force. */
export interface RoleRules {
  rulesFor(
    user: Attributes["user"],
    namespace: string,
  ): { readonly rules: readonly PolicyRule[]; readonly errors: readonly string[] };
  /** Undefined when there is no such role. */
  rulesOf(
    roleRef: RoleRef,
    namespace: string,
  ): { readonly rules: readonly PolicyRule[] } | undefined;
}

interface RbacObject extends KubeObject {
  rules?: PolicyRule[];
  roleRef?: RoleRef;
  aggregationRule?: ClusterRole["aggregationRule"];
}
type Asked = Attributes<RbacObject>;

const everything: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
  { verbs: ["*"], nonResourceURLs: ["*"] },
];

/** Roles need every rule they hold, or `escalate`; bindings every rule of their role, or `bind`. */
export function rbacEscalationCheck(
  rules: RoleRules,
  authorizer: Authorizer,
): AdmissionPlugin<RbacObject> {
  return {
    name: "RBACEscalationCheck",

    handles({ operation, resource, subresource }) {
      const isWrite = operation === "CREATE" || operation === "UPDATE";
      return isWrite && resource.group === GROUP && subresource === "";
    },

    async admit(attributes) {
      if (attributes.user.groups.includes(GROUP_PRIVILEGED)) return;
      const { object, oldObject, resource } = attributes;
      if (oldObject !== undefined && onlyGarbageCollected(object, oldObject)) return;
      if (resource.resource === "roles" || resource.resource === "clusterroles") {
        await checkRole(attributes, rules, authorizer);
      } else if (
        resource.resource === "rolebindings" ||
        resource.resource === "clusterrolebindings"
      ) {
        await checkBinding(attributes, rules, authorizer);
      }
    },
  };
}

async function checkRole(attributes: Asked, rules: RoleRules, authorizer: Authorizer) {
  const { object, oldObject, operation, resource } = attributes;
  const name = operation === "CREATE" ? "" : attributes.name;
  if (await may(authorizer, attributes, "escalate", resource.resource, name)) return;
  const problem = escalation(attributes, rules, object.rules ?? []);
  if (problem !== undefined) throw refused(attributes, problem);
  const aggregates =
    hasAggregation(object) || (oldObject !== undefined && hasAggregation(oldObject));
  if (!aggregates || escalation(attributes, rules, everything) === undefined) return;
  throw refused(attributes, "must have cluster-admin privileges to use the aggregationRule");
}

async function checkBinding(attributes: Asked, rules: RoleRules, authorizer: Authorizer) {
  const { roleRef = {} } = attributes.object;
  const { kind, name = "" } = roleRef;
  const plural = kind === "ClusterRole" ? "clusterroles" : kind === "Role" ? "roles" : undefined;
  if (plural !== undefined && (await may(authorizer, attributes, "bind", plural, name))) return;
  const granted = rules.rulesOf(roleRef, attributes.namespace);
  // Upstream's store names the resource of the request, whatever it looks for.
  if (granted === undefined) throw notFound(attributes.resource, name);
  const problem = escalation(attributes, rules, granted.rules);
  if (problem !== undefined) throw refused(attributes, problem);
}

async function may(
  authorizer: Authorizer,
  { user, namespace }: Asked,
  verb: string,
  resource: string,
  name: string,
): Promise<boolean> {
  const { decision } = await authorizer.authorize({
    user,
    verb,
    resourceRequest: true,
    apiGroup: GROUP,
    apiVersion: "*",
    namespace,
    resource,
    subresource: "",
    name,
    path: "",
  });
  return decision === "Allow";
}

/** What the user would gain, in upstream's words; undefined when nothing. */
function escalation(
  { user, namespace, resource }: Asked,
  rules: RoleRules,
  wanted: readonly PolicyRule[],
): string | undefined {
  const { rules: held, errors } = rules.rulesFor(user, namespace);
  const missing = uncoveredRules(held, wanted);
  if (missing.length === 0) return undefined;
  const texts = [...new Set(compactRules(missing).map((rule) => ruleText(rule)))].sort();
  const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`;
  const named = errors.map((error) => error.replace(/^(cluster)?role\./, `${resource.resource}.`));
  const all = named.length > 1 ? `[${[...new Set(named)].join(", ")}]` : named.join("");
  const tail = errors.length === 0 ? "" : `; resolution errors: [${all}]`;
  return `${who} is attempting to grant RBAC permissions not currently held:\n${texts.join("\n")}${tail}`;
}

function refused({ resource, object, name }: Asked, why: string) {
  const of = { group: resource.group, resource: resource.resource };
  return forbidden(of, object.metadata?.name ?? name, why);
}

function hasAggregation({ aggregationRule }: RbacObject): boolean {
  return (aggregationRule?.clusterRoleSelectors ?? []).length > 0;
}

/** The garbage collector may do its work without holding what the object grants. */
function onlyGarbageCollected(object: RbacObject, old: RbacObject): boolean {
  const bare = ({ metadata = {}, ...rest }: RbacObject) => {
    const { ownerReferences: _o, finalizers: _f, managedFields: _m, ...others } = metadata;
    return { ...rest, metadata: others };
  };
  return semanticDeepEqual(bare(object), bare(old));
}
