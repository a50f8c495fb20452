/** intstr.IntOrString: a JSON number (int32) or a string. Upstream: apimachinery/pkg/util/intstr. */

/** A percentage scaled to `total`, or the plain number. */
export interface ScaledValue {
  readonly value: number;
  readonly isPercent: boolean;
}

/**
 * The number, or the percentage `N%`. Undefined when a string is no percentage: upstream's
 * "invalid type: string is not a percentage" and "invalid value %q: ...".
 */
export function intOrPercentValue(value: number | string): ScaledValue | undefined {
  if (typeof value === "number") return { value, isPercent: false };
  if (!value.endsWith("%")) return undefined;
  const number = value.slice(0, -1);
  return /^[+-]?\d+$/.test(number) ? { value: Number(number), isPercent: true } : undefined;
}

/** GetScaledValueFromIntOrPercent: the absolute number out of `total`; undefined when invalid. */
export function scaledValue(
  value: number | string,
  { total, roundUp }: { total: number; roundUp: boolean },
): number | undefined {
  const parsed = intOrPercentValue(value);
  if (parsed === undefined) return undefined;
  if (!parsed.isPercent) return parsed.value;
  const scaled = (parsed.value * total) / 100;
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled);
}
