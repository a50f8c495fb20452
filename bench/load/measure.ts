/** Figures, and the CPU of the server while something is done. */
import type { Sizes } from "./corpus.ts";
import { cpuMs, sleep } from "./process.ts";
import type { Target } from "./target.ts";

/** One number with its meaning; lower is better unless it says so. */
export interface Figure {
  readonly scenario: string;
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What the design allows; compared at full size, and told at any. */
  readonly budget?: number;
  readonly higherIsBetter?: boolean;
}

export interface Context {
  readonly target: Target;
  readonly sizes: Sizes;
  /** CPU milliseconds the idle server uses in a second: taken off. */
  readonly idleCpu: number;
  readonly port: number;
  report(figure: Omit<Figure, "scenario">): void;
  /** A remark that belongs to the result: what was left out, and why. */
  note(text: string): void;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  run(context: Context): Promise<void>;
}

export interface Spent {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** The server's CPU from before `job` until it has settled, less what it uses idle. */
export async function spent(
  { target, idleCpu }: Pick<Context, "target" | "idleCpu">,
  job: () => Promise<unknown>,
): Promise<Spent> {
  const from = cpuMs(target.pid);
  const began = performance.now();
  await job();
  const wallMs = performance.now() - began;
  await sleep(50);
  const used = cpuMs(target.pid) - from - (idleCpu * (wallMs + 50)) / 1000;
  return { cpuMs: Math.max(0, used), wallMs };
}

/** CPU milliseconds a second of a server that is left alone. */
export async function idleCpuOf(pid: number, seconds: number): Promise<number> {
  const from = cpuMs(pid);
  await sleep(seconds * 1000);
  return (cpuMs(pid) - from) / seconds;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}
export const median = (values: readonly number[]) => percentile(values, 0.5);
