/** Upstream: pkg/registry/rbac/role/strategy.go. */
import { nameIsPathSegment } from "../../../apimachinery/validation/object-meta.ts";
import type { Role } from "../../../apis/rbac/v1/types.ts";
import { validateRole } from "../../../apis/rbac/v1/validation.ts";
import type { ResourceRegistration } from "../../rest/strategy.ts";
import type { Kube } from "../../strategy-parts.ts";

export const registration: ResourceRegistration<Kube<Role>> = {
  group: "rbac.authorization.k8s.io",
  resource: "roles",
  strategy: {
    validateName: nameIsPathSegment,
    validate: (_context, role) => validateRole(role),
    updateMetadataRules: ["create", "update"],
    validateUpdate: (_context, role) => validateRole(role),
    allowCreateOnUpdate: true,
  },
  defaults: {},
};
