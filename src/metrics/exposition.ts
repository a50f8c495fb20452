/** From the threads' snapshots to Prometheus' text format, version 0.0.4. */
import type { MetricSnapshot } from "./registry.ts";

export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * Sums cells of the same metric and labels over all threads; gauges too (in-flight counts), but for
 * those that say otherwise.
 */
export function aggregate(threads: readonly (readonly MetricSnapshot[])[]): MetricSnapshot[] {
  const [first = [], ...others] = threads;
  if (others.length === 0) return [...first];
  const merged = new Map<string, { head: MetricSnapshot; cells: Map<string, number[]> }>();
  for (const snapshot of threads.flat()) {
    let entry = merged.get(snapshot.name);
    if (entry === undefined) {
      entry = { head: snapshot, cells: new Map() };
      merged.set(snapshot.name, entry);
    }
    for (const [labels, values] of snapshot.cells) {
      const sum = entry.cells.get(labels);
      if (sum === undefined) entry.cells.set(labels, [...values]);
      else add(sum, values, snapshot.greatest ?? false);
    }
  }
  return [...merged.values()].map(({ head, cells }) => ({ ...head, cells: [...cells] }));
}

function add(sum: number[], values: readonly number[], greatest: boolean): void {
  for (const [i, value] of values.entries()) {
    const known = sum[i] ?? 0;
    sum[i] = greatest ? Math.max(known, value) : known + value;
  }
}

/** `disabled`: full names that are left out (--disabled-metrics). */
export function exposition(
  snapshots: readonly MetricSnapshot[],
  disabled: ReadonlySet<string> = new Set(),
): string {
  const parts: string[] = [];
  const sorted = [...snapshots].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const snapshot of sorted) {
    if (snapshot.cells.length === 0 || disabled.has(snapshot.name)) continue;
    const { name, help, type } = snapshot;
    parts.push(`# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`);
    parts.push(`# TYPE ${name} ${type}\n`);
    for (const [labels, values] of snapshot.cells) {
      if (type === "histogram") parts.push(histogramLines(snapshot, labels, values));
      else parts.push(`${name}${braces(labels)} ${number(values[0] ?? 0)}\n`);
    }
  }
  return parts.join("");
}

function histogramLines(
  { name, buckets }: MetricSnapshot,
  labels: string,
  values: readonly number[],
): string {
  const lines: string[] = [];
  const comma = labels === "" ? "" : `${labels},`;
  let cumulative = 0;
  for (const [i, bound] of buckets.entries()) {
    cumulative += values[i] ?? 0;
    lines.push(`${name}_bucket{${comma}le="${number(bound)}"} ${cumulative}\n`);
  }
  cumulative += values[buckets.length] ?? 0;
  lines.push(`${name}_bucket{${comma}le="+Inf"} ${cumulative}\n`);
  lines.push(`${name}_sum${braces(labels)} ${number(values[buckets.length + 1] ?? 0)}\n`);
  lines.push(`${name}_count${braces(labels)} ${cumulative}\n`);
  return lines.join("");
}

const braces = (labels: string) => (labels === "" ? "" : `{${labels}}`);

/** As Go's collector writes numbers: an exponent of two digits below 1e-4 and from 1e6 on. */
function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  if (value === Number.NEGATIVE_INFINITY) return "-Inf";
  const size = Math.abs(value);
  if (size >= 1e6 || (size < 1e-4 && size !== 0)) {
    return value.toExponential().replace(/e([-+])(\d)$/, "e$10$2");
  }
  return String(value);
}
