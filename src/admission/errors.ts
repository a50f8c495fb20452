/** How a plugin says no. Upstream: apiserver/pkg/admission/errors.go. */
import { isDeepStrictEqual } from "node:util";
import { forbidden, type StatusError } from "../apimachinery/api/errors.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { Attributes, DeepReadonly } from "./plugin.ts";

/**
 * 403 `pods "x" is forbidden: why`. Before the name is made, an object goes by its generateName;
 * without either it is called Unknown.
 */
export function deny(attributes: DeepReadonly<Attributes>, why: string): StatusError {
  const { group, resource } = attributes.resource;
  return forbidden({ group, resource }, nameOf(attributes), why);
}

function nameOf({ name, object }: DeepReadonly<Attributes>): string {
  if (name !== "") return name;
  return object.metadata?.name || object.metadata?.generateName || "Unknown";
}

/** Upstream's Aggregate.Error(): one text alone, several distinct ones in brackets. */
export function aggregateTexts(texts: readonly string[]): string {
  const distinct = [...new Set(texts)];
  return distinct.length === 1 ? (distinct[0] ?? "") : `[${distinct.join(", ")}]`;
}

/** True for the resource itself, not a subresource of it. */
export function isResource(
  { resource, subresource }: DeepReadonly<Attributes>,
  group: string,
  plural: string,
): boolean {
  return resource.resource === plural && resource.group === group && subresource === "";
}

/**
 * Whether an update touches nothing but what the garbage collector writes.
 * Upstream: pkg/registry/rbac IsOnlyMutatingGCFields.
 */
export function onlyCollectorFieldsChange(
  object: DeepReadonly<KubeObject>,
  old: DeepReadonly<KubeObject> | undefined,
): boolean {
  if (old === undefined) return false;
  const without = ({ metadata, ...rest }: DeepReadonly<KubeObject>) => {
    const { ownerReferences, finalizers, managedFields, resourceVersion, ...kept } = metadata ?? {};
    return { ...rest, metadata: kept };
  };
  return isDeepStrictEqual(without(object), without(old));
}
