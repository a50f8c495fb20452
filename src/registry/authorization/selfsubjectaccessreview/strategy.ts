/** Never stored: the handler answers. Upstream: pkg/registry/authorization/selfsubjectaccessreview/rest.go. */
import type { SelfSubjectAccessReview } from "../../../apis/authorization/v1/types.ts";
import { validateSelfSubjectAccessReview } from "../../../apis/authorization/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<SelfSubjectAccessReview>> = {
  group: "authorization.k8s.io",
  resource: "selfsubjectaccessreviews",
  strategy: {
    validateName: () => [],
    // Metadata's errors are among these: a review has no name to check.
    validate: (_context, review) => validateSelfSubjectAccessReview(review),
    validateUpdate: () => [],
  },
  defaults: {},
};
