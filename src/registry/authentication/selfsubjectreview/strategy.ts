/** Never stored: the handler answers. Upstream: pkg/registry/authentication/selfsubjectreview. */
import type { SelfSubjectReview } from "../../../apis/authentication/v1/types.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<SelfSubjectReview>> = {
  group: "authentication.k8s.io",
  resource: "selfsubjectreviews",
  strategy: { validateName: () => [], validate: () => [], validateUpdate: () => [] },
  defaults: {},
};
