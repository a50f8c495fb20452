/**
 * Whether one request fits the quotas of its namespace, and what they would have used after it.
 * Upstream: apiserver/pkg/admission/plugin/resourcequota/controller.go, CheckRequest.
 */
import { unknownError } from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import {
  compareQuantity,
  type Quantity,
  quantityOf,
  quantitySign,
  subtractQuantity,
} from "../../apimachinery/quantity.ts";
import type { ResourceQuota } from "../../apis/core/v1/types.ts";
import { deny } from "../errors.ts";
import type { Attributes, DeepReadonly } from "../plugin.ts";
import {
  addLists,
  maskList,
  printList,
  type ResourceList,
  resourceList,
} from "../resource-list.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { type ScopeRequirement, scopesOf } from "./scopes.ts";

/** One entry of ResourceQuotaConfiguration: what may only be used where a quota covers it. */
export interface LimitedResource {
  readonly apiGroup?: string;
  readonly resource: string;
  readonly matchContains?: readonly string[];
  readonly matchScopes?: readonly ScopeRequirement[];
}

/** A quota while requests are being charged to it. */
export interface RunningQuota {
  readonly quota: ResourceQuota;
  readonly hard: ResourceList;
  readonly used: ResourceList;
}

/** The quota as it is stored. */
export function runningQuota(quota: ResourceQuota): RunningQuota {
  const { hard, used } = quota.status ?? {};
  return { quota, hard: resourceList(hard), used: resourceList(used) };
}

type Request = DeepReadonly<Attributes>;
type Object = DeepReadonly<KubeObject>;

const nameOf = ({ quota }: RunningQuota) => quota.metadata?.name ?? "";

/**
 * The quotas after the request; those it costs nothing are the same values. Throws the refusal.
 * `limited` is the configuration's, for every resource.
 */
export function checkRequest(
  quotas: readonly RunningQuota[],
  attributes: Request,
  evaluator: QuotaEvaluator,
  limited: readonly LimitedResource[],
): readonly RunningQuota[] {
  const { object } = attributes;
  const matching = quotas.filter((one) => matches(one, object, evaluator));
  for (const one of matching) checkMatching(one, attributes, evaluator);
  const usage = evaluator.usage(object);
  const negative = [...usage].filter(([, value]) => quantitySign(value) < 0).map(([name]) => name);
  if (negative.length > 0) {
    const names = negative.sort().join(",");
    throw deny(attributes, `quota usage is negative for resource(s): ${names}`);
  }
  const costOf = (one: RunningQuota | undefined) => cost(one, attributes, evaluator, usage);
  const costs = new Map(matching.map((one) => [one, costOf(one)]));
  const isFree =
    matching.length > 0
      ? [...costs.values()].every(({ size }) => size === 0)
      : costOf(undefined).size === 0;
  if (isFree) return quotas;
  checkCovered(attributes, evaluator, limited, usage, matching, quotas);
  return quotas.map((one) => {
    const own = costs.get(one);
    return own === undefined || own.size === 0 ? one : charge(one, own, attributes);
  });
}

function matches(
  { quota, hard }: RunningQuota,
  object: Object,
  evaluator: QuotaEvaluator,
): boolean {
  if (![...hard.keys()].some((name) => evaluator.tracks(name))) return false;
  return scopesOf(quota).every((scope) => evaluator.inScope(object, scope));
}

/** The quota counts what the object must say, and its controller has counted before. */
function checkMatching(one: RunningQuota, attributes: Request, evaluator: QuotaEvaluator): void {
  const tracked = [...one.hard.keys()].filter((name) => evaluator.tracks(name));
  const problem = evaluator.problem?.(attributes.object, tracked);
  if (problem !== undefined) throw deny(attributes, `failed quota: ${nameOf(one)}: ${problem}`);
  if (tracked.every((name) => one.used.has(name))) return;
  const names = [...tracked].sort().join(",");
  throw deny(attributes, `status unknown for quota: ${nameOf(one)}, resources: ${names}`);
}

/** What the request adds: an update of an object that was in the quota costs its growth only. */
function cost(
  one: RunningQuota | undefined,
  attributes: Request,
  evaluator: QuotaEvaluator,
  usage: ResourceList,
): ResourceList {
  const { operation, oldObject } = attributes;
  if (operation !== "UPDATE") return withoutZeros(usage);
  if (oldObject === undefined) {
    throw deny(
      attributes,
      "unable to get previous usage since prior version of object was not found",
    );
  }
  const isStored = Boolean(oldObject.metadata?.resourceVersion);
  const wasCounted = one === undefined || matches(one, oldObject, evaluator);
  const before = isStored && wasCounted ? evaluator.usage(oldObject) : new Map<string, Quantity>();
  return withoutZeros(growth(usage, before));
}

function growth(after: ResourceList, before: ResourceList): ResourceList {
  const grown = [...after].map(([name, value]): [string, Quantity] => {
    const old = before.get(name);
    if (old === undefined) return [name, value];
    const delta = subtractQuantity(value, old);
    return [name, quantitySign(delta) > 0 ? delta : quantityOf(0)];
  });
  return new Map(grown);
}

function withoutZeros(list: ResourceList): ResourceList {
  return new Map([...list].filter(([, value]) => quantitySign(value) !== 0));
}

/** What the configuration limits by default needs a quota that counts it. */
function checkCovered(
  attributes: Request,
  evaluator: QuotaEvaluator,
  limited: readonly LimitedResource[],
  usage: ResourceList,
  matching: readonly RunningQuota[],
  quotas: readonly RunningQuota[],
): void {
  if (limited.length === 0) return;
  const { group, resource } = attributes.resource;
  const own = limited.filter((one) => one.resource === resource && (one.apiGroup ?? "") === group);
  const needed = [...usage]
    .filter(([, value]) => quantitySign(value) > 0)
    .map(([name]) => name)
    .filter((name) => own.some((one) => one.matchContains?.some((part) => name.includes(part))));
  const counted = new Set(
    matching.flatMap(({ hard }) => [...hard.keys()]).filter(evaluator.tracks),
  );
  const uncovered = needed.filter((name) => !counted.has(name)).sort();
  if (uncovered.length > 0) {
    throw deny(attributes, `insufficient quota to consume: ${uncovered.join(",")}`);
  }
  if (!evaluator.hasScopes) return;
  const inScope = (scope: ScopeRequirement) => evaluator.inScope(attributes.object, scope);
  const scopes = limited.flatMap((one) => one.matchScopes ?? []).filter(inScope);
  const covering = quotas.flatMap(({ quota }) => scopesOf(quota)).filter(inScope);
  const names = new Set(covering.map(({ scopeName }) => scopeName));
  const open = scopes.filter(({ scopeName }) => !names.has(scopeName));
  if (open.length === 0) return;
  const printed = open.map(
    ({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(" ")}]}`,
  );
  throw unknownError(`insufficient quota to match these scopes: [${printed.join(" ")}]`);
}

function charge(one: RunningQuota, own: ResourceList, attributes: Request): RunningQuota {
  const requested = maskList(own, one.hard.keys());
  const used = addLists(one.used, requested);
  const exceeded = [...requested.keys()].filter((name) => {
    const most = one.hard.get(name);
    const after = used.get(name);
    return most !== undefined && after !== undefined && compareQuantity(after, most) > 0;
  });
  // A status only tells what has happened already: refusing it would change nothing.
  if (exceeded.length > 0 && attributes.subresource !== "status") {
    const print = (list: ResourceList) => printList(maskList(list, exceeded));
    throw deny(
      attributes,
      `exceeded quota: ${nameOf(one)}, requested: ${print(requested)}, used: ${print(one.used)}, limited: ${print(one.hard)}`,
    );
  }
  return { ...one, used };
}
