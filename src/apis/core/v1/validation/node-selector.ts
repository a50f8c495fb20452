/** Node selectors. Upstream: ValidateNodeSelector; pkg/api/node/util.go for warnings. */
import {
  type ErrorList,
  forbidden,
  invalid,
  type Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { validateLabelName } from "../../../../apimachinery/validation/labels.ts";
import {
  isDNS1123Subdomain,
  isValidLabelValue,
} from "../../../../apimachinery/validation/names.ts";
import { invalidEach } from "../../../validation/common.ts";
import type { NodeSelector, NodeSelectorRequirement, NodeSelectorTerm } from "../types.ts";

/** `allowInvalidValues`: the stored object has bad label values already. */
export function validateNodeSelector(
  { nodeSelectorTerms = [] }: NodeSelector,
  allowInvalidValues: boolean,
  at: Path,
): ErrorList {
  const terms = at.child("nodeSelectorTerms");
  if (nodeSelectorTerms.length === 0) {
    return [required(terms, "must have at least one node selector term")];
  }
  return nodeSelectorTerms.flatMap((term, i) =>
    validateNodeSelectorTerm(term, allowInvalidValues, terms.index(i)),
  );
}

export function validateNodeSelectorTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  allowInvalidValues: boolean,
  at: Path,
): ErrorList {
  return [
    ...matchExpressions.flatMap((requirement, i) =>
      validateExpression(requirement, allowInvalidValues, at.child("matchExpressions").index(i)),
    ),
    ...matchFields.flatMap((requirement, i) =>
      validateField(requirement, at.child("matchFields").index(i)),
    ),
  ];
}

function validateExpression(
  { key = "", operator = "", values = [] }: NodeSelectorRequirement,
  allowInvalidValues: boolean,
  at: Path,
): ErrorList {
  const errors = validateCount(operator, values, at);
  if (!allowInvalidValues) {
    for (const [i, value] of values.entries()) {
      errors.push(...invalidEach(at.child("values").index(i), value, isValidLabelValue(value)));
    }
  }
  return [...errors, ...validateLabelName(key, at.child("key"))];
}

function validateCount(operator: string, values: readonly string[], at: Path): ErrorList {
  switch (operator) {
    case "In":
    case "NotIn": {
      if (values.length > 0) return [];
      const detail = "must be specified when `operator` is 'In' or 'NotIn'";
      return [required(at.child("values"), detail)];
    }
    case "Exists":
    case "DoesNotExist": {
      if (values.length === 0) return [];
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return [forbidden(at.child("values"), detail)];
    }
    case "Gt":
    case "Lt": {
      if (values.length === 1) return [];
      const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      return [required(at.child("values"), detail)];
    }
    default:
      return [invalid(at.child("operator"), operator, "not a valid selector operator")];
  }
}

/** metadata.name is the only field that selectors know. */
function validateField(
  { key = "", operator = "", values = [] }: NodeSelectorRequirement,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  if (operator !== "In" && operator !== "NotIn") {
    errors.push(invalid(at.child("operator"), operator, "not a valid selector operator"));
  } else if (values.length !== 1) {
    const detail =
      "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
    errors.push(required(at.child("values"), detail));
  }
  if (key !== "metadata.name") {
    return [...errors, invalid(at.child("key"), key, "not a valid field selector key")];
  }
  for (const [i, value] of values.entries()) {
    errors.push(...invalidEach(at.child("values").index(i), value, isDNS1123Subdomain(value)));
  }
  return errors;
}

/** Labels of nodes that have a stable successor, and what to say of each. */
export const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region":
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone":
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type":
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
};

/** Upstream: GetWarningsForNodeSelectorTerm. */
export function warningsForNodeSelectorTerm(
  { matchExpressions = [] }: NodeSelectorTerm,
  at: Path,
): string[] {
  return matchExpressions.flatMap(({ key = "" }, i) => {
    const message = Object.hasOwn(deprecatedNodeLabels, key)
      ? deprecatedNodeLabels[key]
      : undefined;
    if (message === undefined) return [];
    return [`${at.child("matchExpressions").index(i).child("key")}: ${key} is ${message}`];
  });
}
