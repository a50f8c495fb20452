/** PodDisruptionBudgets. Upstream: pkg/apis/policy/validation/validation.go. */
import {
  type ErrorList,
  invalid,
  notSupported,
  Path,
} from "../../../../apimachinery/validation/field.ts";
import {
  labelSelectorHasInvalidLabelValue,
  validateConditions,
  validateLabelSelector,
} from "../../../../apimachinery/validation/labels.ts";
import {
  goStruct,
  validateNonnegatives,
  validateNotMoreThan100Percent,
  validatePositiveIntOrPercent,
} from "../../../validation/common.ts";
import type { PodDisruptionBudget } from "../types.ts";

const EVICTION_POLICIES = ["AlwaysAllow", "IfHealthyBudget"];

/** `old`: label values that are wrong in it already are not looked at. */
export function validatePodDisruptionBudget(
  { spec = {} }: PodDisruptionBudget,
  old?: PodDisruptionBudget,
): ErrorList {
  const at = Path.root("spec");
  const errors: ErrorList = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    const printed = goStruct(spec, "k8s.io/api/policy/v1.PodDisruptionBudgetSpec");
    errors.push(invalid(at, printed, "minAvailable and maxUnavailable cannot be both set"));
  }
  for (const member of ["minAvailable", "maxUnavailable"] as const) {
    const value = spec[member];
    if (value === undefined) continue;
    errors.push(...validatePositiveIntOrPercent(value, at.child(member)));
    errors.push(...validateNotMoreThan100Percent(value, at.child(member)));
  }
  const allowInvalidLabelValueInSelector = labelSelectorHasInvalidLabelValue(old?.spec?.selector);
  errors.push(
    ...validateLabelSelector(
      spec.selector,
      { allowInvalidLabelValueInSelector },
      at.child("selector"),
    ),
  );
  const policy = spec.unhealthyPodEvictionPolicy;
  if (policy !== undefined && !EVICTION_POLICIES.includes(policy)) {
    errors.push(notSupported(at.child("unhealthyPodEvictionPolicy"), policy, EVICTION_POLICIES));
  }
  return errors;
}

export function validatePodDisruptionBudgetStatusUpdate({ status }: PodDisruptionBudget) {
  const at = Path.root("status");
  const counters = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
  return [
    ...validateConditions(status?.conditions, at.child("conditions")),
    ...validateNonnegatives(status, counters, at),
  ];
}
