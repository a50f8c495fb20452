/** Tolerations as sets of taints. Upstream: pkg/util/tolerations. */
import type { Toleration } from "../apis/core/v1/types.ts";
import type { DeepReadonly } from "./plugin.ts";

type One = DeepReadonly<Toleration>;

function isSame(a: One, b: One): boolean {
  return (
    (a.key ?? "") === (b.key ?? "") &&
    (a.operator ?? "") === (b.operator ?? "") &&
    (a.value ?? "") === (b.value ?? "") &&
    (a.effect ?? "") === (b.effect ?? "") &&
    a.tolerationSeconds === b.tolerationSeconds
  );
}

/** Whether `wide` tolerates all that `one` does, for as long. */
export function isSuperset(wide: One, one: One): boolean {
  if (isSame(wide, one)) return true;
  const isAnyKey = !wide.key && wide.operator === "Exists";
  if ((wide.key ?? "") !== (one.key ?? "") && !isAnyKey) return false;
  if (wide.effect && wide.effect !== (one.effect ?? "")) return false;
  if (wide.effect === "NoExecute" && wide.tolerationSeconds !== undefined) {
    if (one.tolerationSeconds === undefined) return false;
    if (one.tolerationSeconds > wide.tolerationSeconds) return false;
  }
  switch (wide.operator ?? "") {
    case "":
    case "Equal":
      return (one.operator ?? "Equal") === "Equal" && (wide.value ?? "") === (one.value ?? "");
    case "Exists":
      return true;
    default:
      return false;
  }
}

/** Both lists, without what another of them covers; of equals the first stays. */
export function mergeTolerations<T extends One>(first: readonly T[], second: readonly T[]): T[] {
  const all = [...first, ...second];
  const merged: T[] = [];
  for (const [i, one] of all.entries()) {
    if (merged.some((wide) => isSuperset(wide, one))) continue;
    const later = all.slice(i + 1);
    if (later.some((wide) => !isSame(wide, one) && isSuperset(wide, one))) continue;
    merged.push(one);
  }
  return merged;
}

/** Whether every toleration is within one that is allowed; an empty list allows all. */
export function areAllowed(tolerations: readonly One[], allowed: readonly One[]): boolean {
  if (allowed.length === 0) return true;
  return tolerations.every((one) => allowed.some((wide) => isSuperset(wide, one)));
}
