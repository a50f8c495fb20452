/** Authorizers one after another. Upstream: apiserver/pkg/authorization/union. */
import type { UserInfo } from "../request/user-info.ts";
import type {
  AuthorizationAttributes,
  AuthorizationResult,
  Authorizer,
  ResolvedRules,
  RuleResolver,
} from "./authorizer.ts";

/**
 * The first Allow or Deny decides; without one there is no opinion, with all reasons and errors.
 * An authorizer that throws has no opinion: a failure never allows, and others are still asked.
 */
export function unionAuthorizer(authorizers: readonly Authorizer[]): Authorizer {
  const [only] = authorizers;
  if (only !== undefined && authorizers.length === 1) return only;
  return {
    name: "union",
    authorize(attributes) {
      return ask(authorizers, 0, attributes, []);
    },
  };
}

/** Synchronous for as long as the authorizers are: a promise costs more than most decisions. */
function ask(
  authorizers: readonly Authorizer[],
  from: number,
  attributes: AuthorizationAttributes,
  undecided: AuthorizationResult[],
): AuthorizationResult | Promise<AuthorizationResult> {
  for (let i = from; i < authorizers.length; i++) {
    const one = authorizers[i] as Authorizer; // i is below the length
    const result = answerOf(one, attributes);
    if (result instanceof Promise) {
      return result.then((settled) => {
        if (settled.decision !== "NoOpinion") return settled;
        return ask(authorizers, i + 1, attributes, [...undecided, settled]);
      });
    }
    if (result.decision !== "NoOpinion") return result;
    undecided.push(result);
  }
  return noOpinionOf(undecided);
}

function answerOf(authorizer: Authorizer, attributes: AuthorizationAttributes) {
  try {
    const result = authorizer.authorize(attributes);
    return result instanceof Promise ? result.catch(failureOf) : result;
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): AuthorizationResult {
  const text = error instanceof Error ? error.message : String(error);
  return { decision: "NoOpinion", reason: "", error: text };
}

function noOpinionOf(results: readonly AuthorizationResult[]): AuthorizationResult {
  const reasons = results.map(({ reason }) => reason).filter((reason) => reason !== "");
  const errors = results.map(({ error }) => error ?? "").filter((error) => error !== "");
  const reason = reasons.join("\n");
  if (errors.length === 0) return { decision: "NoOpinion", reason };
  const error = errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]`;
  return { decision: "NoOpinion", reason, error };
}

/** Everybody's rules together. */
export function unionRuleResolver(resolvers: readonly RuleResolver[]): RuleResolver {
  return {
    async rulesFor(user: UserInfo, namespace: string): Promise<ResolvedRules> {
      const all = await Promise.all(resolvers.map((one) => one.rulesFor(user, namespace)));
      const errors = all.map((one) => one.evaluationError).filter((error) => error !== "");
      return {
        resourceRules: all.flatMap((one) => one.resourceRules),
        nonResourceRules: all.flatMap((one) => one.nonResourceRules),
        incomplete: all.some((one) => one.incomplete),
        evaluationError: errors.length > 1 ? `[${errors.join(", ")}]` : (errors[0] ?? ""),
      };
    },
  };
}
