/**
 * The evaluators of kinds that cost more than their number.
 * Upstream: pkg/quota/v1/evaluator/core.
 */
import {
  compareQuantity,
  type Quantity,
  quantityOf,
  quantityValue,
} from "../../apimachinery/quantity.ts";
import type { GroupResource } from "../../apimachinery/runtime/gvk.ts";
import type { Container, PersistentVolumeClaim, Pod, Service } from "../../apis/core/v1/types.ts";
import {
  isExtendedResourceName,
  isNativeResource,
} from "../../apis/core/v1/validation/resource-names.ts";
import type { ResourceClaim } from "../../apis/resource/v1/types.ts";
import type { DeepReadonly } from "../plugin.ts";
import { addLists, podResources, type ResourceList, resourceList } from "../resource-list.ts";
import { countName, ONE, objectCount, type QuotaEvaluator } from "./evaluator.ts";
import { claimInScope, podInScope, volumeAttributesClasses } from "./scopes.ts";

export interface EvaluatorOptions {
  readonly gate: (name: string) => boolean;
  readonly now: () => number;
}

/** The evaluator of a resource; objects of kinds without one of their own are counted. */
export function evaluatorOf(of: GroupResource, options: EvaluatorOptions): QuotaEvaluator {
  if (of.group === "resource.k8s.io" && of.resource === "resourceclaims") return resourceClaims;
  if (of.group !== "") return objectCount(of);
  switch (of.resource) {
    case "pods":
      return podEvaluator(options);
    case "services":
      return services;
    case "persistentvolumeclaims":
      return claims;
    default:
      return objectCount(of);
  }
}

const COMPUTE = ["cpu", "memory", "ephemeral-storage"];
const POD_RESOURCES = new Set([
  "count/pods",
  "pods",
  ...COMPUTE.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
]);
/** Once a quota counts one of these, every container must say what it wants of it. */
const MUST_BE_SPECIFIED = new Set(
  ["cpu", "memory"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
);

/** How many pods there are, and what they ask for while they live. */
function podEvaluator({ gate, now }: EvaluatorOptions): QuotaEvaluator {
  return {
    hasScopes: true,

    handles({ operation, subresource }) {
      if (subresource === "resize") return operation === "UPDATE";
      return subresource === "" && operation === "CREATE";
    },

    tracks(name) {
      if (POD_RESOURCES.has(name)) return true;
      if (name.startsWith("hugepages-") || name.startsWith("requests.hugepages-")) return true;
      return !isNativeResource(name) && name.startsWith("requests.");
    },

    usage(object) {
      const pod = object as DeepReadonly<Pod>;
      const counted: ResourceList = new Map([["count/pods", ONE]]);
      if (!isAlive(pod, now())) return counted;
      const options = { useStatus: true, overhead: true, podLevel: gate("PodLevelResources") };
      const requests = podResources(pod, "requests", options);
      const limits = podResources(pod, "limits", options);
      return addLists(counted, computeUsage(requests, limits));
    },

    inScope: (object, scope) =>
      podInScope(object as DeepReadonly<Pod>, scope, gate("PodLevelResources")),

    problem(object, required) {
      const { spec } = object as DeepReadonly<Pod>;
      const podLevel = gate("PodLevelResources") ? spec?.resources : undefined;
      const given = usageOf(podLevel);
      const names = required.filter((name) => MUST_BE_SPECIFIED.has(name) && !given.has(name));
      const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
      return missing(names, containers);
    },
  };
}

function usageOf(resources: DeepReadonly<Container["resources"]>): ResourceList {
  return computeUsage(resourceList(resources?.requests), resourceList(resources?.limits));
}

function missing(
  names: readonly string[],
  containers: readonly DeepReadonly<Container>[],
): string | undefined {
  const usages = containers.map(({ name = "", resources }) => ({ name, own: usageOf(resources) }));
  const lines = [...names].sort().flatMap((name) => {
    const silent = usages.filter(({ own }) => !own.has(name)).map((one) => one.name);
    return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent)].sort().join(",")}`];
  });
  return lines.length === 0 ? undefined : `must specify ${lines.join("; ")}`;
}

/** Neither over, nor past the grace of its deletion. Upstream: QuotaV1Pod. */
function isAlive({ status, metadata }: DeepReadonly<Pod>, now: number): boolean {
  if (status?.phase === "Failed" || status?.phase === "Succeeded") return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = metadata ?? {};
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true;
  return now <= Date.parse(deletionTimestamp) + Number(deletionGracePeriodSeconds) * 1000;
}

function computeUsage(requests: ResourceList, limits: ResourceList): ResourceList {
  const usage = new Map([["pods", ONE]]);
  for (const name of COMPUTE) {
    const request = requests.get(name);
    const limit = limits.get(name);
    if (request !== undefined) usage.set(name, request).set(`requests.${name}`, request);
    if (limit !== undefined) usage.set(`limits.${name}`, limit);
  }
  for (const [name, request] of requests) {
    const isHugePage = name.startsWith("hugepages-");
    if (isHugePage) usage.set(name, request);
    if (isHugePage || isExtendedResourceName(name)) usage.set(`requests.${name}`, request);
  }
  return usage;
}

const SERVICE_RESOURCES = new Set([
  "count/services",
  "services",
  "services.nodeports",
  "services.loadbalancers",
]);

/** How many services there are, and the node ports and load balancers they mean to take. */
const services: QuotaEvaluator = {
  hasScopes: false,
  // An update too: the type can change.
  handles: ({ operation }) => operation === "CREATE" || operation === "UPDATE",
  tracks: (name) => SERVICE_RESOURCES.has(name),
  usage(object) {
    const { spec } = object as DeepReadonly<Service>;
    const ports = spec?.ports ?? [];
    const isBalanced = spec?.type === "LoadBalancer";
    let nodePorts = 0;
    if (spec?.type === "NodePort" || isBalanced) nodePorts = ports.length;
    if (isBalanced && spec?.allocateLoadBalancerNodePorts === false) {
      nodePorts = ports.filter(({ nodePort }) => Boolean(nodePort)).length;
    }
    return new Map<string, Quantity>([
      ["count/services", ONE],
      ["services", ONE],
      ["services.nodeports", quantityOf(nodePorts)],
      ["services.loadbalancers", quantityOf(isBalanced ? 1 : 0)],
    ]);
  },
  inScope: () => false,
};

const CLASS_SUFFIX = ".storageclass.storage.k8s.io/";
const CLAIM_RESOURCES = ["persistentvolumeclaims", "requests.storage"];
const CLAIMS = { group: "", resource: "persistentvolumeclaims" };

/** How many claims there are and the bytes they ask for, in all and by storage class. */
const claims: QuotaEvaluator = {
  hasScopes: true,

  handles({ operation, subresource, object, oldObject }) {
    if (subresource === "") return operation === "CREATE" || operation === "UPDATE";
    if (subresource !== "status") return false;
    const next = object as DeepReadonly<PersistentVolumeClaim>;
    const old = (oldObject ?? {}) as DeepReadonly<PersistentVolumeClaim>;
    const allocated = (claim: typeof next) => claim.status?.allocatedResources?.["storage"];
    const classes = (claim: typeof next) => [...volumeAttributesClasses(claim)].sort().join(" ");
    return allocated(next) !== allocated(old) || classes(next) !== classes(old);
  },

  tracks(name) {
    if (name === countName(CLAIMS) || CLAIM_RESOURCES.includes(name)) return true;
    return CLAIM_RESOURCES.some((resource) => name.endsWith(`${CLASS_SUFFIX}${resource}`));
  },

  usage(object) {
    const claim = object as DeepReadonly<PersistentVolumeClaim>;
    const usage = new Map([
      ["persistentvolumeclaims", ONE],
      [countName(CLAIMS), ONE],
    ]);
    const annotated = claim.metadata?.annotations?.["volume.beta.kubernetes.io/storage-class"];
    const storageClass = annotated ?? claim.spec?.storageClassName ?? "";
    const prefix = storageClass === "" ? undefined : `${storageClass}${CLASS_SUFFIX}`;
    if (prefix !== undefined) usage.set(`${prefix}persistentvolumeclaims`, ONE);
    const bytes = claimBytes(claim);
    if (bytes === undefined) return usage;
    usage.set("requests.storage", bytes);
    if (prefix !== undefined) usage.set(`${prefix}requests.storage`, bytes);
    return usage;
  },

  inScope: (object, scope) => claimInScope(object as DeepReadonly<PersistentVolumeClaim>, scope),
};

/** What is asked for or, after a shrunk wish, is still allocated; whole bytes. */
function claimBytes({ spec, status }: DeepReadonly<PersistentVolumeClaim>): Quantity | undefined {
  const asked = resourceList(spec?.resources?.requests).get("storage");
  const allocated = resourceList(status?.allocatedResources).get("storage");
  if (asked === undefined) return undefined;
  const isMore = allocated !== undefined && compareQuantity(allocated, asked) > 0;
  return wholeBytes(isMore ? allocated : asked);
}

function wholeBytes(value: Quantity): Quantity {
  const rounded = quantityOf(quantityValue(value), value.format);
  return compareQuantity(rounded, value) === 0 ? value : rounded;
}

const DEVICE_SUFFIX = ".deviceclass.resource.k8s.io/devices";
/** A request for "all" devices may get as many as one claim can hold. */
const ALLOCATION_RESULTS_MAX = 32;
const RESOURCE_CLAIMS = { group: "resource.k8s.io", resource: "resourceclaims" };

/** How many resource claims there are, and the devices they can get at most, by class. */
const resourceClaims: QuotaEvaluator = {
  hasScopes: false,
  handles: ({ operation, subresource }) =>
    subresource === "" && (operation === "CREATE" || operation === "UPDATE"),
  tracks: (name) => name === countName(RESOURCE_CLAIMS) || name.endsWith(DEVICE_SUFFIX),
  usage(object) {
    const { spec } = object as DeepReadonly<ResourceClaim>;
    let usage: ResourceList = new Map([[countName(RESOURCE_CLAIMS), ONE]]);
    for (const { exactly, firstAvailable } of spec?.devices?.requests ?? []) {
      usage = addLists(usage, worstCase(firstAvailable ?? (exactly ? [exactly] : [])));
    }
    return usage;
  },
  inScope: () => false,
};

interface DeviceRequest {
  readonly deviceClassName?: string | undefined;
  readonly allocationMode?: string | undefined;
  readonly count?: number | undefined;
}

/** Of alternatives, the most of each class that any of them could take. */
function worstCase(alternatives: readonly DeviceRequest[]): ResourceList {
  const most = new Map<string, Quantity>();
  for (const { deviceClassName = "", allocationMode, count } of alternatives) {
    const name = `${deviceClassName}${DEVICE_SUFFIX}`;
    let devices = 0;
    if (allocationMode === "ExactCount") devices = Number(count ?? 0);
    if (allocationMode === "All") devices = ALLOCATION_RESULTS_MAX;
    const own = most.get(name);
    const value = quantityOf(devices);
    if (own === undefined || compareQuantity(value, own) > 0) most.set(name, value);
  }
  return most;
}
