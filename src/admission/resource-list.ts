/**
 * Sums over lists of resources, and what a whole pod asks for.
 * Upstream: apiserver/pkg/quota/v1/resources.go, component-helpers/resource/helpers.go.
 */
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  type Quantity,
  quantitySign,
} from "../apimachinery/quantity.ts";
import type { Container, ContainerStatus, Pod } from "../apis/core/v1/types.ts";
import { quantityFrom } from "../apis/validation/common.ts";
import type { DeepReadonly } from "./plugin.ts";

export type ResourceList = ReadonlyMap<string, Quantity>;
type Texts = Readonly<Record<string, string>> | undefined;

/** The map behind an object's `requests`, `limits`, `hard` or `used`. */
export function resourceList(texts: Texts): ResourceList {
  return new Map(Object.entries(texts ?? {}).map(([name, text]) => [name, quantityFrom(text)]));
}

/** Back to the form that objects carry. */
export function resourceTexts(list: ResourceList): Record<string, string> {
  return Object.fromEntries([...list].map(([name, value]) => [name, formatQuantity(value)]));
}

/** a + b for every name in either. */
export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const sum = new Map(a);
  for (const [name, value] of b) {
    const own = sum.get(name);
    sum.set(name, own === undefined ? value : addQuantity(own, value));
  }
  return sum;
}

/** The greater value for every name in either. */
export function maxLists(a: ResourceList, b: ResourceList): ResourceList {
  const most = new Map(a);
  for (const [name, value] of b) {
    const own = most.get(name);
    if (own === undefined || compareQuantity(value, own) > 0) most.set(name, value);
  }
  return most;
}

/** The entries whose name is in `names`. */
export function maskList(list: ResourceList, names: Iterable<string>): ResourceList {
  const wanted = new Set(names);
  return new Map([...list].filter(([name]) => wanted.has(name)));
}

/** Whether both have the same names with equal values. */
export function equalLists(a: ResourceList, b: ResourceList): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, value]) => {
    const other = b.get(name);
    return other !== undefined && compareQuantity(value, other) === 0;
  });
}

/** `cpu=1,memory=2Gi`, sorted by name. */
export function printList(list: ResourceList): string {
  const lines = [...list].map(([name, value]) => `${name}=${formatQuantity(value)}`);
  return lines.sort().join(",");
}

export type Kind = "requests" | "limits";
export interface PodResourceOptions {
  /** Count what a resize has not given back yet: upstream's UseStatusResources. */
  readonly useStatus: boolean;
  /** Add the runtime's overhead. */
  readonly overhead: boolean;
  readonly podLevel: boolean;
}

const NOTHING: ResourceList = new Map();

/**
 * What a pod asks for: the containers together, or whatever an init container needs at its moment
 * when that is more; sidecars count for both. Pod-level values win over sums.
 */
export function podResources(
  pod: DeepReadonly<Pod>,
  kind: Kind,
  { useStatus, overhead, podLevel }: PodResourceOptions,
): ResourceList {
  const { spec } = pod;
  const statuses = useStatus ? statusesOf(pod) : new Map<string, ContainerStatus>();
  const isInfeasible = (pod.status?.conditions ?? []).some(
    ({ type, reason }) => type === "PodResizePending" && reason === "Infeasible",
  );
  const of = (container: DeepReadonly<Container>) =>
    containerResources(container, kind, statuses.get(container.name ?? ""), isInfeasible);
  let total = (spec?.containers ?? []).map(of).reduce(addLists, NOTHING);
  let sidecars = NOTHING;
  let start = NOTHING;
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === "Always") {
      const own = of(container);
      total = addLists(total, own);
      sidecars = addLists(sidecars, own);
      start = maxLists(start, sidecars);
    } else {
      start = maxLists(start, addLists(resourceList(container.resources?.[kind]), sidecars));
    }
  }
  total = maxLists(total, start);
  if (podLevel) {
    const own = resourceList(spec?.resources?.[kind]);
    total = new Map([...total, ...[...own].filter(([name]) => isPodLevelResource(name))]);
  }
  return overhead ? addOverhead(total, resourceList(spec?.overhead), kind) : total;
}

function statusesOf({ status }: DeepReadonly<Pod>): Map<string, ContainerStatus> {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  return new Map(all.map((one) => [one.name ?? "", one as ContainerStatus]));
}

function containerResources(
  { resources }: DeepReadonly<Container>,
  kind: Kind,
  status: ContainerStatus | undefined,
  isInfeasible: boolean,
): ResourceList {
  const asked = resourceList(resources?.[kind]);
  if (status?.resources === undefined) return asked;
  const actual = resourceList(status.resources[kind]);
  const granted = kind === "requests" ? resourceList(status.allocatedResources) : NOTHING;
  const held = maxLists(actual, granted);
  return isInfeasible ? held : maxLists(asked, held);
}

function addOverhead(total: ResourceList, overhead: ResourceList, kind: Kind): ResourceList {
  if (kind === "requests") return addLists(total, overhead);
  // Without a limit there is nothing that the overhead could raise.
  const raised = [...overhead].filter(([name]) => {
    const limit = total.get(name);
    return limit !== undefined && quantitySign(limit) !== 0;
  });
  return addLists(total, new Map(raised));
}

/** What pod-level resources may name. */
export function isPodLevelResource(name: string): boolean {
  return name === "cpu" || name === "memory" || name.startsWith("hugepages-");
}
