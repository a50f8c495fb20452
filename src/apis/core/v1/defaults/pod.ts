/**
 * Defaults that only pods get, not the templates they come from.
 * Upstream: SetDefaults_Pod, setDefaults_PodLevelResources.
 */
import { formatQuantity } from "../../../../apimachinery/quantity.ts";
import type { Container, Pod, PodSpec, PodStatus, ResourceRequirements } from "../types.ts";
import { isHugePageResourceName, isOvercommitAllowed } from "../validation/resource-names.ts";
import { aggregateContainerResources } from "../validation/resources.ts";
import { setDefaultsPodSpec } from "./pod-spec.ts";

/** A pod, in place. */
export function setDefaultsPod(pod: Pod): void {
  pod.spec ??= {};
  const { spec } = pod;
  for (const list of [spec.containers, spec.initContainers]) {
    for (const container of list ?? []) setDefaultRequests(container);
  }
  if (spec.resources !== undefined) setDefaultsPodResources(spec, spec.resources);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork) setHostPorts([...(spec.containers ?? []), ...(spec.initContainers ?? [])]);
  setDefaultsPodSpec(spec);
  if (pod.status !== undefined) mirrorAddresses(pod.status);
  dropOldInitContainers(pod);
}

/** A limit without a request is also what is requested. */
function setDefaultRequests({ resources }: Container): void {
  if (resources?.limits === undefined) return;
  const requests = resources.requests ?? {};
  for (const [name, value] of Object.entries(resources.limits)) requests[name] ??= value;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

function setHostPorts(containers: readonly Container[]): void {
  for (const container of containers) {
    for (const port of container.ports ?? []) {
      if (!port.hostPort && port.containerPort) port.hostPort = port.containerPort;
    }
  }
}

/**
 * Pod-level requests follow from what the containers request, where that may exceed a limit, and
 * from the pod's own limits otherwise.
 */
function setDefaultsPodResources(spec: PodSpec, resources: ResourceRequirements): void {
  setHugePageLimits(spec, resources);
  const { limits } = resources;
  if (limits === undefined || Object.keys(limits).length === 0) return;
  const requests = { ...resources.requests };
  for (const [name, sum] of aggregateContainerResources(spec, "requests")) {
    const isSupported = name === "cpu" || name === "memory" || isHugePageResourceName(name);
    if (!isSupported || !isOvercommitAllowed(name)) continue;
    requests[name] ??= formatQuantity(sum);
  }
  for (const [name, value] of Object.entries(limits)) requests[name] ??= value;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

function setHugePageLimits(spec: PodSpec, resources: ResourceRequirements): void {
  for (const [name, sum] of aggregateContainerResources(spec, "limits")) {
    if (!isHugePageResourceName(name)) continue;
    if (resources.limits?.[name] !== undefined || resources.requests?.[name] !== undefined)
      continue;
    resources.limits ??= {};
    resources.limits[name] = formatQuantity(sum);
  }
}

/** The singular address and the first of the list are one field; the singular wins. */
function mirrorAddresses(status: PodStatus): void {
  if (status.podIP) {
    if (status.podIPs?.[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }];
  } else if (status.podIPs?.[0]?.ip) status.podIP = status.podIPs[0].ip;
  if (!status.hostIP && status.hostIPs?.[0]?.ip) status.hostIP = status.hostIPs[0].ip;
  else if (status.hostIP && (status.hostIPs ?? []).length === 0) {
    status.hostIPs = [{ ip: status.hostIP }];
  }
}

const OLD_INIT_CONTAINERS = [
  "pod.beta.kubernetes.io/init-containers",
  "pod.alpha.kubernetes.io/init-containers",
  "pod.beta.kubernetes.io/init-container-statuses",
  "pod.alpha.kubernetes.io/init-container-statuses",
];

/** Annotations of releases long gone that would look like init containers. */
function dropOldInitContainers({ metadata }: Pod): void {
  const annotations = metadata?.annotations;
  if (annotations === undefined) return;
  for (const key of OLD_INIT_CONTAINERS) delete annotations[key];
}
