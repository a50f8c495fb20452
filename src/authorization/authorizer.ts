/** Upstream: apiserver/pkg/authorization/authorizer/interfaces.go. */
import type { FieldSelector } from "../apimachinery/fields/selector.ts";
import type { LabelSelector } from "../apimachinery/labels/selector.ts";
import type { UserInfo } from "../request/user-info.ts";

export interface AuthorizationAttributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly resourceRequest: boolean;
  readonly apiGroup: string;
  readonly apiVersion: string;
  readonly namespace: string;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  readonly path: string;
  readonly fieldSelector?: FieldSelector;
  readonly labelSelector?: LabelSelector;
}
export type Decision = "Allow" | "Deny" | "NoOpinion";
export interface AuthorizationResult {
  readonly decision: Decision;
  readonly reason: string;
  /** Something went wrong while deciding; with NoOpinion or Deny it never becomes an allow. */
  readonly error?: string;
}
export interface Authorizer {
  readonly name: string;
  authorize(
    attributes: AuthorizationAttributes,
  ): AuthorizationResult | Promise<AuthorizationResult>;
}
/** What a user may do in a namespace, for SelfSubjectRulesReview. */
export interface RuleResolver {
  rulesFor(user: UserInfo, namespace: string): Promise<ResolvedRules>;
}
export interface ResolvedRules {
  readonly resourceRules: readonly {
    readonly verbs: readonly string[];
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames: readonly string[];
  }[];
  readonly nonResourceRules: readonly {
    readonly verbs: readonly string[];
    readonly nonResourceURLs: readonly string[];
  }[];
  readonly incomplete: boolean;
  readonly evaluationError: string;
}
