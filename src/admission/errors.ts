/** How a plugin says no. Upstream: apiserver/pkg/admission/errors.go. */
import { forbidden, type StatusError } from "../apimachinery/api/errors.ts";
import type { Attributes, DeepReadonly } from "./plugin.ts";

/** 403 `pods "x" is forbidden: why`; an object whose name is not made yet is called Unknown. */
export function deny(attributes: DeepReadonly<Attributes>, why: string): StatusError {
  const { group, resource } = attributes.resource;
  const name = attributes.name || attributes.object.metadata?.name || "Unknown/errorGettingName";
  const generated = attributes.name === "" && attributes.object.metadata?.generateName;
  return forbidden({ group, resource }, generated ? "Unknown" : name, why);
}

/** True for the resource itself, not a subresource of it. */
export function isResource(
  { resource, subresource }: DeepReadonly<Attributes>,
  group: string,
  plural: string,
): boolean {
  return resource.resource === plural && resource.group === group && subresource === "";
}
