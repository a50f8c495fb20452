/**
 * What is said to who changes a namespace's policy. Upstream: pod-security-admission/admission.
 */
import type { Pod } from "../../apis/core/v1/types.ts";
import { evaluatePod, reasonsOf } from "./evaluate.ts";
import {
  isEquivalent,
  isFullyPrivileged,
  type LevelVersion,
  levelVersionText,
  MODES,
  type Policy,
  PREFIX,
} from "./policy.ts";

/** Whom no policy holds for. */
export interface Exemptions {
  readonly usernames: readonly string[];
  readonly runtimeClasses: readonly string[];
  readonly namespaces: readonly string[];
}

const PODS_MAX = 3000;
const CHECK_MS_MAX = 1000;

/** Warnings about pods that the new level would not let in any more; similar pods share one. */
export function existingPodWarnings(
  namespace: string,
  enforce: LevelVersion,
  pods: readonly Pod[],
  exemptRuntimeClasses: readonly string[],
  now: () => number,
): readonly string[] {
  const deadline = now() + CHECK_MS_MAX;
  const all = oneOfEachOwnerFirst(pods, exemptRuntimeClasses);
  const names = new Map<string, string[]>();
  let checked = 0;
  for (const pod of all.slice(0, PODS_MAX)) {
    checked++;
    const { metadata, spec } = pod;
    const violations = evaluatePod(enforce, {
      annotations: metadata?.annotations ?? {},
      spec: spec ?? {},
    });
    if (violations.length > 0) {
      const reasons = reasonsOf(violations);
      const own = names.get(reasons) ?? [];
      own.push(metadata?.name ?? "");
      names.set(reasons, own);
    }
    if (now() > deadline) break;
  }
  const lines = [...names].map(([reasons, own]) => `${groupName(own)}: ${reasons}`).sort();
  return [
    ...(checked < all.length
      ? [
          `new PodSecurity enforce level only checked against the first ${checked} of ${all.length} existing pods`,
        ]
      : []),
    ...(lines.length > 0
      ? [
          `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(levelVersionText(enforce))}`,
        ]
      : []),
    ...lines,
  ];
}

function groupName(names: readonly string[]): string {
  const [first = ""] = [...names].sort();
  const others = names.length - 1;
  if (others === 0) return first;
  return `${first} (and ${others} other ${others === 1 ? "pod" : "pods"})`;
}

/** The further pods of a controller are likely the same: they come last, should time run out. */
function oneOfEachOwnerFirst(pods: readonly Pod[], exempt: readonly string[]): readonly Pod[] {
  const seen = new Set<string>();
  const first: Pod[] = [];
  const others: Pod[] = [];
  for (const pod of pods) {
    const { runtimeClassName } = pod.spec ?? {};
    if (runtimeClassName && exempt.includes(runtimeClassName)) continue;
    const uid = pod.metadata?.ownerReferences?.find(({ controller }) => controller)?.uid;
    if (uid !== undefined && seen.has(uid)) others.push(pod);
    else first.push(pod);
    if (uid !== undefined) seen.add(uid);
  }
  return [...first, ...others];
}

/** Labels on a namespace that no policy holds for do nothing: says so; undefined without any. */
export function exemptNamespaceWarning(
  namespace: string,
  policy: Policy,
  labels: Readonly<Record<string, string>> | undefined,
  defaults: Policy,
): string | undefined {
  if (isFullyPrivileged(policy) || isEquivalent(policy, defaults)) return undefined;
  const modes = MODES.filter((mode) => {
    const keys = [PREFIX + mode, `${PREFIX}${mode}-version`];
    return policy[mode].level !== "privileged" && keys.some((key) => labels?.[key] !== undefined);
  });
  const text = modes.map((mode) => `${mode}=${levelVersionText(policy[mode])}`).join(", ");
  return `namespace ${JSON.stringify(namespace)} is exempt from Pod Security, and the policy (${text}) will be ignored`;
}
