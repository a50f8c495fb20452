/** Never stored: the handler answers. Upstream: pkg/registry/authorization/subjectaccessreview/rest.go. */
import type { SubjectAccessReview } from "../../../apis/authorization/v1/types.ts";
import { validateSubjectAccessReview } from "../../../apis/authorization/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<SubjectAccessReview>> = {
  group: "authorization.k8s.io",
  resource: "subjectaccessreviews",
  strategy: {
    validateName: () => [],
    // Metadata's errors are among these: a review has no name to check.
    validate: (_context, review) => validateSubjectAccessReview(review),
    validateUpdate: () => [],
  },
  defaults: {},
};
