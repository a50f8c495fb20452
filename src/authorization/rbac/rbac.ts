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
  const decide = (attributes: AuthorizationAttributes, state: UserState): AuthorizationResult => {
    const query = queryOf(attributes);
    const { user, namespace } = attributes;
    const missing: string[] = [];
    const allowing = (grants: readonly Grant[]) => {
      for (const grant of grants) {
        if (grant.rules === undefined) missing.push(grant.missing);
        else if (grant.rules.allows(query)) return grant;
      }
      return undefined;
    };
    const inNamespace = () =>
      namespace === "" ? undefined : allowing(namespaceGrants(state, user, namespace));
    const grant = allowing(state.cluster) ?? inNamespace();
    if (grant !== undefined) return { decision: "Allow", reason: grant.reason };
    if (missing.length === 0) return { decision: "NoOpinion", reason: "" };
    const distinct = [...new Set(missing)];
    const text = distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
    return { decision: "NoOpinion", reason: `RBAC: ${text}` };
  };
  return {
    name: "RBAC",
    authorize(attributes) {
      const state = stateOf(attributes.user);
      const key = decisionKey(attributes);
      const known = state.decisions.get(key);
      if (known !== undefined) return known;
      const result = decide(attributes, state);
      if (state.decisions.size >= DECISIONS_MAX) state.decisions.clear();
      state.decisions.set(key, result);
      return result;
    },
    async rulesFor(user, namespace) {
      return resolved(index, user, namespace);
    },
  };
}

/** Lengths first, so that no two questions share a key: reviews ask about any text at all. */
function decisionKey(attributes: AuthorizationAttributes): string {
  const { verb, apiGroup, resource, subresource, namespace, name, path } = attributes;
  if (!attributes.resourceRequest) return `p${verb.length}:${verb}${path}`;
  const lengths = `r${verb.length},${apiGroup.length},${resource.length},${subresource.length}`;
  return `${lengths},${namespace.length}:${verb}${apiGroup}${resource}${subresource}${namespace}${name}`;
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
