/** Role-based access control. Upstream: plugin/pkg/auth/authorizer/rbac/rbac.go. */
import type { UserInfo } from "../../request/user-info.ts";
import type {
  AuthorizationAttributes,
  AuthorizationResult,
  Authorizer,
  ResolvedRules,
  RuleResolver,
} from "../authorizer.ts";
import type { Grant, RbacIndex } from "./index.ts";
import type { RuleQuery } from "./rules.ts";

/** Decisions remembered per user; a user asks for few different things over and over. */
const DECISIONS_MAX = 512;
/** Namespaces whose grants are remembered per user. */
const NAMESPACES_MAX = 1024;

interface UserState {
  readonly generation: number;
  readonly cluster: readonly Grant[];
  readonly namespaces: Map<string, readonly Grant[]>;
  readonly decisions: Map<string, AuthorizationResult>;
}

/**
 * Decides by `index`. What a user may do is worked out once per UserInfo object (a connection or
 * a cached token keeps its own) and index generation, then remembered per request shape.
 */
export function rbacAuthorizer(index: RbacIndex): Authorizer & RuleResolver {
  const states = new WeakMap<UserInfo, UserState>();
  const stateOf = (user: UserInfo): UserState => {
    const known = states.get(user);
    if (known !== undefined && known.generation === index.generation) return known;
    const state: UserState = {
      generation: index.generation,
      cluster: index.clusterGrants(user),
      namespaces: new Map(),
      decisions: new Map(),
    };
    states.set(user, state);
    return state;
  };
  const namespaceGrants = (state: UserState, user: UserInfo, namespace: string) => {
    let grants = state.namespaces.get(namespace);
    if (grants === undefined) {
      grants = index.namespaceGrants(user, namespace);
      if (state.namespaces.size >= NAMESPACES_MAX) state.namespaces.clear();
      state.namespaces.set(namespace, grants);
    }
    return grants;
  };
  const grantsOf = (state: UserState, { user, namespace }: AuthorizationAttributes) =>
    namespace === "" ? [state.cluster] : [state.cluster, namespaceGrants(state, user, namespace)];
  return {
    name: "RBAC",
    authorize(attributes) {
      const state = stateOf(attributes.user);
      const key = decisionKey(attributes);
      const known = state.decisions.get(key);
      if (known !== undefined) return known;
      const grants = grantsOf(state, attributes);
      const query = queryOf(attributes);
      const forAllNames = decideForAllNames(grants, query);
      if (forAllNames === undefined) return decideForName(grants, query);
      if (state.decisions.size >= DECISIONS_MAX) state.decisions.clear();
      state.decisions.set(key, forAllNames);
      return forAllNames;
    },
    async rulesFor(user, namespace) {
      return resolved(index, user, namespace);
    },
  };
}

/** Undefined when it takes the object's name to decide. */
function decideForAllNames(
  grants: readonly (readonly Grant[])[],
  query: RuleQuery,
): AuthorizationResult | undefined {
  let depends = false;
  for (const list of grants) {
    for (const grant of list) {
      const reach = grant.rules?.reach(query) ?? "none";
      if (reach === "any") return { decision: "Allow", reason: grant.reason };
      if (reach === "named") depends = true;
    }
  }
  return depends ? undefined : noOpinion(grants);
}

function decideForName(grants: readonly (readonly Grant[])[], query: RuleQuery) {
  for (const list of grants) {
    for (const grant of list) {
      if (grant.rules?.allows(query)) return { decision: "Allow", reason: grant.reason } as const;
    }
  }
  return noOpinion(grants);
}

/** Bindings to roles that do not exist are worth knowing about when nothing else allows. */
function noOpinion(grants: readonly (readonly Grant[])[]): AuthorizationResult {
  const missing = grants.flat().filter(({ rules }) => rules === undefined);
  if (missing.length === 0) return { decision: "NoOpinion", reason: "" };
  const distinct = [...new Set(missing.map((grant) => grant.missing))];
  const text = distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
  return { decision: "NoOpinion", reason: `RBAC: ${text}` };
}

/** Lengths first, so that no two questions share a key: reviews ask about any text at all. */
function decisionKey(attributes: AuthorizationAttributes): string {
  const { verb, apiGroup, resource, subresource, namespace, path } = attributes;
  if (!attributes.resourceRequest) return `p${verb.length}:${verb}${path}`;
  const lengths = `r${verb.length},${apiGroup.length},${resource.length},${subresource.length}`;
  return `${lengths}:${verb}${apiGroup}${resource}${subresource}${namespace}`;
}

function queryOf(attributes: AuthorizationAttributes): RuleQuery {
  const { resource, subresource } = attributes;
  return {
    verb: attributes.verb,
    resourceRequest: attributes.resourceRequest,
    apiGroup: attributes.apiGroup,
    resource: subresource === "" ? resource : `${resource}/${subresource}`,
    subresource,
    name: attributes.name,
    path: attributes.path,
  };
}

function resolved(index: RbacIndex, user: UserInfo, namespace: string): ResolvedRules {
  const { rules, errors } = index.rulesFor(user, namespace);
  return {
    resourceRules: rules
      .filter((rule) => (rule.resources ?? []).length > 0)
      .map(({ verbs = [], apiGroups = [], resources = [], resourceNames = [] }) => ({
        verbs,
        apiGroups,
        resources,
        resourceNames,
      })),
    nonResourceRules: rules
      .filter((rule) => (rule.nonResourceURLs ?? []).length > 0)
      .map(({ verbs = [], nonResourceURLs = [] }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
    evaluationError: errors.length > 1 ? `[${errors.join(", ")}]` : (errors[0] ?? ""),
  };
}
