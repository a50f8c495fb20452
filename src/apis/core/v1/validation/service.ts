/** Services. Upstream: ValidateService, ValidateServiceUpdate and pkg/api/service. */
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import {
  parseIPSloppy,
  validateCIDRForLegacyField,
  validateIPForLegacyField,
} from "../../../../apimachinery/validation/ip.ts";
import { validateLabels } from "../../../../apimachinery/validation/labels.ts";
import { isDNS1123Subdomain, isValidPortNum } from "../../../../apimachinery/validation/names.ts";
import {
  goStruct,
  invalidEach,
  validateDNS1123Label,
  validateDNS1123Subdomain,
  validatePortNumOrName,
  validateQualifiedName,
} from "../../../validation/common.ts";
import type { LoadBalancerStatus, Service, ServicePort, ServiceSpec } from "../types.ts";
import { validateProtocol } from "./endpoints.ts";
import {
  isHeadless,
  validateServiceClusterIPsRelatedFields,
  validateUpgradeDowngradeClusterIPs,
  validateUpgradeDowngradeIPFamilies,
} from "./service-cluster-ips.ts";
import { validateNonSpecialIP } from "./special-ip.ts";

export const TOPOLOGY_HINTS = "service.kubernetes.io/topology-aware-hints";
export const TOPOLOGY_MODE = "service.kubernetes.io/topology-mode";
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'";
const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const AFFINITIES = ["ClientIP", "None"];
const POLICIES = ["Cluster", "Local"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];
/** A day. */
const AFFINITY_TIMEOUT_SECONDS_MAX = 86400;
const specPath = Path.root("spec");

/** Reachable from outside the cluster. Upstream: apiservice.ExternallyAccessible. */
export function isExternallyAccessible({ type, externalIPs = [] }: ServiceSpec): boolean {
  if (type === "LoadBalancer" || type === "NodePort") return true;
  return type === "ClusterIP" && externalIPs.length > 0;
}

/** Upstream: apiservice.NeedsHealthCheck. */
export function needsHealthCheck({ type, externalTrafficPolicy }: ServiceSpec): boolean {
  return type === "LoadBalancer" && externalTrafficPolicy === "Local";
}

/** `old`: addresses and blocks that it holds already stay valid however they are spelled. */
export function validateService(service: Service, old?: Service): ErrorList {
  const spec = service.spec ?? {};
  const ports = spec.ports ?? [];
  const errors = validateTopologyAnnotations(service);
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") {
    errors.push(required(specPath.child("ports")));
  }
  errors.push(...validateByType(spec));
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    errors.push(...validatePort(port, ports.length > 1, names, specPath.child("ports").index(i)));
  }
  errors.push(
    ...validateLabels(spec.selector, specPath.child("selector")),
    ...validateSessionAffinity(spec),
    ...validateServiceClusterIPsRelatedFields(service, old),
    ...validateExternalIPs(spec, old?.spec?.externalIPs),
    ...validateType(spec),
    ...validateUniquePorts(ports),
    ...validateSourceRanges(service, old),
    ...validateLoadBalancerFields(spec, undefined),
    ...validateTrafficPolicies(spec),
  );
  return errors;
}

function validateTopologyAnnotations({ metadata }: Service): ErrorList {
  const hints = metadata?.annotations?.[TOPOLOGY_HINTS];
  const mode = metadata?.annotations?.[TOPOLOGY_MODE];
  if (hints === undefined || mode === undefined || hints === mode) return [];
  const detail = `must match annotations[${TOPOLOGY_HINTS}] when both are specified`;
  return [invalid(Path.root("metadata", "annotations").key(TOPOLOGY_MODE), mode, detail)];
}

function validateByType(spec: ServiceSpec): ErrorList {
  const { type } = spec;
  if (type === "LoadBalancer" || type === "NodePort") {
    if (!isHeadless(spec)) return [];
    const detail = `may not be set to 'None' for ${type} services`;
    return [invalid(specPath.child("clusterIPs").index(0), "None", detail)];
  }
  if (type !== "ExternalName") return [];
  const errors: ErrorList = [];
  const detail = "may not be set for ExternalName services";
  for (const member of ["clusterIPs", "ipFamilies"] as const) {
    if ((spec[member] ?? []).length > 0) errors.push(forbidden(specPath.child(member), detail));
  }
  if (spec.ipFamilyPolicy !== undefined) {
    errors.push(forbidden(specPath.child("ipFamilyPolicy"), detail));
  }
  // One trailing dot says that the name is fully qualified.
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  const at = specPath.child("externalName");
  return [...errors, ...(name === "" ? [required(at)] : validateDNS1123Subdomain(name, at))];
}

function validatePort(
  port: ServicePort,
  requireName: boolean,
  names: Set<string>,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const { name = "", port: number = 0, appProtocol } = port;
  if (name !== "") {
    errors.push(...validateDNS1123Label(name, at.child("name")));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
  } else if (requireName) errors.push(required(at.child("name")));
  errors.push(...invalidEach(at.child("port"), number, isValidPortNum(number)));
  errors.push(...validateProtocol(port.protocol ?? "", at.child("protocol")));
  errors.push(...validatePortNumOrName(port.targetPort, at.child("targetPort")));
  if (appProtocol !== undefined) {
    errors.push(...validateQualifiedName(appProtocol, at.child("appProtocol")));
  }
  return errors;
}

function validateSessionAffinity({ sessionAffinity = "", sessionAffinityConfig }: ServiceSpec) {
  const at = specPath.child("sessionAffinity");
  const configAt = specPath.child("sessionAffinityConfig");
  if (sessionAffinity === "") return [required(at)];
  if (!AFFINITIES.includes(sessionAffinity)) return [notSupported(at, sessionAffinity, AFFINITIES)];
  if (sessionAffinity === "None") {
    if (sessionAffinityConfig === undefined) return [];
    return [forbidden(configAt, "must not be set when session affinity is None")];
  }
  const why = "when session affinity type is ClientIP";
  if (sessionAffinityConfig === undefined) return [required(configAt, why)];
  const { clientIP } = sessionAffinityConfig;
  if (clientIP === undefined) return [required(configAt.child("clientIP"), why)];
  const timeoutAt = configAt.child("clientIP", "timeoutSeconds");
  const seconds = clientIP.timeoutSeconds;
  if (seconds === undefined) return [required(timeoutAt, why)];
  if (seconds > 0 && seconds <= AFFINITY_TIMEOUT_SECONDS_MAX) return [];
  const detail = `must be greater than 0 and less than ${AFFINITY_TIMEOUT_SECONDS_MAX}`;
  return [invalid(timeoutAt, seconds, detail)];
}

function validateExternalIPs({ externalIPs = [] }: ServiceSpec, known: string[] = []): ErrorList {
  const at = specPath.child("externalIPs");
  return externalIPs.flatMap((ip, i) => {
    const errors = validateIPForLegacyField(at.index(i), ip, known);
    return errors.length > 0 ? errors : validateNonSpecialIP(ip, at.index(i));
  });
}

function validateType({ type = "", ports = [] }: ServiceSpec): ErrorList {
  const at = specPath.child("type");
  if (type === "") return [required(at)];
  if (!TYPES.includes(type)) return [notSupported(at, type, TYPES)];
  if (type !== "ClusterIP") return [];
  return ports.flatMap(({ nodePort }, i) => {
    if (!nodePort) return [];
    const portAt = specPath.child("ports").index(i).child("nodePort");
    return [forbidden(portAt, "may not be used when `type` is 'ClusterIP'")];
  });
}

/** Node ports and ports are unique together with their protocol. */
function validateUniquePorts(ports: readonly ServicePort[]): ErrorList {
  const at = specPath.child("ports");
  const errors: ErrorList = [];
  const nodePorts = new Set<string>();
  for (const [i, { protocol = "", nodePort }] of ports.entries()) {
    if (!nodePort) continue;
    const key = `${protocol}/${nodePort}`;
    if (nodePorts.has(key)) errors.push(duplicate(at.index(i).child("nodePort"), nodePort));
    nodePorts.add(key);
  }
  const numbers = new Set<string>();
  for (const [i, { protocol = "", port = 0 }] of ports.entries()) {
    const key = `${protocol}/${port}`;
    if (numbers.has(key)) {
      const printed = goStruct({ protocol, port }, "k8s.io/api/core/v1.ServicePort");
      errors.push(duplicate(at.index(i), printed));
    }
    numbers.add(key);
  }
  return errors;
}

function validateSourceRanges({ metadata, spec = {} }: Service, old?: Service): ErrorList {
  const known = (old?.spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim());
  const annotated = old?.metadata?.annotations?.[SOURCE_RANGES];
  if (annotated !== undefined) known.push(...annotated.split(",").map((range) => range.trim()));
  const errors: ErrorList = [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) {
    const at = specPath.child("LoadBalancerSourceRanges");
    if (spec.type !== "LoadBalancer") errors.push(forbidden(at, ONLY_LOAD_BALANCER));
    for (const [i, range] of ranges.entries()) {
      errors.push(...validateCIDRForLegacyField(at.index(i), range.trim(), known));
    }
    return errors;
  }
  const annotation = metadata?.annotations?.[SOURCE_RANGES];
  if (annotation === undefined) return errors;
  const at = Path.root("metadata", "annotations").key(SOURCE_RANGES);
  if (spec.type !== "LoadBalancer") errors.push(forbidden(at, ONLY_LOAD_BALANCER));
  if (annotation.trim() === "") return errors;
  for (const range of annotation.trim().split(",")) {
    errors.push(...validateCIDRForLegacyField(at, range.trim(), known));
  }
  return errors;
}

function validateLoadBalancerFields(spec: ServiceSpec, old: ServiceSpec | undefined): ErrorList {
  const isLoadBalancer = spec.type === "LoadBalancer";
  const errors: ErrorList = [];
  if (old === undefined) {
    const allocate = spec.allocateLoadBalancerNodePorts;
    if (allocate !== undefined && !isLoadBalancer) {
      errors.push(forbidden(specPath.child("allocateLoadBalancerNodePorts"), ONLY_LOAD_BALANCER));
    }
    if (allocate === undefined && isLoadBalancer) {
      errors.push(required("allocateLoadBalancerNodePorts"));
    }
  } else if (old.type === "LoadBalancer" && isLoadBalancer) {
    if (spec.loadBalancerClass !== old.loadBalancerClass) {
      const at = specPath.child("loadBalancerClass");
      errors.push(invalid(at, spec.loadBalancerClass, "may not change once set"));
    }
  }
  if (spec.loadBalancerClass === undefined) return errors;
  const at = specPath.child("loadBalancerClass");
  if (!isLoadBalancer) return [...errors, forbidden(at, ONLY_LOAD_BALANCER)];
  return [...errors, ...validateQualifiedName(spec.loadBalancerClass, at)];
}

function validateTrafficPolicies(spec: ServiceSpec): ErrorList {
  const errors: ErrorList = [];
  const external = spec.externalTrafficPolicy ?? "";
  const externalAt = specPath.child("externalTrafficPolicy");
  if (!isExternallyAccessible(spec)) {
    if (external !== "") {
      errors.push(
        invalid(externalAt, external, "may only be set for externally-accessible services"),
      );
    }
  } else if (external === "") errors.push(required(externalAt));
  else if (!POLICIES.includes(external)) {
    errors.push(notSupported(externalAt, external, POLICIES));
  }
  errors.push(...validateHealthCheckNodePort(spec));
  const internal = spec.internalTrafficPolicy;
  const internalAt = specPath.child("internalTrafficPolicy");
  if (internal === undefined) {
    const isNeeded = ["NodePort", "LoadBalancer", "ClusterIP"].includes(spec.type ?? "");
    if (isNeeded) errors.push(required(internalAt));
  } else if (!POLICIES.includes(internal)) {
    errors.push(notSupported(internalAt, internal, POLICIES));
  }
  const distribution = spec.trafficDistribution;
  if (distribution !== undefined && !DISTRIBUTIONS.includes(distribution)) {
    errors.push(notSupported(specPath.child("trafficDistribution"), distribution, DISTRIBUTIONS));
  }
  return errors;
}

function validateHealthCheckNodePort(spec: ServiceSpec): ErrorList {
  const at = specPath.child("healthCheckNodePort");
  const port = spec.healthCheckNodePort ?? 0;
  if (needsHealthCheck(spec)) {
    return port === 0 ? [required(at)] : invalidEach(at, port, isValidPortNum(port));
  }
  if (port === 0) return [];
  const detail =
    "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return [invalid(at, port, detail)];
}

export function validateServiceUpdate(service: Service, old: Service): ErrorList {
  const [spec, oldSpec] = [service.spec ?? {}, old.spec ?? {}];
  const errors = [
    ...validateUpgradeDowngradeClusterIPs(oldSpec, spec),
    ...validateUpgradeDowngradeIPFamilies(oldSpec, spec),
    ...validateLoadBalancerFields(spec, oldSpec),
  ];
  if (needsHealthCheck(oldSpec) && needsHealthCheck(spec)) {
    if ((spec.healthCheckNodePort ?? 0) !== (oldSpec.healthCheckNodePort ?? 0)) {
      errors.push(forbidden(specPath.child("healthCheckNodePort"), "field is immutable"));
    }
  }
  return [...errors, ...validateService(service, old)];
}

/** `old`: addresses that it holds already stay valid however they are spelled. */
export function validateServiceStatusUpdate(service: Service, old: Service): ErrorList {
  const status = service.status?.loadBalancer ?? {};
  const known = (old.status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  return validateLoadBalancerStatus(status, known, service.spec?.type ?? "");
}

function validateLoadBalancerStatus(
  { ingress = [] }: LoadBalancerStatus,
  known: readonly string[],
  type: string,
): ErrorList {
  const at = Path.root("status", "loadBalancer", "ingress");
  if (type !== "LoadBalancer" && ingress.length > 0) {
    return [forbidden(at, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  const errors: ErrorList = [];
  for (const [i, { ip = "", ipMode, hostname = "" }] of ingress.entries()) {
    const here = at.index(i);
    if (ip !== "") errors.push(...validateIPForLegacyField(here.child("ip"), ip, known));
    const modeAt = here.child("ipMode");
    if (ipMode === undefined) {
      if (ip !== "") errors.push(required(modeAt, "must be specified when `ip` is set"));
    } else if (ip === "") {
      errors.push(forbidden(modeAt, "may not be specified when `ip` is not set"));
    } else if (ipMode !== "VIP" && ipMode !== "Proxy") {
      errors.push(notSupported(modeAt, ipMode, ["Proxy", "VIP"]));
    }
    if (hostname !== "") errors.push(...validateHostname(hostname, here.child("hostname")));
  }
  return errors;
}

/** A DNS name that is no IP address, as load balancers have. */
export function validateHostname(hostname: string, at: Path): ErrorList {
  const errors = invalidEach(at, hostname, isDNS1123Subdomain(hostname));
  if (parseIPSloppy(hostname) !== undefined) {
    errors.push(invalid(at, hostname, "must be a DNS name, not an IP address"));
  }
  return errors;
}
