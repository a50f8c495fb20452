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
  "storage-readiness",
  "start-kube-apiserver-identity-lease-garbage-collector",
  "start-kube-aggregator-informers",
  "apiservice-discovery-controller",
  "apiservice-openapi-controller",
  "apiservice-openapiv3-controller",
  "apiservice-registration-controller",
  "apiservice-status-local-available-controller",
  "apiservice-wait-for-first-sync",
  "kube-apiserver-autoregistration",
] as const;

/** A part that has more to say adds a check of the same name, which takes this one's place. */
export function registerInherentHooks(health: HealthRegistry): void {
  for (const name of hooks) health.addPostStartHook(name)();
  health.add("autoregister-completion", () => {});
  // The loopback client does not depend on the certificate's time.
  health.add("loopback-serving-certificate", () => {}, ["healthz", "livez"]);
}
