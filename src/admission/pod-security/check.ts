/** What a check of the Pod Security Standards is. Upstream: pod-security-admission/policy. */
import type { Container, EphemeralContainer, PodSpec } from "../../apis/core/v1/types.ts";
import type { DeepReadonly } from "../plugin.ts";

export interface PodToCheck {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: DeepReadonly<PodSpec>;
}
export interface Violation {
  /** Short: `hostPort`. */
  readonly reason: string;
  /** Which parts of the pod: `container "c" uses hostPort 80`. */
  readonly detail: string;
}
export type CheckPod = (pod: PodToCheck) => Violation | undefined;

export interface Check {
  readonly id: string;
  readonly level: "baseline" | "restricted";
  /** By the first minor version of the policy that each form belongs to, ascending. */
  readonly since: readonly (readonly [minor: number, check: CheckPod])[];
  /** Baseline checks that a restricted one takes the place of. */
  readonly overrides?: readonly string[];
}

export type AnyContainer = DeepReadonly<Container> | DeepReadonly<EphemeralContainer>;

/** Init containers, containers, ephemeral containers: the order of every message. */
export function containersOf({ spec }: PodToCheck): readonly AnyContainer[] {
  return [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ];
}

/** Names of the containers for which `isBad` holds. */
export function namesWhere(
  pod: PodToCheck,
  isBad: (container: AnyContainer) => boolean,
): readonly string[] {
  return containersOf(pod)
    .filter(isBad)
    .map(({ name }) => name ?? "");
}

/** `"a", "b"`, unescaped, as upstream joins. */
export function joinQuoted(items: Iterable<string>): string {
  return [...items].map((item) => `"${item}"`).join(", ");
}

export function sorted(items: Iterable<string>): readonly string[] {
  return [...new Set(items)].sort();
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}

/** `container "a"`, `containers "a", "b"`. */
export function named(names: readonly string[], what = "container"): string {
  return `${plural(names.length, what)} ${joinQuoted(names)}`;
}

/** `pod`, `container "a"`, `pod and containers "a", "b"`; undefined for neither. */
export function settersOf(isPod: boolean, containers: readonly string[]): string | undefined {
  const parts = [...(isPod ? ["pod"] : []), ...(containers.length > 0 ? [named(containers)] : [])];
  return parts.length === 0 ? undefined : parts.join(" and ");
}
