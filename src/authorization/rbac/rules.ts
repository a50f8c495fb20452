/** A role's rules, compiled. Upstream: plugin/pkg/auth/authorizer/rbac and apis/rbac/v1/evaluation_helpers.go. */
import type { PolicyRule } from "../../apis/rbac/v1/types.ts";

/** What of a request a rule looks at. `resource` holds the subresource: `pods/log`. */
export interface RuleQuery {
  readonly verb: string;
  readonly resourceRequest: boolean;
  readonly apiGroup: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly path: string;
}

interface CompiledRule {
  /** Undefined: every group, resource, name. */
  readonly apiGroups: ReadonlySet<string> | undefined;
  readonly resources: ReadonlySet<string> | undefined;
  readonly names: ReadonlySet<string> | undefined;
  readonly hasResources: boolean;
  readonly exactPaths: ReadonlySet<string>;
  readonly pathPrefixes: readonly string[];
}

/** "any": whatever the name; "named": for the names in some rule only; "none": not at all. */
export type Reach = "any" | "named" | "none";

export interface CompiledRules {
  readonly rules: readonly PolicyRule[];
  allows(query: RuleQuery): boolean;
  /** What holds for every name, so that it can be remembered without one. */
  reach(query: RuleQuery): Reach;
}

const ALL = "*";

/** Compiles `rules`: by verb, so that a decision looks only at rules that could match. */
export function compileRules(rules: readonly PolicyRule[]): CompiledRules {
  const byVerb = new Map<string, CompiledRule[]>();
  for (const rule of rules) {
    const compiled = compileRule(rule);
    for (const verb of new Set(rule.verbs ?? [])) {
      const list = byVerb.get(verb);
      if (list === undefined) byVerb.set(verb, [compiled]);
      else list.push(compiled);
    }
  }
  const anyVerb = byVerb.get(ALL) ?? [];
  const none: readonly CompiledRule[] = [];
  const reachOf = (candidates: readonly CompiledRule[], query: RuleQuery): Reach => {
    let reach: Reach = "none";
    for (const rule of candidates) {
      const matches = query.resourceRequest
        ? matchesResource(rule, query)
        : matchesPath(rule, query);
      if (!matches) continue;
      if (rule.names === undefined || !query.resourceRequest) return "any";
      reach = "named";
    }
    return reach;
  };
  const named = (candidates: readonly CompiledRule[], query: RuleQuery) =>
    candidates.some((rule) => rule.names?.has(query.name) && matchesResource(rule, query));
  const reach = (query: RuleQuery): Reach => {
    const first = anyVerb.length === 0 ? "none" : reachOf(anyVerb, query);
    if (first === "any") return first;
    const second = reachOf(byVerb.get(query.verb) ?? none, query);
    return second === "none" ? first : second;
  };
  return {
    rules,
    reach,
    allows(query) {
      const found = reach(query);
      if (found !== "named") return found === "any";
      return named(anyVerb, query) || named(byVerb.get(query.verb) ?? none, query);
    },
  };
}

function compileRule(rule: PolicyRule): CompiledRule {
  const setOf = (values: readonly string[] | undefined) =>
    values?.includes(ALL) ? undefined : new Set(values ?? []);
  const urls = rule.nonResourceURLs ?? [];
  const names = rule.resourceNames ?? [];
  return {
    apiGroups: setOf(rule.apiGroups),
    resources: setOf(rule.resources),
    names: names.length === 0 ? undefined : new Set(names),
    hasResources: (rule.resources ?? []).length > 0,
    exactPaths: new Set(urls),
    pathPrefixes: urls.filter((url) => url.endsWith(ALL)).map((url) => url.replace(/\*+$/, "")),
  };
}

/** Names aside. */
function matchesResource(rule: CompiledRule, query: RuleQuery): boolean {
  const { apiGroups, resources } = rule;
  if (!rule.hasResources) return false;
  if (apiGroups !== undefined && !apiGroups.has(query.apiGroup)) return false;
  if (resources !== undefined && !resources.has(query.resource)) {
    const { subresource } = query;
    if (subresource === "" || !resources.has(`*/${subresource}`)) return false;
  }
  return true;
}

function matchesPath({ exactPaths, pathPrefixes }: CompiledRule, { path }: RuleQuery): boolean {
  if (exactPaths.has(path)) return true;
  return pathPrefixes.some((prefix) => path.startsWith(prefix));
}
