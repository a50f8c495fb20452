/**
 * No pod or claim asks for less or more than its namespace's LimitRanges allow; a container that
 * does not say gets their defaults. Upstream: plugin/pkg/admission/limitranger.
 */
import {
  compareQuantity,
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityMilliValue,
  quantityValue,
} from "../../apimachinery/quantity.ts";
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from "../../apis/core/v1/types.ts";
import { quantityFrom } from "../../apis/validation/common.ts";
import { aggregateTexts, deny, isResource } from "../errors.ts";
import type { AdmissionPlugin, Attributes, DeepReadonly, Listers } from "../plugin.ts";
import { podResources, type ResourceList, resourceList } from "../resource-list.ts";

const LIMIT_RANGES = { group: "", resource: "limitranges" };
const ANNOTATION = "kubernetes.io/limit-ranger";
/** Beyond this a value in thousandths would not fit an int64. */
const MILLI_VALUE_MAX = (2n ** 63n - 1n) / 1000n;

export interface LimitRangerOptions {
  readonly gate: (name: string) => boolean;
}

export function limitRanger(listers: Listers, { gate }: LimitRangerOptions): AdmissionPlugin {
  const rangesFor = async ({ namespace, oldObject }: DeepReadonly<Attributes>) => {
    if (oldObject?.metadata?.deletionTimestamp !== undefined) return [];
    return listers.list<LimitRange>(LIMIT_RANGES, namespace);
  };
  return {
    name: "LimitRanger",

    handles(attributes) {
      const { operation, resource, subresource } = attributes;
      const isPod = resource.group === "" && resource.resource === "pods";
      if (isPod && operation === "UPDATE") return subresource === "resize";
      if (operation !== "CREATE" && operation !== "UPDATE") return false;
      return (
        isResource(attributes, "", "pods") || isResource(attributes, "", "persistentvolumeclaims")
      );
    },

    async admit(attributes) {
      if (attributes.resource.resource !== "pods") return;
      for (const range of await rangesFor(attributes as DeepReadonly<Attributes>)) {
        fillDefaults(attributes.object as Pod, range);
      }
    },

    async validate(attributes) {
      for (const { spec } of await rangesFor(attributes)) {
        const limits = spec?.limits ?? [];
        const problems =
          attributes.resource.resource === "pods"
            ? podProblems(attributes.object as Pod, limits, gate("PodLevelResources"))
            : claimProblems(attributes.object as PersistentVolumeClaim, limits);
        if (problems.length > 0) throw deny(attributes, aggregateTexts(problems));
      }
    },
  };
}

/** Gives containers what the range's Container items have as defaults, and notes what it gave. */
function fillDefaults(pod: Pod, { spec }: LimitRange): void {
  const items = (spec?.limits ?? []).filter(({ type }) => type === "Container");
  const limits = Object.assign({}, ...items.map((item) => item.default ?? {}));
  const requests = Object.assign({}, ...items.map((item) => item.defaultRequest ?? {}));
  const given: string[] = [];
  const fill = (container: Container, what: string) => {
    container.resources ??= {};
    const { resources } = container;
    resources.limits ??= {};
    resources.requests ??= {};
    const limitsSet = fillMissing(resources.limits, limits);
    const requestsSet = fillMissing(resources.requests, requests);
    if (Object.keys(resources.limits).length === 0) delete resources.limits;
    if (Object.keys(resources.requests).length === 0) delete resources.requests;
    const name = container.name ?? "";
    if (requestsSet.length > 0) given.push(`${requestsSet.join(", ")} request for ${what} ${name}`);
    if (limitsSet.length > 0) given.push(`${limitsSet.join(", ")} limit for ${what} ${name}`);
  };
  for (const container of pod.spec?.containers ?? []) fill(container, "container");
  for (const container of pod.spec?.initContainers ?? []) fill(container, "init container");
  if (given.length === 0) return;
  pod.metadata ??= {};
  const annotation = `LimitRanger plugin set: ${given.join("; ")}`;
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: annotation };
}

function fillMissing(
  target: Record<string, string>,
  defaults: Readonly<Record<string, string>>,
): string[] {
  const missing = Object.keys(defaults).filter((name) => target[name] === undefined);
  for (const name of missing) target[name] = defaults[name] ?? "0";
  return missing.sort();
}

function podProblems(
  pod: DeepReadonly<Pod>,
  limits: readonly LimitRangeItem[],
  podLevel: boolean,
): string[] {
  const { spec } = pod;
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const options = { useStatus: false, overhead: false, podLevel };
  return limits.flatMap((item) => {
    if (item.type === "Container") {
      return containers.flatMap(({ resources }) =>
        itemProblems(item, resourceList(resources?.requests), resourceList(resources?.limits)),
      );
    }
    if (item.type !== "Pod") return [];
    const requests = podResources(pod, "requests", options);
    return itemProblems(item, requests, podResources(pod, "limits", options));
  });
}

function itemProblems(item: LimitRangeItem, requests: ResourceList, limits: ResourceList) {
  const type = item.type ?? "";
  return [
    ...eachOf(item.min, (name, least) => belowMin(type, name, least, requests, limits)),
    ...eachOf(item.max, (name, most) => aboveMax(type, name, most, requests, limits)),
    ...eachOf(item.maxLimitRequestRatio, (name, most) =>
      aboveRatio(type, name, most, requests, limits),
    ),
  ];
}

/** A claim's limits are not looked at: only what it requests counts. */
function claimProblems(
  { spec }: DeepReadonly<PersistentVolumeClaim>,
  limits: readonly LimitRangeItem[],
): string[] {
  const requests = resourceList(spec?.resources?.requests);
  return limits
    .filter(({ type }) => type === "PersistentVolumeClaim")
    .flatMap(({ type = "", min, max }) => [
      ...eachOf(min, (name, least) => belowMin(type, name, least, requests, new Map())),
      ...eachOf(max, (name, most) => {
        const subject = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
        const request = requests.get(name);
        if (request === undefined) return `${subject}.  No request is specified`;
        if (!exceeds(request, most)) return undefined;
        return `${subject}, but request is ${formatQuantity(request)}`;
      }),
    ]);
}

/** Go's map order is random; ours is by name, so that messages are the same every time. */
function eachOf(
  list: Readonly<Record<string, string>> | undefined,
  problem: (name: string, enforced: Quantity) => string | undefined,
): string[] {
  return Object.keys(list ?? {})
    .sort()
    .map((name) => problem(name, quantityFrom(list?.[name])))
    .filter((text) => text !== undefined);
}

/** Compared in thousandths where that fits, as upstream does: rounding up hides the rest. */
function exceeds(value: Quantity, bound: Quantity): boolean {
  if (quantityValue(value) > MILLI_VALUE_MAX || quantityValue(bound) > MILLI_VALUE_MAX) {
    return quantityValue(value) > quantityValue(bound);
  }
  return quantityMilliValue(value) > quantityMilliValue(bound);
}

function belowMin(
  type: string,
  name: string,
  least: Quantity,
  requests: ResourceList,
  limits: ResourceList,
): string | undefined {
  const subject = `minimum ${name} usage per ${type} is ${formatQuantity(least)}`;
  const request = requests.get(name);
  const limit = limits.get(name);
  if (request === undefined) return `${subject}.  No request is specified`;
  if (exceeds(least, request)) return `${subject}, but request is ${formatQuantity(request)}`;
  if (limit === undefined || !exceeds(least, limit)) return undefined;
  return `${subject}, but limit is ${formatQuantity(limit)}`;
}

function aboveMax(
  type: string,
  name: string,
  most: Quantity,
  requests: ResourceList,
  limits: ResourceList,
): string | undefined {
  const subject = `maximum ${name} usage per ${type} is ${formatQuantity(most)}`;
  const request = requests.get(name);
  const limit = limits.get(name);
  if (limit === undefined) return `${subject}.  No limit is specified`;
  if (exceeds(limit, most)) return `${subject}, but limit is ${formatQuantity(limit)}`;
  if (request === undefined || !exceeds(request, most)) return undefined;
  return `${subject}, but request is ${formatQuantity(request)}`;
}

const ZERO = parseQuantity("0");

function aboveRatio(
  type: string,
  name: string,
  most: Quantity,
  requests: ResourceList,
  limits: ResourceList,
): string | undefined {
  const subject = `${name} max limit to request ratio per ${type} is ${formatQuantity(most)}`;
  const request = requests.get(name) ?? ZERO;
  const limit = limits.get(name) ?? ZERO;
  if (compareQuantity(request, ZERO) === 0) {
    return `${subject}, but no request is specified or request is 0`;
  }
  if (compareQuantity(limit, ZERO) === 0) {
    return `${subject}, but no limit is specified or limit is 0`;
  }
  const fits = quantityValue(request) <= MILLI_VALUE_MAX && quantityValue(limit) <= MILLI_VALUE_MAX;
  const measure = fits ? quantityMilliValue : quantityValue;
  const ratio = Number(measure(limit)) / Number(measure(request));
  const isAbove =
    quantityValue(most) <= MILLI_VALUE_MAX
      ? ratio * 1000 > Number(quantityMilliValue(most))
      : ratio > Number(quantityValue(most));
  return isAbove ? `${subject}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}
