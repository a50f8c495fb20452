/** Selectors of a review's resourceAttributes. Upstream: pkg/registry/authorization/util/helpers.go. */

import type { FieldSelector } from "../../apimachinery/fields/selector.ts";
import { type FieldRequirement, parseFieldSelector } from "../../apimachinery/fields/selector.ts";
import { parseLabelSelector } from "../../apimachinery/labels/parse.ts";
import {
  type LabelRequirement,
  type LabelSelector,
  newRequirement,
} from "../../apimachinery/labels/selector.ts";
import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  ResourceAttributes,
} from "../../apis/authorization/v1/types.ts";

/**
 * What can be read of them. A requirement that can not only widens what is asked about, which an
 * authorizer never takes for less; `problems` tells the client.
 */
export function selectorsOf(
  { fieldSelector, labelSelector }: ResourceAttributes,
  problems: string[],
): { readonly fieldSelector?: FieldSelector; readonly labelSelector?: LabelSelector } {
  const fields = fieldSelector === undefined ? undefined : fieldsOf(fieldSelector, problems);
  const labels = labelSelector === undefined ? undefined : labelsOf(labelSelector, problems);
  return {
    ...(fields === undefined ? {} : { fieldSelector: fields }),
    ...(labels === undefined ? {} : { labelSelector: labels }),
  };
}

const ignored = (which: string, partially: boolean) =>
  `spec.resourceAttributes.${which} ${partially ? "partially " : ""}ignored due to parse error`;

function fieldsOf(
  { rawSelector = "", requirements = [] }: FieldSelectorAttributes,
  problems: string[],
): FieldSelector | undefined {
  if (rawSelector !== "") {
    return parsed(() => parseFieldSelector(rawSelector), "fieldSelector", problems);
  }
  const known: FieldRequirement[] = [];
  for (const { key: field = "", operator, values = [] } of requirements) {
    const [value] = values;
    if (value === undefined || values.length > 1) continue;
    if (operator === "In") known.push({ field, operator: "=", value });
    else if (operator === "NotIn") known.push({ field, operator: "!=", value });
  }
  if (known.length < requirements.length) {
    problems.push(ignored("fieldSelector", known.length > 0));
  }
  return known.length === 0 ? undefined : { requirements: known };
}

function labelsOf(
  { rawSelector = "", requirements = [] }: LabelSelectorAttributes,
  problems: string[],
): LabelSelector | undefined {
  if (rawSelector !== "") {
    return parsed(() => parseLabelSelector(rawSelector), "labelSelector", problems);
  }
  const known: LabelRequirement[] = [];
  for (const { key = "", operator = "", values = [] } of requirements) {
    const requirement = parsed(() => requirementOf(key, operator, values), "", []);
    if (requirement !== undefined) known.push(requirement);
  }
  if (known.length < requirements.length) {
    problems.push(ignored("labelSelector", known.length > 0));
  }
  return known.length === 0 ? undefined : { requirements: known };
}

function requirementOf(key: string, operator: string, values: readonly string[]) {
  switch (operator) {
    case "In":
    case "NotIn":
    case "Exists":
    case "DoesNotExist":
      return newRequirement(key, operator, values);
    default:
      return undefined;
  }
}

function parsed<T>(parse: () => T, which: string, problems: string[]): T | undefined {
  try {
    return parse();
  } catch {
    problems.push(ignored(which, false));
    return undefined;
  }
}
