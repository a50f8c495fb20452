/**
 * What objects of a resource cost a quota. Upstream: apiserver/pkg/quota/v1/interfaces.go and
 * generic/evaluator.go.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { parseQuantity } from "../../apimachinery/quantity.ts";
import { type GroupResource, qualifiedResource } from "../../apimachinery/runtime/gvk.ts";
import type { Attributes, DeepReadonly } from "../plugin.ts";
import type { ResourceList } from "../resource-list.ts";
import type { ScopeRequirement } from "./scopes.ts";

type Object = DeepReadonly<KubeObject>;

export interface QuotaEvaluator {
  /** Whether the operation can cost anything. */
  handles(attributes: DeepReadonly<Attributes>): boolean;
  /** Whether a quota's resource of this name counts these objects. */
  tracks(resourceName: string): boolean;
  usage(object: Object): ResourceList;
  inScope(object: Object, scope: ScopeRequirement): boolean;
  /** Why the object may not even be counted: `must specify limits.cpu for: c1`. */
  problem?(object: Object, required: readonly string[]): string | undefined;
  /** Scopes of the limited-resources configuration apply. */
  readonly hasScopes: boolean;
}

export const ONE = parseQuantity("1");

/** `count/deployments.apps`, or `count/pods` for the core group. */
export function countName(of: GroupResource): string {
  return `count/${qualifiedResource(of)}`;
}

/** Counts objects, under `count/…` and, for a few old kinds, under the bare name too. */
export function objectCount(of: GroupResource): QuotaEvaluator {
  const names = [countName(of)];
  if (of.group === "" && ALIASED.has(of.resource)) names.push(of.resource);
  return {
    hasScopes: false,
    handles: ({ operation, subresource }) => operation === "CREATE" && subresource === "",
    tracks: (name) => names.includes(name),
    usage: () => new Map(names.map((name) => [name, ONE])),
    inScope: () => false,
  };
}

const ALIASED = new Set(["configmaps", "resourcequotas", "replicationcontrollers", "secrets"]);
