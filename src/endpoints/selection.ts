/** Which objects a list, watch or deletecollection is about. Upstream: handlers/get.go, conversion. */
import * as api from "../apimachinery/api/errors.ts";
import type { FieldRequirement, FieldSelector } from "../apimachinery/fields/selector.ts";
import { storedFieldPath, storedFieldValue } from "../registry/generic/field-labels.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import type { Scope } from "../storage/interfaces.ts";
import type { ListOptions } from "./options.ts";

const DEFAULT_LABELS = ["metadata.name", "metadata.namespace"];
/** Old names of labels, by resource. */
const ALIASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  pods: { "spec.host": "spec.nodeName", "status.podIPs": "status.podIPs" },
};

/** The scope of a request; throws 400 for a field label the version does not know. */
export function scopeOf(resource: ServedResource, options: ListOptions, namespace: string): Scope {
  const fields = checkedFields(resource, options.fieldSelector);
  const name = exact(fields, "metadata.name");
  const inNamespace = namespace !== "" ? namespace : exact(fields, "metadata.namespace");
  const isSingle = name !== undefined && (!resource.namespaced || inNamespace !== undefined);
  return {
    ...(inNamespace && resource.namespaced ? { namespace: inNamespace } : {}),
    ...(isSingle ? { name } : {}),
    ...(options.labelSelector === undefined ? {} : { labels: options.labelSelector }),
    ...(fields === undefined ? {} : { fields }),
  };
}

function exact(fields: FieldSelector | undefined, label: string): string | undefined {
  const found = fields?.requirements.find((one) => one.field === label && one.operator === "=");
  return found?.value;
}

function checkedFields(
  resource: ServedResource,
  selector: FieldSelector | undefined,
): FieldSelector | undefined {
  if (selector === undefined || selector.requirements.length === 0) return undefined;
  return { requirements: selector.requirements.map((one) => checked(resource, one)) };
}

function checked(resource: ServedResource, requirement: FieldRequirement): FieldRequirement {
  const { field } = requirement;
  const alias = ALIASES[resource.gvr.resource]?.[field];
  if (alias !== undefined) return { ...requirement, field: alias };
  if (resource.fieldLabels.includes(field)) return asStored(resource.gvr.resource, requirement);
  throw unknownLabel(resource, field);
}

function asStored(resource: string, requirement: FieldRequirement): FieldRequirement {
  const { field, value } = requirement;
  return {
    ...requirement,
    field: storedFieldPath(resource, field),
    value: storedFieldValue(resource, field, value),
  };
}

function unknownLabel(resource: ServedResource, field: string) {
  const labels = resource.fieldLabels;
  const isDefault =
    resource.custom === undefined &&
    labels.length === 2 &&
    DEFAULT_LABELS.every((one) => labels.includes(one));
  if (!isDefault) return api.badRequest(`field label not supported: ${field}`);
  return api.badRequest(
    `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}
