/** Shares of a device's capacity. Upstream: pkg/apis/resource/validation/validation.go. */
import {
  addQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  quantityValue,
} from "../../../apimachinery/quantity.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  type Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import type { CapacityRequestPolicy, CapacityRequestPolicyRange } from "./types.ts";
import { validateItemSet } from "./validation-names.ts";

const MAX_OPTIONS = 10;

function compare(a: string, b: string): number {
  return compareQuantity(parseQuantity(a), parseQuantity(b));
}

/** At most one of a list and a range of valid amounts, with a default that fits. */
export function validateRequestPolicy(
  capacity: string,
  policy: CapacityRequestPolicy,
  at: Path,
): ErrorList {
  const { validValues = [], validRange: range, default: given } = policy;
  if (validValues.length > 0 && range !== undefined) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [forbidden(at, detail)];
  }
  const named = validValues.length > 0 ? "validValues" : "validRange";
  if (validValues.length === 0 && range === undefined) return [];
  if (given === undefined) {
    return [required(at.child("default"), `required when ${named} is defined`)];
  }
  if (range !== undefined) return validateRange(given, capacity, range, at.child(named));
  return validateValues(given, capacity, validValues, at.child(named));
}

function validateValues(
  given: string,
  capacity: string,
  values: readonly string[],
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  for (const [i, value] of values.entries()) {
    const next = values[i + 1];
    if (next === undefined || compare(value, next) <= 0) continue;
    errors.push(invalid(at.index(i + 1), next, "values must be sorted in ascending order"));
  }
  const items = validateItemSet(
    values,
    MAX_OPTIONS,
    (value, path) => {
      if (compare(value, capacity) <= 0) return [];
      return [invalid(path, value, `option is larger than capacity value: ${capacity}`)];
    },
    (value) => String(quantityValue(parseQuantity(value))),
    at,
  );
  errors.push(...items);
  const looked = values.length <= MAX_OPTIONS;
  if (looked && values.some((value) => compare(value, given) === 0)) return errors;
  const detail = "default value is not valid according to the requestPolicy";
  return [...errors, invalid(at, given, detail)];
}

function validateRange(
  given: string,
  capacity: string,
  { min, max, step }: CapacityRequestPolicyRange,
  at: Path,
): ErrorList {
  if (min === undefined) return [required(at.child("min"), "required when validRange is defined")];
  const errors: ErrorList = [];
  const check = (wrong: boolean, name: string, value: string, detail: string) => {
    if (wrong) errors.push(invalid(at.child(name), value, detail));
  };
  const larger = (what: string) => `${what} is larger than capacity value: ${capacity}`;
  check(compare(min, capacity) > 0, "min", min, larger("min"));
  check(compare(given, min) < 0, "min", given, `default is less than min: ${min}`);
  if (max !== undefined) {
    check(compare(min, max) > 0, "max", min, `min is larger than max: ${max}`);
    check(compare(max, capacity) > 0, "max", max, larger("max"));
    check(compare(given, max) > 0, "max", given, `default is more than max: ${max}`);
  }
  if (step === undefined) return errors;
  const added = formatQuantity(addQuantity(parseQuantity(min), parseQuantity(step)));
  check(compare(added, capacity) > 0, "step", step, larger(`one step ${added}`));
  const value = (text: string) => quantityValue(parseQuantity(text));
  const size = value(step);
  const lead = `value is not a multiple of a given step (${step}) from (${min})`;
  for (const one of max === undefined ? [given] : [given, max]) {
    check(size === 0n || (value(one) - value(min)) % size !== 0n, "step", one, lead);
  }
  return errors;
}
