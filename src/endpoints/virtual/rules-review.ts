/** What may I do here? Upstream: pkg/registry/authorization/selfsubjectrulesreview. */
import * as api from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { SelfSubjectRulesReview } from "../../apis/authorization/v1/types.ts";
import type { Handler } from "../../request/request.ts";
import type { RequestScope } from "../api-context.ts";
import { reviewHandler } from "./review.ts";

type Review = Omit<SelfSubjectRulesReview, "metadata"> & KubeObject;

export function selfSubjectRulesReview(scope: RequestScope): Handler {
  return reviewHandler<Review>(scope, {
    validate: ({ spec }) => {
      if (!spec?.namespace) throw api.badRequest("no namespace on request");
    },
    answer: async ({ spec }, { user }) => {
      const rules = await scope.api.ruleResolver?.rulesFor(user, spec?.namespace ?? "");
      const status = {
        resourceRules: (rules?.resourceRules ?? []).map((rule) => ({ ...rule })),
        nonResourceRules: (rules?.nonResourceRules ?? []).map((rule) => ({ ...rule })),
        incomplete: rules?.incomplete ?? true,
        evaluationError: rules?.evaluationError ?? "",
      };
      return { metadata: {}, spec: {}, status } as KubeObject;
    },
  });
}
