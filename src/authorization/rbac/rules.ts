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

export interface CompiledRules {
  readonly rules: readonly PolicyRule[];
  allows(query: RuleQuery): boolean;
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
  return {
    rules,
    allows(query) {
      const match = query.resourceRequest ? matchesResource : matchesPath;
      for (const rule of anyVerb) if (match(rule, query)) return true;
      for (const rule of byVerb.get(query.verb) ?? []) if (match(rule, query)) return true;
      return false;
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

function matchesResource(rule: CompiledRule, query: RuleQuery): boolean {
  const { apiGroups, resources, names } = rule;
  if (!rule.hasResources) return false;
  if (apiGroups !== undefined && !apiGroups.has(query.apiGroup)) return false;
  if (resources !== undefined && !resources.has(query.resource)) {
    const { subresource } = query;
    if (subresource === "" || !resources.has(`*/${subresource}`)) return false;
  }
  return names === undefined || names.has(query.name);
}

function matchesPath({ exactPaths, pathPrefixes }: CompiledRule, { path }: RuleQuery): boolean {
  if (exactPaths.has(path)) return true;
  return pathPrefixes.some((prefix) => path.startsWith(prefix));
}
