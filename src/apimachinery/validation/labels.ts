/**
 * Labels, label selectors and conditions of API objects.
 * Upstream: apimachinery/pkg/apis/meta/v1/validation/validation.go.
 */
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  type Path,
  required,
  tooLong,
} from "./field.ts";
import { byteLength, isQualifiedName, isValidLabelValue, regexError } from "./names.ts";

export interface LabelSelectorRequirementObject {
  key?: string | undefined;
  operator?: string | undefined;
  values?: string[] | undefined;
}
/** metav1.LabelSelector. */
export interface LabelSelectorObject {
  matchLabels?: Record<string, string> | undefined;
  matchExpressions?: LabelSelectorRequirementObject[] | undefined;
}

export interface LabelSelectorOptions {
  /** Values are not looked at: the stored object has bad ones already. */
  readonly allowInvalidLabelValueInSelector?: boolean;
  readonly allowUnknownOperatorInRequirement?: boolean;
}

/** A label key at `at`. */
export function validateLabelName(name: string, at: Path): ErrorList {
  return isQualifiedName(name).map((message) => invalid(at, name, message));
}

/** Keys and values; both kinds of error are at the map itself. */
export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  at: Path,
): ErrorList {
  if (labels === undefined) return [];
  const errors: ErrorList = [];
  for (const key in labels) {
    const value = labels[key] ?? "";
    errors.push(...validateLabelName(key, at));
    for (const message of isValidLabelValue(value)) errors.push(invalid(at, value, message));
  }
  return errors;
}

/** Whether a stored selector has values that today's rules refuse. */
export function labelSelectorHasInvalidLabelValue(selector: LabelSelectorObject | undefined) {
  return (selector?.matchExpressions ?? []).some((expression) =>
    (expression.values ?? []).some((value) => isValidLabelValue(value).length > 0),
  );
}

/** Upstream: ValidateLabelSelector. An absent selector has no errors. */
export function validateLabelSelector(
  selector: LabelSelectorObject | undefined,
  options: LabelSelectorOptions,
  at: Path,
): ErrorList {
  if (selector === undefined) return [];
  const errors = validateLabels(selector.matchLabels, at.child("matchLabels"));
  const list = at.child("matchExpressions");
  for (const [i, requirement] of (selector.matchExpressions ?? []).entries()) {
    errors.push(...validateLabelSelectorRequirement(requirement, options, list.index(i)));
  }
  return errors;
}

/** Upstream: ValidateLabelSelectorRequirement. */
export function validateLabelSelectorRequirement(
  { key = "", operator = "", values = [] }: LabelSelectorRequirementObject,
  options: LabelSelectorOptions,
  at: Path,
): ErrorList {
  const errors = validateSelectorOperator(
    operator,
    values,
    options.allowUnknownOperatorInRequirement ?? false,
    at,
  );
  errors.push(...validateLabelName(key, at.child("key")));
  if (options.allowInvalidLabelValueInSelector) return errors;
  for (const [i, value] of values.entries()) {
    for (const message of isValidLabelValue(value)) {
      errors.push(invalid(at.child("values").index(i), value, message));
    }
  }
  return errors;
}

function validateSelectorOperator(
  operator: string,
  values: readonly string[],
  allowUnknown: boolean,
  at: Path,
): ErrorList {
  switch (operator) {
    case "In":
    case "NotIn":
      if (values.length > 0) return [];
      return [required(at.child("values"), "must be specified when `operator` is 'In' or 'NotIn'")];
    case "Exists":
    case "DoesNotExist": {
      if (values.length === 0) return [];
      const detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
      return [forbidden(at.child("values"), detail)];
    }
    default:
      if (allowUnknown) return [];
      return [invalid(at.child("operator"), operator, "not a valid selector operator")];
  }
}

/** metav1.FieldSelectorRequirement, as authorization reviews have it. */
export function validateFieldSelectorRequirement(
  { key = "", operator = "", values = [] }: LabelSelectorRequirementObject,
  options: Pick<LabelSelectorOptions, "allowUnknownOperatorInRequirement">,
  at: Path,
): ErrorList {
  const errors: ErrorList = key === "" ? [required(at.child("key"), "must be specified")] : [];
  const allowUnknown = options.allowUnknownOperatorInRequirement ?? false;
  return [...errors, ...validateSelectorOperator(operator, values, allowUnknown, at)];
}

/** metav1.Condition. */
export interface ConditionObject {
  type?: string | undefined;
  status?: string | undefined;
  observedGeneration?: number | bigint | undefined;
  lastTransitionTime?: string | undefined;
  reason?: string | undefined;
  message?: string | undefined;
}

const REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const REASON_ERROR = regexError(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  REASON,
  "my_name",
  "MY_NAME",
  "MyName",
  "ReasonA,ReasonB",
  "ReasonA:ReasonB",
);
const reasonRegExp = new RegExp(`^${REASON}$`);
const REASON_MAX = 1024;
const MESSAGE_MAX = 32 * 1024;

/** Upstream: ValidateConditions. */
export function validateConditions(
  conditions: readonly ConditionObject[] | undefined,
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  const seen = new Set<string>();
  for (const [i, condition] of (conditions ?? []).entries()) {
    const type = condition.type ?? "";
    if (seen.has(type)) errors.push(duplicate(at.index(i).child("type"), type));
    seen.add(type);
    errors.push(...validateCondition(condition, at.index(i)));
  }
  return errors;
}

/** Upstream: ValidateCondition. */
export function validateCondition(condition: ConditionObject, at: Path): ErrorList {
  const { type = "", status = "", observedGeneration = 0, reason = "", message = "" } = condition;
  const errors = validateLabelName(type, at.child("type"));
  if (!["True", "False", "Unknown"].includes(status)) {
    errors.push(notSupported(at.child("status"), status, ["False", "True", "Unknown"]));
  }
  if (observedGeneration < 0) {
    const detail = "must be greater than or equal to zero";
    errors.push(invalid(at.child("observedGeneration"), observedGeneration, detail));
  }
  if (!condition.lastTransitionTime) errors.push(required(at.child("lastTransitionTime")));
  if (reason === "") errors.push(required(at.child("reason")));
  else {
    if (!reasonRegExp.test(reason)) errors.push(invalid(at.child("reason"), reason, REASON_ERROR));
    if (byteLength(reason) > REASON_MAX) errors.push(tooLong(at.child("reason"), REASON_MAX));
  }
  if (byteLength(message) > MESSAGE_MAX) errors.push(tooLong(at.child("message"), MESSAGE_MAX));
  return errors;
}
