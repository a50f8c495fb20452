/** Upstream: pkg/registry/rbac/rolebinding/strategy.go. */
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import { setRoleBindingDefaults } from "../../../apis/rbac/v1/defaults.ts";
import type { RoleBinding } from "../../../apis/rbac/v1/types.ts";
import { validateRoleBinding, validateRoleRefUpdate } from "../../../apis/rbac/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<RoleBinding>> = {
  group: "rbac.authorization.k8s.io",
  resource: "rolebindings",
  strategy: {
    validateName: nameIsPathSegment,
    validate: (_context, binding) => validateRoleBinding(binding),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, binding, old) => [
      ...validateRoleBinding(binding),
      ...validateRoleRefUpdate(binding.roleRef, old.roleRef),
    ],
    allowCreateOnUpdate: true,
  },
  defaults: { v1: setRoleBindingDefaults },
};
