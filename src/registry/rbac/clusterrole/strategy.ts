/** Upstream: pkg/registry/rbac/clusterrole/strategy.go. */
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import type { ClusterRole } from "../../../apis/rbac/v1/types.ts";
import { validateClusterRole } from "../../../apis/rbac/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ClusterRole>> = {
  group: "rbac.authorization.k8s.io",
  resource: "clusterroles",
  strategy: {
    validateName: nameIsPathSegment,
    validate: (_context, role) => validateClusterRole(role),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, role, old) => validateClusterRole(role, old),
    allowCreateOnUpdate: true,
  },
  defaults: {},
};
