/** Never stored: the handler answers. Upstream: pkg/registry/authentication/tokenreview. */
import type { TokenReview } from "../../../apis/authentication/v1/types.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<TokenReview>> = {
  group: "authentication.k8s.io",
  resource: "tokenreviews",
  strategy: { validateName: () => [], validate: () => [], validateUpdate: () => [] },
  defaults: {},
};
