/** The roles and bindings every cluster starts with. Upstream: plugin/pkg/auth/authorizer/rbac/bootstrappolicy. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { PolicyRule } from "../../apis/rbac/v1/types.ts";
import table from "./bootstrap.generated.json" with { type: "json" };

export interface RbacBootstrapObjects {
  readonly clusterRoles: readonly KubeObject[];
  readonly clusterRoleBindings: readonly KubeObject[];
  readonly roles: readonly KubeObject[];
  readonly roleBindings: readonly KubeObject[];
}

const API_VERSION = "rbac.authorization.k8s.io/v1";

/** Fresh copies, with apiVersion and kind. */
export function rbacBootstrapObjects(): RbacBootstrapObjects {
  const typed = (kind: string, list: readonly object[]) =>
    list.map((one) => ({ apiVersion: API_VERSION, kind, ...structuredClone(one) }) as KubeObject);
  return {
    clusterRoles: typed("ClusterRole", table.clusterRoles),
    clusterRoleBindings: typed("ClusterRoleBinding", table.clusterRoleBindings),
    roles: typed("Role", table.roles),
    roleBindings: typed("RoleBinding", table.roleBindings),
  };
}

/** What kubelets may do beyond what the Node authorizer works out from the graph. */
export function nodeRules(): readonly PolicyRule[] {
  const role = table.clusterRoles.find((one) => one.metadata.name === "system:node");
  return (role?.rules ?? []) as PolicyRule[];
}
