/** What the server makes of a new pod. Upstream: pkg/registry/core/pod/strategy.go. */
import { semanticDeepEqual } from "../../../apimachinery/validation/equality.ts";
import { Path } from "../../../apimachinery/validation/field.ts";
import { dropDisabledPodFields } from "../../../apis/core/v1/pod-features.ts";
import { computePodQOS } from "../../../apis/core/v1/qos.ts";
import type {
  AppArmorProfile,
  Container,
  Pod,
  PodAffinityTerm,
  PodSpec,
} from "../../../apis/core/v1/types.ts";
import { allContainers } from "../../../apis/core/v1/validation/options.ts";
import { validateAppArmorProfile } from "../../../apis/core/v1/validation/security-context.ts";
import type { LabelSelector } from "../../../apis/meta/v1/types.ts";
import type { StrategyContext } from "../../rest/strategy.ts";
import { type Kube, startGeneration } from "../../strategy-parts.ts";

const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";
const LOCALHOST = "localhost/";

/** In place. */
export function preparePod(context: StrategyContext, pod: Kube<Pod>): void {
  startGeneration(pod);
  pod.spec ??= {};
  const { spec } = pod;
  const { gate } = context;
  pod.status = { phase: "Pending", qosClass: computePodQOS(spec, gate("PodLevelResources")) };
  dropDisabledPodFields(gate, spec, undefined);
  if ((spec.schedulingGates ?? []).length > 0) {
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason: "SchedulingGated",
      message: "Scheduling is blocked due to non-empty scheduling gates",
    };
    pod.status.conditions = [condition];
  }
  mergeAffinityKeys(spec, pod.metadata?.labels ?? {});
  mergeSpreadKeys(gate, spec, pod.metadata?.labels ?? {});
  syncAppArmor(context, pod, spec);
}

type Labels = Readonly<Record<string, string>>;

/** Selectors that name label keys get the values of the pod's own labels. */
function mergeKeys(
  selector: LabelSelector,
  keys: readonly string[] | undefined,
  operator: "In" | "NotIn",
  labels: Labels,
): void {
  for (const key of keys ?? []) {
    const value = labels[key];
    if (value === undefined) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}

function mergeAffinityKeys({ affinity }: PodSpec, labels: Labels): void {
  const terms: (PodAffinityTerm | undefined)[] = [];
  for (const side of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    const preferred = side?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    terms.push(...preferred.map((weighted) => weighted.podAffinityTerm));
    terms.push(...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []));
  }
  for (const term of terms) {
    if (term?.labelSelector === undefined) continue;
    mergeKeys(term.labelSelector, term.matchLabelKeys, "In", labels);
    mergeKeys(term.labelSelector, term.mismatchLabelKeys, "NotIn", labels);
  }
}

function mergeSpreadKeys(gate: StrategyContext["gate"], spec: PodSpec, labels: Labels): void {
  if (!gate("MatchLabelKeysInPodTopologySpread")) return;
  if (!gate("MatchLabelKeysInPodTopologySpreadSelectorMerge")) return;
  for (const { labelSelector, matchLabelKeys } of spec.topologySpreadConstraints ?? []) {
    if (labelSelector !== undefined) mergeKeys(labelSelector, matchLabelKeys, "In", labels);
  }
}

/** Profiles in annotations of old clients become fields. */
function syncAppArmor(context: StrategyContext, pod: Kube<Pod>, spec: PodSpec): void {
  if (spec.os?.name === "windows") return;
  for (const container of allContainers(spec)) {
    const key = APP_ARMOR + (container.name ?? "");
    const annotation = pod.metadata?.annotations?.[key];
    if (annotation === undefined || container.securityContext?.appArmorProfile !== undefined) {
      continue;
    }
    if (!copyProfile(annotation, container, spec)) continue;
    const path = Path.root("metadata", "annotations").key(key);
    const detail = 'deprecated since v1.30; use the "appArmorProfile" field instead';
    context.addWarning?.(`${path}: ${detail}`);
  }
}

/** Whether the client is to be warned: the annotation says what no field said, or nothing valid. */
function copyProfile(annotation: string, container: Container, spec: PodSpec): boolean {
  const profile = profileOf(annotation);
  if (profile === undefined) return true;
  if (validateAppArmorProfile(profile, Path.root()).length > 0) return true;
  if (semanticDeepEqual(profile, spec.securityContext?.appArmorProfile)) return false;
  container.securityContext ??= {};
  container.securityContext.appArmorProfile = profile;
  return true;
}

function profileOf(annotation: string): AppArmorProfile | undefined {
  if (annotation === "unconfined") return { type: "Unconfined" };
  if (annotation === "runtime/default") return { type: "RuntimeDefault" };
  if (!annotation.startsWith(LOCALHOST)) return undefined;
  const localhostProfile = annotation.slice(LOCALHOST.length);
  return localhostProfile === "" ? undefined : { type: "Localhost", localhostProfile };
}
