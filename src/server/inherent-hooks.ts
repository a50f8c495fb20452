/**
 * Post-start hooks and checks of upstream's whose work is over here once a thread serves, or never
 * begins: caches are opened with the store, discovery and OpenAPI are built from the same tables,
 * and nobody waits for APIService objects. Their names stay: scripts and monitors ask for them one
 * by one, and would take a 404 for a failure.
 */
import type { HealthRegistry } from "./health.ts";

const hooks = [
  "generic-apiserver-start-informers",
  "storage-object-count-tracker-hook",
  "start-apiextensions-informers",
  "start-apiextensions-controllers",
  "peer-endpoint-reconciler-controller",
  "storage-readiness",
  "start-kube-apiserver-identity-lease-garbage-collector",
  "start-kube-aggregator-informers",
  "apiservice-discovery-controller",
  "apiservice-openapi-controller",
  "apiservice-openapiv3-controller",
  "apiservice-registration-controller",
  "apiservice-status-local-available-controller",
  "apiservice-status-remote-available-controller",
  "apiservice-wait-for-first-sync",
  "kube-apiserver-autoregistration",
] as const;

const hook = (name: string) => `poststarthook/${name}`;

/** Checks in the order upstream shows them. */
export const checkOrder: readonly string[] = [
  ...["ping", "log", "loopback-serving-certificate", "etcd", "etcd-readiness", "informer-sync"],
  hook("start-apiserver-admission-initializer"),
  hook("generic-apiserver-start-informers"),
  hook("priority-and-fairness-config-consumer"),
  hook("priority-and-fairness-filter"),
  hook("max-in-flight-filter"),
  hook("storage-object-count-tracker-hook"),
  hook("start-apiextensions-informers"),
  hook("start-apiextensions-controllers"),
  hook("crd-informer-synced"),
  hook("start-system-namespaces-controller"),
  hook("peer-endpoint-reconciler-controller"),
  hook("start-cluster-authentication-info-controller"),
  hook("start-kube-apiserver-identity-lease-controller"),
  hook("start-kube-apiserver-identity-lease-garbage-collector"),
  hook("storage-readiness"),
  hook("start-legacy-token-tracking-controller"),
  hook("start-service-ip-repair-controllers"),
  hook("rbac/bootstrap-roles"),
  hook("scheduling/bootstrap-system-priority-classes"),
  hook("priority-and-fairness-config-producer"),
  hook("bootstrap-controller"),
  hook("start-kubernetes-service-cidr-controller"),
  hook("aggregator-reload-proxy-client-cert"),
  hook("start-kube-aggregator-informers"),
  hook("apiservice-status-local-available-controller"),
  hook("apiservice-status-remote-available-controller"),
  hook("apiservice-registration-controller"),
  hook("apiservice-wait-for-first-sync"),
  hook("apiservice-discovery-controller"),
  hook("kube-apiserver-autoregistration"),
  "autoregister-completion",
  hook("apiservice-openapi-controller"),
  hook("apiservice-openapiv3-controller"),
  "shutdown",
];

/**
 * A part that has more to say adds a check of the same name, which takes this one's place.
 * `proxyClientCert`: --proxy-client-cert-file is there to be read again.
 */
export function registerInherentHooks(
  health: HealthRegistry,
  { proxyClientCert = false }: { readonly proxyClientCert?: boolean } = {},
): void {
  for (const name of hooks) health.addPostStartHook(name)();
  if (proxyClientCert) health.addPostStartHook("aggregator-reload-proxy-client-cert")();
  health.add("autoregister-completion", () => {});
  // The loopback client does not depend on the certificate's time.
  health.add("loopback-serving-certificate", () => {}, ["healthz", "livez"]);
}
