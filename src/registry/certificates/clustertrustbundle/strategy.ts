/** Upstream: pkg/registry/certificates/clustertrustbundle/strategy.go. */
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import type { ClusterTrustBundle } from "../../../apis/certificates/v1beta1/types.ts";
import { validateClusterTrustBundle } from "../../../apis/certificates/v1beta1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ClusterTrustBundle>> = {
  group: "certificates.k8s.io",
  resource: "clustertrustbundles",
  strategy: {
    validateName: nameIsPathSegment,
    validate: (_context, object) => validateClusterTrustBundle(object),
    validateUpdate: (_context, object, old) => validateClusterTrustBundle(object, old),
    allowUnconditionalUpdate: false,
  },
  defaults: {},
};
