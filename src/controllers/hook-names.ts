/** The hooks that controllers report, under upstream's names. */
export const hookNames = [
  "start-system-namespaces-controller",
  "bootstrap-controller",
  "start-kubernetes-service-cidr-controller",
  "start-service-ip-repair-controllers",
  "rbac/bootstrap-roles",
  "scheduling/bootstrap-system-priority-classes",
  "priority-and-fairness-config-producer",
  "start-cluster-authentication-info-controller",
  "start-kube-apiserver-identity-lease-controller",
  "start-legacy-token-tracking-controller",
] as const;
