/**
 * Warnings for API versions that will go. Upstream: apiserver/pkg/endpoints/deprecation and the
 * prerelease-lifecycle marks of the types.
 */
import { apiVersionOf, type GroupVersionKind } from "../apimachinery/runtime/gvk.ts";
import { metrics } from "../metrics/registry.ts";
import type { AuthorizedRequest } from "../request/request.ts";

const requested = metrics.gauge({
  name: "apiserver_requested_deprecated_apis",
  help: "Gauge of deprecated APIs that have been requested, broken out by API group, version, resource, subresource, and removed_release.",
  labels: ["group", "version", "resource", "subresource", "removed_release"],
  stability: "STABLE",
  greatest: true,
});

interface Lifecycle {
  readonly deprecated: string;
  /** Undefined: deprecated, and staying. */
  readonly removed?: string;
  readonly replacement?: string;
}

/** By `apiVersion Kind`; only what is deprecated in 1.36. */
const lifecycles: Readonly<Record<string, Lifecycle>> = {
  "v1 ComponentStatus": { deprecated: "1.19" },
  "v1 Endpoints": { deprecated: "1.33", replacement: "discovery.k8s.io/v1 EndpointSlice" },
  "networking.k8s.io/v1beta1 IPAddress": {
    deprecated: "1.34",
    removed: "1.37",
    replacement: "networking.k8s.io/v1 IPAddress",
  },
  "networking.k8s.io/v1beta1 ServiceCIDR": {
    deprecated: "1.34",
    removed: "1.37",
    replacement: "networking.k8s.io/v1 ServiceCIDR",
  },
  "storage.k8s.io/v1beta1 VolumeAttributesClass": { deprecated: "1.34", removed: "1.37" },
};

/** The text of the warning, or undefined for a version that is not deprecated. */
export function deprecationWarning(kind: GroupVersionKind): string | undefined {
  const name = `${apiVersionOf(kind)} ${kind.kind}`;
  const lifecycle = lifecycles[name];
  if (lifecycle === undefined) return undefined;
  const { deprecated, removed, replacement } = lifecycle;
  const gone = removed === undefined ? "" : `, unavailable in v${removed}+`;
  const instead = replacement === undefined ? "" : `; use ${replacement}`;
  return `${name} is deprecated in v${deprecated}+${gone}${instead}`;
}

/** Tells the client and the audit log that it uses a version that will go. */
export function noteDeprecation(request: AuthorizedRequest, kind: GroupVersionKind): void {
  const warning = deprecationWarning(kind);
  if (warning === undefined) return;
  request.warnings.add(warning);
  request.auditAnnotations.set("k8s.io/deprecated", "true");
  const removed = lifecycles[`${apiVersionOf(kind)} ${kind.kind}`]?.removed;
  const { resource, subresource } = request.info;
  requested.set(1, kind.group, kind.version, resource, subresource, removed ?? "");
  if (removed !== undefined) request.auditAnnotations.set("k8s.io/removed-release", removed);
}
