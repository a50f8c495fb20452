/**
 * What a pod violates of a level in a version. Upstream: pod-security-admission/policy/registry.go.
 */
import { baselineChecks } from "./baseline.ts";
import type { Check, CheckPod, PodToCheck, Violation } from "./check.ts";
import type { LevelVersion } from "./policy.ts";
import { restrictedChecks } from "./restricted.ts";

/** Baseline's first, then restricted's, each by id: the order of every message. */
const ordered = [baselineChecks, restrictedChecks].flatMap((checks) =>
  [...checks].sort((a, b) => (a.id < b.id ? -1 : 1)),
);
/** No check changed after this version: later ones and "latest" are the same. */
const NEWEST = Math.max(...ordered.flatMap(({ since }) => since.map(([minor]) => minor)));
const compiled = new Map<string, readonly CheckPod[]>();

/** Every violation, in upstream's order; none at level privileged. */
export function evaluatePod(
  { level, version }: LevelVersion,
  pod: PodToCheck,
): readonly Violation[] {
  if (level === "privileged") return [];
  const minor = Math.min(version, NEWEST);
  const key = `${level}:${minor}`;
  const checks = compiled.get(key) ?? checksOf(level, minor);
  compiled.set(key, checks);
  return checks.map((check) => check(pod)).filter((found) => found !== undefined);
}

function checksOf(level: Check["level"], minor: number): readonly CheckPod[] {
  const inForce = ordered.filter(({ since }) => (since[0]?.[0] ?? 0) <= minor);
  const chosen = inForce.filter((check) => level === "restricted" || check.level === "baseline");
  const overridden = new Set(chosen.flatMap(({ overrides }) => overrides ?? []));
  return chosen
    .filter(({ id }) => !overridden.has(id))
    .map(({ since }) => since.findLast(([from]) => from <= minor)?.[1])
    .filter((check) => check !== undefined);
}

/** `hostPort (container "c" uses hostPort 80), privileged (…)`. */
export function detailsOf(violations: readonly Violation[]): string {
  return violations.map(({ reason, detail }) => `${reason} (${detail})`).join(", ");
}

/** `hostPort, privileged`. */
export function reasonsOf(violations: readonly Violation[]): string {
  return violations.map(({ reason }) => reason).join(", ");
}
