/** Upstream: apiserver/pkg/authorization/authorizerfactory/builtin.go. */
import { GROUP_PRIVILEGED } from "../request/user-info.ts";
import type { AuthorizationResult, Authorizer, RuleResolver } from "./authorizer.ts";

const ALLOW: AuthorizationResult = { decision: "Allow", reason: "" };
const NO_OPINION: AuthorizationResult = { decision: "NoOpinion", reason: "" };

/** system:masters may do anything, whatever the modes say. Always the first of the union. */
export const privilegedGroups: Authorizer = {
  name: "privileged",
  authorize: ({ user }) => (user.groups.includes(GROUP_PRIVILEGED) ? ALLOW : NO_OPINION),
};

export const alwaysAllow: Authorizer = { name: "AlwaysAllow", authorize: () => ALLOW };

export const alwaysDeny: Authorizer = {
  name: "AlwaysDeny",
  authorize: () => ({ decision: "NoOpinion", reason: "Everything is forbidden." }),
};

/** What alwaysAllow grants, as rules. */
export const everythingResolver: RuleResolver = {
  rulesFor: async () => ({
    resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [] }],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
    incomplete: false,
    evaluationError: "",
  }),
};

/** What alwaysDeny grants. */
export const nothingResolver: RuleResolver = {
  rulesFor: async () => ({
    resourceRules: [],
    nonResourceRules: [],
    incomplete: false,
    evaluationError: "",
  }),
};
