/** What is audited, and how much of it. Upstream: apiserver/pkg/audit/policy. */
import { parseYaml } from "../apimachinery/runtime/yaml-library.ts";

export const LEVELS = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type Level = (typeof LEVELS)[number];
export const STAGES = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type Stage = (typeof STAGES)[number];

interface GroupResources {
  readonly group: string;
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
}
interface Rule {
  readonly level: Level;
  readonly users: readonly string[];
  readonly userGroups: readonly string[];
  readonly verbs: readonly string[];
  readonly resources: readonly GroupResources[];
  readonly namespaces: readonly string[];
  readonly nonResourceURLs: readonly string[];
  readonly omitStages: ReadonlySet<Stage>;
  readonly omitManagedFields: boolean;
}
export interface Policy {
  readonly rules: readonly Rule[];
}

/** What the policy says of one request. */
export interface PolicyDecision {
  readonly level: Level;
  readonly omitStages: ReadonlySet<Stage>;
  readonly omitManagedFields: boolean;
}

/** What a rule looks at. `user` is undefined before authentication. */
export interface AuditAttributes {
  readonly user: { readonly name: string; readonly groups: readonly string[] } | undefined;
  readonly verb: string;
  readonly resourceRequest: boolean;
  readonly apiGroup: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly path: string;
}

/** The policy file is malformed; the message goes to whoever starts the server. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}

const API_VERSION = "audit.k8s.io/v1";

/** Reads a Policy, YAML or JSON. Throws PolicyError with everything that is wrong. */
export function parsePolicy(text: string): Policy {
  let parsed: unknown;
  try {
    parsed = parseYaml(text);
  } catch (error) {
    throw new PolicyError(`failed decoding: ${error instanceof Error ? error.message : error}`);
  }
  const fields = fieldsOf(parsed);
  if (fields["apiVersion"] !== API_VERSION || fields["kind"] !== "Policy") {
    const found = `${String(fields["apiVersion"])}, Kind=${String(fields["kind"])}`;
    throw new PolicyError(`unknown group version field ${found} in policy`);
  }
  const problems: string[] = [];
  const common = stagesOf(fields["omitStages"], "omitStages", problems);
  const omitManagedFields = fields["omitManagedFields"] === true;
  const rules = listOf(fields["rules"]).map((one, i) =>
    ruleOf(fieldsOf(one), `rules[${i}]`, common, omitManagedFields, problems),
  );
  if (problems.length > 0) throw new PolicyError(`invalid policy: ${problems.join(", ")}`);
  if (rules.length === 0) throw new PolicyError("loaded illegal policy with 0 rules");
  return { rules };
}

function ruleOf(
  fields: Fields,
  at: string,
  omitStages: ReadonlySet<Stage>,
  omitManagedFields: boolean,
  problems: string[],
): Rule {
  const level = LEVELS.find((one) => one === fields["level"]);
  if (level === undefined) {
    problems.push(`${at}.level: Unsupported value: ${JSON.stringify(fields["level"] ?? "")}`);
  }
  const nonResourceURLs = stringsOf(fields["nonResourceURLs"]);
  const resources = listOf(fields["resources"]).map((one) => groupResourcesOf(fieldsOf(one)));
  const namespaces = stringsOf(fields["namespaces"]);
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0)) {
    problems.push(
      `${at}.nonResourceURLs: rules cannot apply to both regular resources and non-resource URLs`,
    );
  }
  for (const [i, path] of nonResourceURLs.entries()) {
    const isPattern = path === "*" || path.startsWith("/");
    if (!isPattern || path.slice(0, -1).includes("*")) {
      problems.push(`${at}.nonResourceURLs[${i}]: Invalid value: ${JSON.stringify(path)}`);
    }
  }
  for (const { resources: named, resourceNames } of resources) {
    if (resourceNames.length > 0 && named.length === 0) {
      problems.push(
        `${at}.resources.resourceNames: using resourceNames requires at least one resource`,
      );
    }
  }
  const own = stagesOf(fields["omitStages"], `${at}.omitStages`, problems);
  const ownOmit = fields["omitManagedFields"];
  return {
    level: level ?? "None",
    users: stringsOf(fields["users"]),
    userGroups: stringsOf(fields["userGroups"]),
    verbs: stringsOf(fields["verbs"]),
    resources,
    namespaces,
    nonResourceURLs,
    omitStages: new Set([...omitStages, ...own]),
    omitManagedFields: typeof ownOmit === "boolean" ? ownOmit : omitManagedFields,
  };
}

function groupResourcesOf(fields: Fields): GroupResources {
  return {
    group: typeof fields["group"] === "string" ? fields["group"] : "",
    resources: stringsOf(fields["resources"]),
    resourceNames: stringsOf(fields["resourceNames"]),
  };
}

function stagesOf(value: unknown, at: string, problems: string[]): ReadonlySet<Stage> {
  const stages = new Set<Stage>();
  for (const [i, text] of stringsOf(value).entries()) {
    const stage = STAGES.find((one) => one === text);
    if (stage === undefined)
      problems.push(`${at}[${i}]: Unsupported value: ${JSON.stringify(text)}`);
    else stages.add(stage);
  }
  return stages;
}

const NOTHING: PolicyDecision = { level: "None", omitStages: new Set(), omitManagedFields: false };

/** The first rule that matches decides; without one nothing is audited. */
export function evaluatePolicy({ rules }: Policy, attributes: AuditAttributes): PolicyDecision {
  return rules.find((rule) => ruleMatches(rule, attributes)) ?? NOTHING;
}

function ruleMatches(rule: Rule, attributes: AuditAttributes): boolean {
  const { user, verb } = attributes;
  const { users, userGroups, verbs } = rule;
  if (users.length > 0 && (user === undefined || !users.includes(user.name))) return false;
  const groups = user?.groups ?? [];
  if (userGroups.length > 0 && !userGroups.some((one) => groups.includes(one))) return false;
  if (verbs.length > 0 && !verbs.includes(verb)) return false;
  if (rule.namespaces.length > 0 || rule.resources.length > 0) {
    return matchesResource(rule, attributes);
  }
  if (rule.nonResourceURLs.length > 0) return matchesPath(rule.nonResourceURLs, attributes);
  return true;
}

function matchesResource({ namespaces, resources }: Rule, attributes: AuditAttributes): boolean {
  if (!attributes.resourceRequest) return false;
  if (namespaces.length > 0 && !namespaces.includes(attributes.namespace)) return false;
  return resources.length === 0 || resources.some((one) => matchesGroup(one, attributes));
}

function matchesGroup(rule: GroupResources, attributes: AuditAttributes): boolean {
  const { apiGroup, resource, subresource, name } = attributes;
  if (rule.group !== "*" && rule.group !== apiGroup) return false;
  if (rule.resources.length === 0) return true;
  if (rule.resourceNames.length > 0 && !rule.resourceNames.includes(name)) return false;
  const combined = subresource === "" ? resource : `${resource}/${subresource}`;
  return rule.resources.some(
    (one) =>
      one === "*" ||
      one === combined ||
      (subresource !== "" && one === `*/${subresource}`) ||
      one === `${resource}/*`,
  );
}

function matchesPath(patterns: readonly string[], { resourceRequest, path }: AuditAttributes) {
  if (resourceRequest) return false;
  return patterns.some(
    (one) => one === path || (one.endsWith("*") && path.startsWith(one.slice(0, -1))),
  );
}

type Fields = Readonly<Record<string, unknown>>;
function fieldsOf(value: unknown): Fields {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as Fields) : {};
}
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const stringsOf = (value: unknown): readonly string[] =>
  listOf(value).filter((one) => typeof one === "string");
