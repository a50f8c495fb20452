/** Upstream: pkg/apis/rbac/v1/defaults.go. */
import type { ClusterRoleBinding, RoleBinding, Subject } from "./types.ts";

export const RBAC_GROUP = "rbac.authorization.k8s.io";

/** roleRef and User and Group subjects belong to RBAC's own API group. */
export function setRoleBindingDefaults(binding: Pick<RoleBinding, "roleRef" | "subjects">): void {
  binding.roleRef ??= {};
  if (!binding.roleRef.apiGroup) binding.roleRef.apiGroup = RBAC_GROUP;
  for (const subject of binding.subjects ?? []) setSubjectDefaults(subject);
}

/** Upstream: SetDefaults_ClusterRoleBinding. */
export const setClusterRoleBindingDefaults: (
  binding: Pick<ClusterRoleBinding, "roleRef" | "subjects">,
) => void = setRoleBindingDefaults;

function setSubjectDefaults(subject: Subject): void {
  if (subject.apiGroup) return;
  if (subject.kind === "User" || subject.kind === "Group") subject.apiGroup = RBAC_GROUP;
}
