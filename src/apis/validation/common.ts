/**
 * Small rules that several API groups share, as field errors.
 * Upstream: pkg/apis/core/validation and pkg/apis/apps/validation.
 */
import {
  compareQuantity,
  parseQuantity,
  type Quantity,
  quantitySign,
} from "../../apimachinery/quantity.ts";
import {
  type ErrorList,
  invalid,
  type Path,
  PrintedValue,
} from "../../apimachinery/validation/field.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isQualifiedName,
  isValidPercent,
  isValidPortName,
  isValidPortNum,
} from "../../apimachinery/validation/names.ts";
import {
  IS_NEGATIVE_ERROR,
  validateImmutableField,
  validateNonnegative,
} from "../../apimachinery/validation/object-meta.ts";
import { goInternalJson } from "./go-internal.ts";

/** One Invalid for each problem a format finds. */
export function invalidEach(at: Path, value: unknown, problems: readonly string[]): ErrorList {
  return problems.map((problem) => invalid(at, value, problem));
}

/** A DNS label at `at`. */
export function validateDNS1123Label(value: string, at: Path): ErrorList {
  return invalidEach(at, value, isDNS1123Label(value));
}
/** A DNS subdomain at `at`. */
export function validateDNS1123Subdomain(value: string, at: Path): ErrorList {
  return invalidEach(at, value, isDNS1123Subdomain(value));
}
/** A DNS subdomain at `at`, underscores allowed. */
export function validateDNS1123SubdomainWithUnderscore(value: string, at: Path): ErrorList {
  return invalidEach(at, value, isDNS1123SubdomainWithUnderscore(value));
}
/** A qualified name at `at`. */
export function validateQualifiedName(value: string, at: Path): ErrorList {
  return invalidEach(at, value, isQualifiedName(value));
}

/** A struct as upstream prints it in a message: JSON under the Go names of its internal type. */
export function goStruct(value: unknown, goName: string): PrintedValue {
  return new PrintedValue(goInternalJson(value, goName));
}

/** A label selector as upstream prints it: without its empty parts. */
export function goSelector(selector: unknown): unknown {
  return selector && goStruct(selector, "k8s.io/apimachinery/pkg/apis/meta/v1.LabelSelector");
}

/** validateImmutableField of a label selector. */
export function validateImmutableSelector(selector: unknown, old: unknown, at: Path): ErrorList {
  return validateImmutableField(selector, old, at, () => goSelector(selector));
}

/** A map as upstream prints it: sorted keys, `null` when absent. */
export function goMap(map: Readonly<Record<string, unknown>> | undefined): unknown {
  if (map === undefined) return undefined;
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A port's number or name. */
export function validatePortNumOrName(port: number | string | undefined, at: Path): ErrorList {
  const value = port ?? 0;
  const problems = typeof value === "string" ? isValidPortName(value) : isValidPortNum(value);
  return invalidEach(at, value, problems);
}

/** A number above zero. */
export function validatePositive(value: number | bigint, at: Path): ErrorList {
  return value > 0 ? [] : [invalid(at, value, "must be greater than zero")];
}

/** Several counters at once: none may be negative; absent ones are zero. */
export function validateNonnegatives(
  object: object | undefined,
  names: readonly string[],
  at: Path,
): ErrorList {
  const values = (object ?? {}) as Readonly<Record<string, number | undefined>>;
  return names.flatMap((name) => validateNonnegative(values[name], at.child(name)));
}

/** A counter that is lower than it was, or gone. */
export function isDecremented(value: number | undefined, old: number | undefined): boolean {
  if (old === undefined) return false;
  return value === undefined || value < old;
}

/** status.collisionCount may not decrease. */
export function validateCollisionCount(
  value: number | undefined,
  old: number | undefined,
  at: Path,
): ErrorList {
  if (!isDecremented(value, old)) return [];
  return [invalid(at.child("collisionCount"), value ?? 0, "cannot be decremented")];
}

type IntOrString = number | string;

/** An integer or a percentage, not negative. */
export function validatePositiveIntOrPercent(value: IntOrString | undefined, at: Path): ErrorList {
  if (typeof value === "string") return invalidEach(at, value, isValidPercent(value));
  return validateNonnegative(value ?? 0, at);
}

function percentOf(value: IntOrString | undefined): number | undefined {
  if (typeof value !== "string" || isValidPercent(value).length > 0) return undefined;
  return Number(value.slice(0, -1));
}

/** The number in front of the percent sign, or the integer; 0 for any other text. */
export function intOrPercentNumber(value: IntOrString | undefined): number {
  if (typeof value !== "string") return value ?? 0;
  return percentOf(value) ?? (/^[+-]?\d+$/.test(value) ? Number(value) : 0);
}

/** A percentage may not exceed 100; integers may. */
export function validateNotMoreThan100Percent(value: IntOrString | undefined, at: Path): ErrorList {
  if ((percentOf(value) ?? 0) <= 100) return [];
  return [invalid(at, value, "must not be greater than 100%")];
}

/** The quantity of a decoded text; decoding has checked it, so bad text is zero. */
export function quantityFrom(text: string | undefined): Quantity {
  if (text === undefined) return parseQuantity("0");
  try {
    return parseQuantity(text);
  } catch {
    return parseQuantity("0");
  }
}

/** -1, 0 or 1 as `a` is less than, equal to or greater than `b`. */
export function compareQuantityTexts(a: string | undefined, b: string | undefined): -1 | 0 | 1 {
  return compareQuantity(quantityFrom(a), quantityFrom(b));
}

/** A quantity that may not be negative. */
export function validateNonnegativeQuantity(text: string, at: Path): ErrorList {
  return quantitySign(quantityFrom(text)) < 0 ? [invalid(at, text, IS_NEGATIVE_ERROR)] : [];
}

/** A quantity above zero. */
export function validatePositiveQuantity(text: string, at: Path): ErrorList {
  if (quantitySign(quantityFrom(text)) > 0) return [];
  return [invalid(at, text, "must be greater than zero")];
}
