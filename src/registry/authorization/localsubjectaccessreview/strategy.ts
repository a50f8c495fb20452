/** Never stored: the handler answers. Upstream: pkg/registry/authorization/localsubjectaccessreview/rest.go. */
import type { LocalSubjectAccessReview } from "../../../apis/authorization/v1/types.ts";
import { validateLocalSubjectAccessReview } from "../../../apis/authorization/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<LocalSubjectAccessReview>> = {
  group: "authorization.k8s.io",
  resource: "localsubjectaccessreviews",
  strategy: {
    validateName: () => [],
    // Metadata's errors are among these: a review has no name to check.
    validate: (_context, review) => validateLocalSubjectAccessReview(review),
    validateUpdate: () => [],
  },
  defaults: {},
};
