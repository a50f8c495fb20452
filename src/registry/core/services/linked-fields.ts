/**
 * The fields of a Service that the server keeps in step or fills in on the client's behalf.
 * Upstream: pkg/registry/core/service/storage/storage.go and strategy.go.
 */

import { isIPv6String } from "../../../apimachinery/validation/ip.ts";
import type { Service, ServiceSpec } from "../../../apis/core/v1/types.ts";
import {
  isExternallyAccessible,
  needsHealthCheck,
} from "../../../apis/core/v1/validation/service.ts";
import type { Kube } from "../../strategy-parts.ts";

export type ServiceObject = Kube<Service>;
export type IPFamily = "IPv4" | "IPv6";

export const otherFamily = (family: IPFamily): IPFamily => (family === "IPv4" ? "IPv6" : "IPv4");

export const needsClusterIP = ({ type }: ServiceSpec): boolean => type !== "ExternalName";

export const needsNodePort = ({ type }: ServiceSpec): boolean =>
  type === "NodePort" || type === "LoadBalancer";

export function sameStrings(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

/** The spec, made empty when absent, so that callers can write to it. */
export function specOf(service: ServiceObject): ServiceSpec {
  service.spec ??= {};
  return service.spec;
}

/** Brings clusterIPs in step with clusterIP, which is all that old clients know. */
export function normalizeClusterIPs(spec: ServiceSpec, old: ServiceSpec | undefined): void {
  const single = spec.clusterIP ?? "";
  const plural = spec.clusterIPs ?? [];
  if (old === undefined) {
    if (single !== "" && plural.length === 0) spec.clusterIPs = [single];
    return;
  }
  const oldSingle = old.clusterIP ?? "";
  const oldPlural = old.clusterIPs ?? [];
  if (oldPlural.length > 0 && plural.length === 0 && oldSingle === single) {
    spec.clusterIPs = [...oldPlural];
  }
  if (oldSingle === single || !sameStrings(oldPlural, spec.clusterIPs)) return;
  if (oldSingle !== "" && single === "") delete spec.clusterIPs;
  else spec.clusterIPs = [single];
}

/** Gives back what was allocated for the client, so that it may send its first YAML again. */
export function patchAllocatedValues(spec: ServiceSpec, old: ServiceSpec): void {
  if (needsClusterIP(old) && needsClusterIP(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if ((spec.clusterIPs ?? []).length === 0 && (old.clusterIPs ?? []).length > 0) {
      spec.clusterIPs = [...(old.clusterIPs ?? [])];
    }
  }
  if (needsNodePort(old) && needsNodePort(spec)) patchNodePorts(spec, old);
  if (needsHealthCheck(old) && needsHealthCheck(spec) && old.healthCheckNodePort) {
    spec.healthCheckNodePort ||= old.healthCheckNodePort;
  }
}

/** By the ports' names; a number that another port asks for stays with that one. */
function patchNodePorts(spec: ServiceSpec, old: ServiceSpec): void {
  const asked = new Set(nodePortsOf(spec));
  const byName = new Map<string, number>();
  for (const { name = "", nodePort } of old.ports ?? []) byName.set(name, nodePort ?? 0);
  for (const port of spec.ports ?? []) {
    if (port.nodePort) continue;
    const before = byName.get(port.name ?? "");
    if (before && !asked.has(before)) port.nodePort = before;
  }
}

/** The node ports in use, in the order of the ports. */
export function nodePortsOf({ ports = [] }: ServiceSpec): number[] {
  return ports.flatMap(({ nodePort }) => (nodePort ? [nodePort] : []));
}

/**
 * Drops what the new type has no use for, where the client did not ask for it just now.
 * Upstream: dropTypeDependentFields.
 */
export function dropTypeDependentFields(service: ServiceObject, oldService: ServiceObject): void {
  const spec = specOf(service);
  const old = oldService.spec ?? {};
  if (needsClusterIP(old) && !needsClusterIP(spec)) dropAddresses(spec, old);
  if (needsNodePort(old) && !needsNodePort(spec)) {
    const before = new Set(nodePortsOf(old));
    if (nodePortsOf(spec).every((port) => before.has(port))) {
      for (const port of spec.ports ?? []) delete port.nodePort;
    }
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec)) {
    if (spec.healthCheckNodePort === old.healthCheckNodePort) delete spec.healthCheckNodePort;
  }
  if (old.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
    for (const member of ["allocateLoadBalancerNodePorts", "loadBalancerClass"] as const) {
      if (spec[member] === old[member]) delete spec[member];
    }
  }
  if (isExternallyAccessible(old) && !isExternallyAccessible(spec)) {
    if (spec.externalTrafficPolicy === old.externalTrafficPolicy) delete spec.externalTrafficPolicy;
  }
}

function dropAddresses(spec: ServiceSpec, old: ServiceSpec): void {
  const isSame = (spec.clusterIP ?? "") === (old.clusterIP ?? "");
  if (isSame && sameStrings(spec.clusterIPs, old.clusterIPs)) {
    delete spec.clusterIP;
    delete spec.clusterIPs;
  }
  if (sameStrings(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies;
  if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy;
}

/** Fields that services stored before dual-stack lack. Upstream: defaultOnReadService. */
export function setReadTimeDefaults(service: ServiceObject, primary: IPFamily): void {
  const spec = specOf(service);
  if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
  if (["ClusterIP", "NodePort", "LoadBalancer"].includes(spec.type ?? "")) {
    spec.internalTrafficPolicy ??= "Cluster";
  }
  if (!needsClusterIP(spec) || (spec.ipFamilies ?? []).length > 0) return;
  if (spec.clusterIP === "None") {
    const hasSelector = Object.keys(spec.selector ?? {}).length > 0;
    spec.ipFamilyPolicy = hasSelector ? "SingleStack" : "RequireDualStack";
    spec.ipFamilies = hasSelector ? [primary] : [primary, otherFamily(primary)];
    return;
  }
  const families = (spec.clusterIPs ?? []).map((ip) => (isIPv6String(ip) ? "IPv6" : "IPv4"));
  if (families.length === 0) return;
  spec.ipFamilies = families;
  spec.ipFamilyPolicy = families.length === 1 ? "SingleStack" : "RequireDualStack";
}
