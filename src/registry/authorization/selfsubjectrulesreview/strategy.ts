/** Never stored: the handler answers. Upstream: pkg/registry/authorization/selfsubjectrulesreview. */
import type { SelfSubjectRulesReview } from "../../../apis/authorization/v1/types.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<SelfSubjectRulesReview>> = {
  group: "authorization.k8s.io",
  resource: "selfsubjectrulesreviews",
  strategy: { validateName: () => [], validate: () => [], validateUpdate: () => [] },
  defaults: {},
};
