/** Upstream: pkg/registry/rbac/clusterrolebinding/strategy.go. */
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import { setClusterRoleBindingDefaults } from "../../../apis/rbac/v1/defaults.ts";
import type { ClusterRoleBinding } from "../../../apis/rbac/v1/types.ts";
import {
  validateClusterRoleBinding,
  validateRoleRefUpdate,
} from "../../../apis/rbac/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<ClusterRoleBinding>> = {
  group: "rbac.authorization.k8s.io",
  resource: "clusterrolebindings",
  strategy: {
    validateName: nameIsPathSegment,
    validate: (_context, binding) => validateClusterRoleBinding(binding),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, binding, old) => [
      ...validateClusterRoleBinding(binding),
      ...validateRoleRefUpdate(binding.roleRef, old.roleRef),
    ],
    allowCreateOnUpdate: true,
  },
  defaults: { v1: setClusterRoleBindingDefaults },
};
