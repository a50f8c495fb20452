/**
 * Which FlowSchema a request belongs to. Schemas are compiled once per change of them; per request
 * a user's candidates are remembered by name and groups, so that only what the request asks for
 * has to be matched. Upstream: apiserver/pkg/util/flowcontrol/rule.go.
 */
import type {
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from "../apis/flowcontrol/v1/types.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { UserInfo } from "../request/user-info.ts";

const ALL = "*";
const ACCOUNT_PREFIX = "system:serviceaccount:";

/** Users whose candidates are remembered. */
const USERS_MAX = 4096;

type Matches<T> = (of: T) => boolean;

/** A FlowSchema's spec, and what the caller wants back when it matches. */
export interface RuleSet<T> {
  readonly spec: FlowSchemaSpec;
  readonly value: T;
}

interface CompiledRule {
  readonly subject: Matches<UserInfo>;
  readonly request: Matches<RequestInfo>;
}
interface Candidate<T> {
  readonly value: T;
  readonly requests: readonly Matches<RequestInfo>[];
}
interface Remembered<T> {
  readonly groups: readonly string[];
  readonly candidates: readonly Candidate<T>[];
}

/** Finds the first of `sets`, which are in the order of precedence, that matches. */
export class FlowRules<T> {
  readonly #compiled: readonly { readonly value: T; readonly rules: readonly CompiledRule[] }[];
  readonly #ofUser = new Map<string, Remembered<T>>();

  constructor(sets: readonly RuleSet<T>[]) {
    this.#compiled = sets.map(({ spec, value }) => ({
      value,
      rules: (spec.rules ?? []).map(compileRule),
    }));
  }

  match(user: UserInfo, info: RequestInfo): T | undefined {
    for (const { value, requests } of this.#candidates(user)) {
      for (const matches of requests) if (matches(info)) return value;
    }
    return undefined;
  }

  #candidates(user: UserInfo): readonly Candidate<T>[] {
    const known = this.#ofUser.get(user.name);
    if (known !== undefined && sameTexts(known.groups, user.groups)) return known.candidates;
    if (this.#ofUser.size >= USERS_MAX) this.#ofUser.clear();
    const candidates = this.#candidatesOf(user);
    this.#ofUser.set(user.name, { groups: user.groups, candidates });
    return candidates;
  }

  #candidatesOf(user: UserInfo): Candidate<T>[] {
    const found: Candidate<T>[] = [];
    for (const { value, rules } of this.#compiled) {
      const requests: Matches<RequestInfo>[] = [];
      for (const { subject, request } of rules) if (subject(user)) requests.push(request);
      if (requests.length > 0) found.push({ value, requests });
    }
    return found;
  }
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

function compileRule({ subjects, resourceRules, nonResourceRules }: PolicyRulesWithSubjects) {
  const resources = (resourceRules ?? []).map(compileResourceRule);
  const paths = (nonResourceRules ?? []).map(compilePathRule);
  const request = (info: RequestInfo): boolean => {
    for (const matches of info.isResourceRequest ? resources : paths) {
      if (matches(info)) return true;
    }
    return false;
  };
  return { subject: compileSubjects(subjects ?? []), request };
}

/** One set per kind of subject: a rule with many of them costs no more than one with a few. */
function compileSubjects(subjects: readonly Subject[]): Matches<UserInfo> {
  const users = new Set<string>();
  const groups = new Set<string>();
  const namespaces: string[] = [];
  for (const { kind, user, group, serviceAccount } of subjects) {
    if (kind === "User") users.add(user?.name ?? "");
    else if (kind === "Group") groups.add(group?.name ?? "");
    else if (serviceAccount?.name === ALL) {
      namespaces.push(`${ACCOUNT_PREFIX}${serviceAccount.namespace ?? ""}:`);
    } else if (serviceAccount !== undefined) {
      users.add(`${ACCOUNT_PREFIX}${serviceAccount.namespace ?? ""}:${serviceAccount.name ?? ""}`);
    }
  }
  if (users.has(ALL) || groups.has(ALL)) return () => true;
  return (user) => {
    if (users.has(user.name)) return true;
    for (const group of user.groups) if (groups.has(group)) return true;
    return namespaces.some((prefix) => user.name.startsWith(prefix));
  };
}

function compileResourceRule(rule: ResourcePolicyRule): Matches<RequestInfo> {
  const verb = oneOf(rule.verbs);
  const group = oneOf(rule.apiGroups);
  const resource = oneOf(rule.resources);
  const namespace = oneOf(rule.namespaces);
  const clusterScope = rule.clusterScope ?? false;
  return (info) =>
    verb(info.verb) &&
    resource(info.subresource === "" ? info.resource : `${info.resource}/${info.subresource}`) &&
    group(info.apiGroup) &&
    (info.namespace === "" ? clusterScope : namespace(info.namespace));
}

/** A path may end in `*`: everything below it. */
function compilePathRule({ verbs, nonResourceURLs }: NonResourcePolicyRule): Matches<RequestInfo> {
  const verb = oneOf(verbs);
  const exact = oneOf(nonResourceURLs);
  const prefixes = (nonResourceURLs ?? [])
    .filter((path) => path.endsWith(ALL))
    .map((path) => path.replace(/\*+$/, ""));
  return (info) =>
    verb(info.verb) &&
    (exact(info.path) || prefixes.some((prefix) => info.path.startsWith(prefix)));
}

function oneOf(values: readonly string[] | undefined): Matches<string> {
  const all = new Set(values);
  return all.has(ALL) ? () => true : (value) => all.has(value);
}
