/**
 * Ranges of sizes and costs. They saturate at uint64's end, as upstream's do.
 * Upstream: cel-go checker/cost.go, SizeEstimate and CostEstimate.
 */
export interface Estimate {
  readonly min: number;
  readonly max: number;
}

/** The largest figure; a double, so the last digits of what is near it are not exact. */
export const MOST = 2 ** 64;

export const NOTHING: Estimate = { min: 0, max: 0 };
export const UNKNOWN_SIZE: Estimate = { min: 0, max: MOST };

export function exactly(value: number): Estimate {
  return { min: value, max: value };
}

export function add(left: Estimate, right: Estimate): Estimate {
  return { min: Math.min(MOST, left.min + right.min), max: Math.min(MOST, left.max + right.max) };
}

export function multiply(left: Estimate, right: Estimate): Estimate {
  return { min: times(left.min, right.min), max: times(left.max, right.max) };
}

function times(left: number, right: number): number {
  return left === 0 || right === 0 ? 0 : Math.min(MOST, left * right);
}

/** Multiplies by a factor and rounds up. */
export function scale({ min, max }: Estimate, factor: number): Estimate {
  return { min: scaled(min, factor), max: scaled(max, factor) };
}

function scaled(value: number, factor: number): number {
  const product = value * factor;
  return value > 0 && product >= MOST ? MOST : Math.ceil(product);
}

export function union(left: Estimate, right: Estimate): Estimate {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}
