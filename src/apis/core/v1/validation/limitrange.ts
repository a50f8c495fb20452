/** LimitRanges. Upstream: ValidateLimitRange. */
import {
  compareQuantity,
  quantityMilliValue,
  quantityOf,
  quantityValue,
} from "../../../../apimachinery/quantity.ts";
import {
  duplicate,
  type ErrorList,
  forbidden,
  invalid,
  Path,
  required,
} from "../../../../apimachinery/validation/field.ts";
import { isQualifiedName } from "../../../../apimachinery/validation/names.ts";
import { compareQuantityTexts, quantityFrom } from "../../../validation/common.ts";
import type { LimitRange, LimitRangeItem } from "../types.ts";
import { isOvercommitAllowed } from "./resource-names.ts";
import { validateContainerResourceName, validateResourceName } from "./resources.ts";

const STANDARD_TYPES = ["Pod", "Container", "PersistentVolumeClaim"];
/** Upstream's resource.MaxMilliValue: above it thousandths do not fit an int64. */
const MAX_MILLI_VALUE = (2n ** 63n - 1n) / 1000n;

export function validateLimitRange({ spec }: LimitRange): ErrorList {
  const errors: ErrorList = [];
  const types = new Set<string>();
  for (const [i, item] of (spec?.limits ?? []).entries()) {
    const at = Path.root("spec", "limits").index(i);
    const type = item.type ?? "";
    errors.push(...validateType(type, at.child("type")));
    if (types.has(type)) errors.push(duplicate(at.child("type"), type));
    types.add(type);
    errors.push(...validateItem(item, type, at));
  }
  return errors;
}

function validateType(type: string, at: Path): ErrorList {
  const errors = isQualifiedName(type).map((message) => invalid(at, type, message));
  if (errors.length > 0 || type.includes("/") || STANDARD_TYPES.includes(type)) return errors;
  return [invalid(at, type, "must be a standard limit type or fully qualified")];
}

const MEMBERS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"] as const;

function validateItem(item: LimitRangeItem, type: string, at: Path): ErrorList {
  const errors: ErrorList = [];
  const validateName =
    type === "Pod" || type === "Container" ? validateContainerResourceName : validateResourceName;
  const names = new Set<string>();
  for (const member of MEMBERS) {
    if (member === "maxLimitRequestRatio" && type === "PersistentVolumeClaim") {
      if (item.min?.["storage"] === undefined && item.max?.["storage"] === undefined) {
        const detail =
          "either minimum or maximum storage value is required, but neither was provided";
        errors.push(required(at.child("limits"), detail));
      }
    }
    const values = item[member] ?? {};
    if (type === "Pod" && (member === "default" || member === "defaultRequest")) {
      if (Object.keys(values).length > 0) {
        errors.push(forbidden(at.child(member), "may not be specified when `type` is 'Pod'"));
      }
      continue;
    }
    for (const name in values) {
      errors.push(...validateName(name, at.child(member).key(name)));
      names.add(name);
    }
  }
  const known = type === "Pod" ? { ...item, default: {}, defaultRequest: {} } : item;
  for (const name of names) errors.push(...validateOrder(known, name, at));
  return errors;
}

/** min <= defaultRequest <= default <= max, for one resource. */
function validateOrder(item: LimitRangeItem, name: string, at: Path): ErrorList {
  const errors: ErrorList = [];
  const min = item.min?.[name];
  const max = item.max?.[name];
  const limit = item.default?.[name];
  const request = item.defaultRequest?.[name];
  const greater = (a: string | undefined, b: string | undefined): boolean =>
    a !== undefined && b !== undefined && compareQuantityTexts(a, b) > 0;
  const say = (member: string, value: string | undefined, detail: string) =>
    errors.push(invalid(at.child(member).key(name), value, detail));

  if (greater(min, max)) say("min", min, `min value ${min} is greater than max value ${max}`);
  if (greater(min, request)) {
    say(
      "defaultRequest",
      request,
      `min value ${min} is greater than default request value ${request}`,
    );
  }
  if (greater(request, max)) {
    say(
      "defaultRequest",
      request,
      `default request value ${request} is greater than max value ${max}`,
    );
  }
  if (greater(request, limit)) {
    const detail = `default request value ${request} is greater than default limit value ${limit}`;
    say("defaultRequest", request, detail);
  }
  if (greater(min, limit)) {
    say("default", min, `min value ${min} is greater than default value ${limit}`);
  }
  if (greater(limit, max)) {
    say("default", max, `default value ${limit} is greater than max value ${max}`);
  }
  errors.push(...validateRatio(item, name, at.child("maxLimitRequestRatio").key(name)));
  const bothSet = limit !== undefined && request !== undefined;
  if (!isOvercommitAllowed(name) && bothSet && compareQuantityTexts(limit, request) !== 0) {
    const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
    say("defaultRequest", request, detail);
  }
  return errors;
}

function validateRatio(item: LimitRangeItem, name: string, at: Path): ErrorList {
  const errors: ErrorList = [];
  const text = item.maxLimitRequestRatio?.[name];
  if (text === undefined) return errors;
  const ratio = quantityFrom(text);
  if (compareQuantity(ratio, quantityOf(1)) < 0) {
    errors.push(invalid(at, text, `ratio ${text} is less than 1`));
  }
  const [min, max] = [item.min?.[name], item.max?.[name]];
  if (min === undefined || max === undefined) return errors;
  const all = [ratio, quantityFrom(min), quantityFrom(max)];
  const small = all.every((quantity) => quantityValue(quantity) < MAX_MILLI_VALUE);
  const [a, b, c] = all.map((q) => Number(small ? quantityMilliValue(q) : quantityValue(q)));
  const limit = (c ?? 0) / (b ?? 0);
  if ((a ?? 0) / (small ? 1000 : 1) > limit) {
    const printed = Number.isFinite(limit) ? limit.toFixed(6) : limit > 0 ? "+Inf" : "NaN";
    errors.push(invalid(at, text, `ratio ${text} is greater than max/min = ${printed}`));
  }
  return errors;
}
