/**
 * Whether some rules grant everything that others grant. Upstream: component-helpers
 * auth/rbac/validation/policy_comparator.go, pkg/registry/rbac/validation/policy_compact.go.
 */
import type { PolicyRule } from "../../apis/rbac/v1/types.ts";

/** The smallest rules of `wanted` that no rule of `held` covers. */
export function uncoveredRules(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): readonly PolicyRule[] {
  return wanted
    .flatMap((rule) => breakdown(rule))
    .filter((one) => !held.some((rule) => covers(rule, one)));
}

/** One rule per group, resource, name and verb, and per path and verb. */
function breakdown(rule: PolicyRule): PolicyRule[] {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [] } = rule;
  const single: PolicyRule[] = [];
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        const one = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (resourceNames.length === 0) single.push(one);
        for (const name of resourceNames) single.push({ ...one, resourceNames: [name] });
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    for (const verb of verbs) single.push({ verbs: [verb], nonResourceURLs: [url] });
  }
  return single;
}

/** `one` comes from breakdown: it has a single value in each of its lists. */
function covers(rule: PolicyRule, one: PolicyRule): boolean {
  const { resourceNames: names = [] } = rule;
  const [name] = one.resourceNames ?? [];
  return (
    allows(rule.verbs, one.verbs) &&
    allows(rule.apiGroups, one.apiGroups) &&
    (one.resources ?? []).every((resource) => coversResource(rule.resources ?? [], resource)) &&
    (one.nonResourceURLs ?? []).every((url) => coversUrl(rule.nonResourceURLs ?? [], url)) &&
    (names.length === 0 || (name !== undefined && names.includes(name)))
  );
}

function allows(held: readonly string[] = [], wanted: readonly string[] = []): boolean {
  return held.includes("*") || wanted.every((value) => held.includes(value));
}

function coversResource(held: readonly string[], resource: string): boolean {
  if (held.includes("*") || held.includes(resource)) return true;
  const slash = resource.indexOf("/");
  return slash !== -1 && held.includes(`*/${resource.slice(slash + 1)}`);
}

function coversUrl(held: readonly string[], url: string): boolean {
  return held.some(
    (one) => one === url || (one.endsWith("*") && url.startsWith(one.replace(/\*+$/, ""))),
  );
}

/** The verbs of rules for one resource together, as error messages list them. */
export function compactRules(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const compacted: PolicyRule[] = [];
  const simple = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
    const isSimple =
      apiGroups.length === 1 &&
      resources.length === 1 &&
      resourceNames.length <= 1 &&
      nonResourceURLs.length === 0;
    if (!isSimple) {
      compacted.push(rule);
      continue;
    }
    const key = JSON.stringify([apiGroups, resources, resourceNames]);
    const same = simple.get(key);
    if (same === undefined) {
      const first = { ...rule, verbs: [...(rule.verbs ?? [])] };
      simple.set(key, first);
      compacted.push(first);
    } else {
      same.verbs?.push(...(rule.verbs ?? []));
    }
  }
  return compacted;
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function ruleText(rule: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | undefined])[] = [
    ["APIGroups", rule.apiGroups],
    ["Resources", rule.resources],
    ["NonResourceURLs", rule.nonResourceURLs],
    ["ResourceNames", rule.resourceNames],
    ["Verbs", rule.verbs],
  ];
  const shown = parts
    .filter(([, values = []]) => values.length > 0)
    .map(([label, values = []]) => `${label}:${quotedList(values)}`);
  return `{${shown.join(", ")}}`;
}

/** Go's %q of a list of strings. */
export function quotedList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}
