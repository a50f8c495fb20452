/** `--authorization-policy-file`: one policy a line. Upstream: pkg/auth/authorizer/abac. */
import { GROUP_AUTHENTICATED, GROUP_UNAUTHENTICATED, type UserInfo } from "../request/user-info.ts";
import type {
  AuthorizationAttributes,
  Authorizer,
  ResolvedRules,
  RuleResolver,
} from "./authorizer.ts";

interface Policy {
  readonly user: string;
  readonly group: string;
  readonly readonly: boolean;
  readonly apiGroup: string;
  readonly resource: string;
  readonly namespace: string;
  readonly nonResourcePath: string;
}

/** A line of the policy file can not be used. */
export class AbacError extends Error {
  override readonly name = "AbacError";
}

const API_VERSION = "abac.authorization.kubernetes.io/v1beta1";

/** Reads the file. Throws AbacError that names the line; policies without a subject are dropped. */
export function parseAbacPolicies(text: string): readonly Policy[] {
  const policies: Policy[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    let parsed: unknown;
    try {
      parsed = JSON.parse(line);
    } catch (error) {
      throw new AbacError(`error reading policy file line ${index + 1}: ${String(error)}`);
    }
    policies.push(policyOf(parsed, index + 1));
  }
  return policies.filter(({ user, group }) => user !== "" || group !== "");
}

function policyOf(parsed: unknown, line: number): Policy {
  const { apiVersion, kind, spec, ...legacy } = record(parsed, line);
  if (apiVersion === undefined) return legacyPolicy(legacy);
  if (apiVersion !== API_VERSION || kind !== "Policy") {
    throw new AbacError(`error reading policy file line ${line}: unrecognized ${String(kind)}`);
  }
  const fields = record(spec ?? {}, line);
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  return {
    user: text("user"),
    group: text("group"),
    readonly: fields["readonly"] === true,
    apiGroup: text("apiGroup"),
    resource: text("resource"),
    namespace: text("namespace"),
    nonResourcePath: text("nonResourcePath"),
  };
}

/** The unversioned form: empty means everything, and everyone who is authenticated. */
function legacyPolicy(fields: Record<string, unknown>): Policy {
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  const [user, group] = [text("user"), text("group")];
  const anyone = user === "" && group === "";
  return {
    user,
    group: anyone || user === "*" || group === "*" ? GROUP_AUTHENTICATED : group,
    readonly: fields["readonly"] === true,
    apiGroup: "*",
    resource: text("resource") || "*",
    namespace: text("namespace") || "*",
    nonResourcePath: text("resource") === "" && text("namespace") === "" ? "*" : "",
  };
}

function record(value: unknown, line: number): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new AbacError(`error reading policy file line ${line}: not an object`);
}

/** The authorizer and resolver of a parsed file. */
export function abacAuthorizer(policies: readonly Policy[]): Authorizer & RuleResolver {
  return {
    name: "ABAC",
    authorize(attributes) {
      const allowed = policies.some((policy) => matches(policy, attributes));
      if (allowed) return { decision: "Allow", reason: "" };
      return { decision: "NoOpinion", reason: "No policy matched." };
    },
    async rulesFor(user, namespace) {
      return rulesOf(policies, user, namespace);
    },
  };
}

function matches(policy: Policy, attributes: AuthorizationAttributes): boolean {
  if (!subjectMatches(policy, attributes.user)) return false;
  const { verb } = attributes;
  const isRead = verb === "get" || verb === "list" || verb === "watch";
  if (policy.readonly && !isRead) return false;
  if (attributes.resourceRequest) {
    const any = (pattern: string, value: string) => pattern === "*" || pattern === value;
    return (
      any(policy.namespace, attributes.namespace) &&
      any(policy.resource, attributes.resource) &&
      any(policy.apiGroup, attributes.apiGroup)
    );
  }
  const { nonResourcePath: pattern } = policy;
  if (pattern === "*" || pattern === attributes.path) return true;
  return pattern.endsWith("*") && attributes.path.startsWith(pattern.slice(0, -1));
}

function subjectMatches({ user, group }: Policy, { name, groups }: UserInfo): boolean {
  const isKnown = groups.includes(GROUP_AUTHENTICATED);
  const everyone = (wanted: string) => wanted === "*" && (isKnown || isAnonymous(groups));
  if (user !== "" && !everyone(user) && user !== name) return false;
  if (group !== "" && !everyone(group) && !groups.includes(group)) return false;
  return user !== "" || group !== "";
}

const isAnonymous = (groups: readonly string[]) => groups.includes(GROUP_UNAUTHENTICATED);

function rulesOf(policies: readonly Policy[], user: UserInfo, namespace: string): ResolvedRules {
  const mine = policies.filter((policy) => subjectMatches(policy, user));
  const verbsOf = (policy: Policy) => (policy.readonly ? ["get", "list", "watch"] : ["*"]);
  return {
    resourceRules: mine
      .filter((policy) => policy.resource !== "")
      .filter((policy) => policy.namespace === "*" || policy.namespace === namespace)
      .map((policy) => ({
        verbs: verbsOf(policy),
        apiGroups: [policy.apiGroup],
        resources: [policy.resource],
        resourceNames: [],
      })),
    nonResourceRules: mine
      .filter((policy) => policy.nonResourcePath !== "")
      .map((policy) => ({
        verbs: policy.readonly ? ["get"] : ["*"],
        nonResourceURLs: [policy.nonResourcePath],
      })),
    incomplete: false,
    evaluationError: "",
  };
}
