/** Asks a SubjectAccessReview webhook. Upstream: apiserver/plugin/pkg/authorizer/webhook. */
import type { WebhookClient } from "../request/outgoing/webhook-client.ts";
import type {
  AuthorizationAttributes,
  AuthorizationResult,
  Authorizer,
  RuleResolver,
} from "./authorizer.ts";
import { type MatchCondition, matchConditions } from "./match-conditions.ts";

export interface WebhookAuthorizerOptions {
  readonly name: string;
  readonly client: Pick<WebhookClient, "post">;
  /** v1 or v1beta1. */
  readonly version: string;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
  /** What a failed call means. */
  readonly onFailure: "NoOpinion" | "Deny";
  /** All must hold before the webhook is asked; undefined: none. */
  readonly matchConditions?: readonly MatchCondition[];
  readonly now?: () => number;
}

interface Entry {
  readonly result: AuthorizationResult;
  readonly expiresAt: number;
}
const NO_OPINION: AuthorizationResult = { decision: "NoOpinion", reason: "" };
const ENTRIES_MAX = 8192;
/** Longer questions are not remembered. Upstream: maxControlledAttrCacheSize. */
const QUESTION_LENGTH_MAX = 10_000;

export function webhookAuthorizer(options: WebhookAuthorizerOptions): Authorizer & RuleResolver {
  const { client, version, onFailure, now = Date.now, matchConditions: conditions = [] } = options;
  const entries = new Map<string, Entry>();
  const ask = async (attributes: AuthorizationAttributes, key: string) => {
    const review = {
      kind: "SubjectAccessReview",
      apiVersion: `authorization.k8s.io/${version}`,
      metadata: {},
      spec: specOf(attributes, version),
      status: { allowed: false },
    };
    let result: AuthorizationResult;
    try {
      result = resultOf(await client.post(JSON.stringify(review)));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { decision: onFailure, reason: "", error: text } as const;
    }
    if (key.length <= QUESTION_LENGTH_MAX) {
      const isAllowed = result.decision === "Allow";
      const ttlMs = isAllowed ? options.authorizedTtlMs : options.unauthorizedTtlMs;
      if (entries.size >= ENTRIES_MAX) evict(entries, now());
      if (ttlMs > 0) entries.set(key, { result, expiresAt: now() + ttlMs });
    }
    return result;
  };
  return {
    name: options.name,
    authorize(attributes) {
      const spec = specOf(attributes, "v1");
      const matched = matchConditions(conditions, spec);
      if (matched === false) return NO_OPINION;
      if (matched !== true) return { decision: onFailure, reason: "", error: matched.failed };
      const key = JSON.stringify(spec);
      const known = entries.get(key);
      if (known !== undefined && known.expiresAt > now()) return known.result;
      return ask(attributes, key);
    },
    rulesFor: async () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: true,
      evaluationError: "webhook authorizer does not support user rule resolution",
    }),
  };
}

function evict(entries: Map<string, Entry>, now: number): void {
  for (const [key, { expiresAt }] of entries) if (expiresAt <= now) entries.delete(key);
  let excess = entries.size - ENTRIES_MAX / 2;
  for (const key of entries.keys()) {
    if (excess-- <= 0) return;
    entries.delete(key);
  }
}

/** The review's spec; v1beta1 calls the groups `group`. */
function specOf(attributes: AuthorizationAttributes, version: string) {
  const { user, verb, path } = attributes;
  const groups = user.groups.length === 0 ? undefined : user.groups;
  return {
    ...(attributes.resourceRequest
      ? { resourceAttributes: resourceAttributesOf(attributes) }
      : { nonResourceAttributes: { path, verb } }),
    user: user.name,
    ...(groups === undefined ? {} : version === "v1beta1" ? { group: groups } : { groups }),
    ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    ...(user.uid === "" ? {} : { uid: user.uid }),
  };
}

function resourceAttributesOf(attributes: AuthorizationAttributes) {
  const { namespace, verb, apiGroup, apiVersion, resource, subresource, name } = attributes;
  const entries = {
    namespace,
    verb,
    group: apiGroup,
    version: apiVersion,
    resource,
    subresource,
    name,
  };
  const shown = Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== ""));
  const fields = (attributes.fieldSelector?.requirements ?? []).map((one) => ({
    key: one.field,
    operator: one.operator === "=" ? "In" : "NotIn",
    values: [one.value],
  }));
  const labels = (attributes.labelSelector?.requirements ?? [])
    .filter(({ operator }) => operator !== "Gt" && operator !== "Lt")
    .map(({ key, operator, values }) => ({
      key,
      operator,
      ...(values.length === 0 ? {} : { values }),
    }));
  return {
    ...shown,
    ...(fields.length === 0 ? {} : { fieldSelector: { requirements: fields } }),
    ...(labels.length === 0 ? {} : { labelSelector: { requirements: labels } }),
  };
}

/** Throws for an answer without a status: silence is no consent. */
function resultOf(answer: unknown): AuthorizationResult {
  const { status } = (answer ?? {}) as { status?: unknown };
  if (typeof status !== "object" || status === null) throw new Error("webhook: no status");
  const { allowed, denied, reason } = status as Record<string, unknown>;
  const text = typeof reason === "string" ? reason : "";
  if (denied === true && allowed === true) {
    const error = "webhook subject access review returned both allow and deny response";
    return { decision: "Deny", reason: text, error };
  }
  if (denied === true) return { decision: "Deny", reason: text };
  return { decision: allowed === true ? "Allow" : "NoOpinion", reason: text };
}
