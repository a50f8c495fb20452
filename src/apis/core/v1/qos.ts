/** A pod's quality of service class. Upstream: pkg/apis/core/helper/qos. */
import { addQuantity, compareQuantity, quantitySign } from "../../../apimachinery/quantity.ts";
import { quantityFrom } from "../../validation/common.ts";
import type { PodSpec, ResourceRequirements } from "./types.ts";
import type { ResourceTotals } from "./validation/resources.ts";

export type QOSClass = "Guaranteed" | "Burstable" | "BestEffort";

const COMPUTE = ["cpu", "memory"];

/** Adds what is above zero of cpu and memory; says whether both were there. */
function collect(
  list: Readonly<Record<string, string>> | undefined,
  into: ResourceTotals,
): boolean {
  let found = 0;
  for (const name of COMPUTE) {
    const value = quantityFrom(list?.[name]);
    if (quantitySign(value) <= 0) continue;
    found++;
    const own = into.get(name);
    into.set(name, own === undefined ? value : addQuantity(own, value));
  }
  return found === COMPUTE.length;
}

/** The class that a spec gives; pod-level resources decide alone when they are set. */
export function computePodQOS(spec: PodSpec, podLevelResources: boolean): QOSClass {
  const own = podLevelResources && isSet(spec.resources) ? spec.resources : undefined;
  const list = own
    ? [own]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map((one) => one.resources);
  const requests: ResourceTotals = new Map();
  const limits: ResourceTotals = new Map();
  let allLimited = true;
  for (const resources of list) {
    collect(resources?.requests, requests);
    if (!collect(resources?.limits, limits)) allLimited = false;
  }
  if (requests.size === 0 && limits.size === 0) return "BestEffort";
  const equal = [...requests].every(([name, value]) => {
    const limit = limits.get(name);
    return limit !== undefined && compareQuantity(limit, value) === 0;
  });
  return allLimited && equal && requests.size === limits.size ? "Guaranteed" : "Burstable";
}

/** Whether pod-level resources have any of those that count. */
function isSet(resources: ResourceRequirements | undefined): boolean {
  const names = [
    ...Object.keys(resources?.requests ?? {}),
    ...Object.keys(resources?.limits ?? {}),
  ];
  return names.some((name) => COMPUTE.includes(name) || name.startsWith("hugepages-"));
}
