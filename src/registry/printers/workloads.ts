/** Rows of apps and batch. Upstream: printers.go. */
import {
  labelSelectorAsSelector,
  labelSelectorString,
} from "../../apimachinery/labels/selector.ts";
import type {
  ControllerRevision,
  DaemonSet,
  Deployment,
  ReplicaSet,
  StatefulSet,
} from "../../apis/apps/v1/types.ts";
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
} from "../../apis/autoscaling/v2/types.ts";
import type { CronJob, Job } from "../../apis/batch/v1/types.ts";
import type {
  PodTemplate,
  PodTemplateSpec,
  ReplicationController,
} from "../../apis/core/v1/types.ts";
import type { PodDisruptionBudget } from "../../apis/policy/v1/types.ts";
import { humanDuration, labelsText, since, sinceMs } from "./human.ts";

type Cells = readonly unknown[];

function containers(template: PodTemplateSpec | undefined): [string, string] {
  const list = template?.spec?.containers ?? [];
  return [
    list.map((one) => one.name ?? "").join(","),
    list.map((one) => one.image ?? "").join(","),
  ];
}

/** A LabelSelector object as text; `<none>` for a missing one. */
export function selectorText(selector: unknown): string {
  if (selector === undefined) return "<none>";
  try {
    return labelSelectorString(labelSelectorAsSelector(selector as never)) || "<none>";
  } catch {
    return "<invalid>";
  }
}

/** As LabelSelectorAsSelector prints: nothing for an empty or missing one. */
function bareSelector(selector: unknown): string {
  const text = selectorText(selector);
  return text === "<none>" ? "" : text;
}

export function deployment({ metadata, spec, status }: Deployment, now: Date): Cells {
  return [
    metadata?.name ?? "",
    `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0,
    since(metadata?.creationTimestamp, now),
    ...containers(spec?.template),
    bareSelector(spec?.selector),
  ];
}

export function replicaSet({ metadata, spec, status }: ReplicaSet, now: Date): Cells {
  return [
    metadata?.name ?? "",
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    since(metadata?.creationTimestamp, now),
    ...containers(spec?.template),
    selectorText(spec?.selector),
  ];
}

export function replicationController(
  { metadata, spec, status }: ReplicationController,
  now: Date,
): Cells {
  return [
    metadata?.name ?? "",
    spec?.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    since(metadata?.creationTimestamp, now),
    ...containers(spec?.template),
    labelsText(spec?.selector),
  ];
}

export function statefulSet({ metadata, spec, status }: StatefulSet, now: Date): Cells {
  return [
    metadata?.name ?? "",
    `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`,
    since(metadata?.creationTimestamp, now),
    ...containers(spec?.template),
  ];
}

export function daemonSet({ metadata, spec, status }: DaemonSet, now: Date): Cells {
  return [
    metadata?.name ?? "",
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    labelsText(spec?.template?.spec?.nodeSelector),
    since(metadata?.creationTimestamp, now),
    ...containers(spec?.template),
    selectorText(spec?.selector),
  ];
}

export function controllerRevision(revision: ControllerRevision, now: Date): Cells {
  const { metadata } = revision;
  const owner = metadata?.ownerReferences?.find((one) => one.controller);
  const group = (owner?.apiVersion ?? "").includes("/")
    ? (owner?.apiVersion ?? "").split("/")[0]
    : "";
  const kind = (owner?.kind ?? "").toLowerCase();
  const controller =
    owner === undefined ? "<none>" : `${group ? `${kind}.${group}` : kind}/${owner.name ?? ""}`;
  return [
    metadata?.name ?? "",
    controller,
    revision.revision ?? 0,
    since(metadata?.creationTimestamp, now),
  ];
}

/** In upstream's order: the first that holds names the job. */
const JOB_CONDITIONS = [
  ["Complete", "Complete"],
  ["Failed", "Failed"],
] as const;

function jobStatus({ metadata, status }: Job): string {
  const has = (type: string) =>
    (status?.conditions ?? []).some((one) => one.type === type && one.status === "True");
  for (const [type, text] of JOB_CONDITIONS) if (has(type)) return text;
  if (metadata?.deletionTimestamp) return "Terminating";
  if (has("Suspended")) return "Suspended";
  if (has("FailureTarget")) return "FailureTarget";
  return has("SuccessCriteriaMet") ? "SuccessCriteriaMet" : "Running";
}

export function job(object: Job, now: Date): Cells {
  const { metadata, spec, status } = object;
  const succeeded = status?.succeeded ?? 0;
  const parallelism = spec?.parallelism ?? 0;
  const completions =
    spec?.completions !== undefined
      ? `${succeeded}/${spec.completions}`
      : parallelism > 1
        ? `${succeeded}/1 of ${parallelism}`
        : `${succeeded}/1`;
  const start = status?.startTime;
  const end = status?.completionTime;
  const lasted = (from: number) =>
    end === undefined ? sinceMs(from, now) : humanDuration(Date.parse(end) - from);
  const duration = start === undefined ? "" : lasted(Date.parse(start));
  return [
    metadata?.name ?? "",
    jobStatus(object),
    completions,
    duration,
    since(metadata?.creationTimestamp, now),
    ...containers(spec?.template),
    bareSelector(spec?.selector),
  ];
}

export function cronJob({ metadata, spec, status }: CronJob, now: Date): Cells {
  const last = status?.lastScheduleTime;
  const template = spec?.jobTemplate?.spec;
  const suspend = spec?.suspend === undefined ? "<unset>" : spec.suspend ? "True" : "False";
  return [
    metadata?.name ?? "",
    spec?.schedule ?? "",
    spec?.timeZone ?? "<none>",
    suspend,
    (status?.active ?? []).length,
    last === undefined ? "<none>" : since(last, now),
    since(metadata?.creationTimestamp, now),
    ...containers(template?.template),
    selectorText(template?.selector),
  ];
}

export function podTemplate({ metadata, template }: PodTemplate): Cells {
  return [metadata?.name ?? "", ...containers(template), labelsText(template?.metadata?.labels)];
}

export function podDisruptionBudget(
  { metadata, spec, status }: PodDisruptionBudget,
  now: Date,
): Cells {
  return [
    metadata?.name ?? "",
    spec?.minAvailable === undefined ? "N/A" : String(spec.minAvailable),
    spec?.maxUnavailable === undefined ? "N/A" : String(spec.maxUnavailable),
    status?.disruptionsAllowed ?? 0,
    since(metadata?.creationTimestamp, now),
  ];
}

const SHOWN_METRICS = 2;

export function horizontalPodAutoscaler(
  { metadata, spec, status }: HorizontalPodAutoscaler,
  now: Date,
): Cells {
  const target = spec?.scaleTargetRef;
  return [
    metadata?.name ?? "",
    `${target?.kind ?? ""}/${target?.name ?? ""}`,
    metricsText(spec?.metrics ?? [], status?.currentMetrics ?? []),
    spec?.minReplicas === undefined ? "<unset>" : String(spec.minReplicas),
    spec?.maxReplicas ?? 0,
    status?.currentReplicas ?? 0,
    since(metadata?.creationTimestamp, now),
  ];
}

function metricsText(specs: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  if (specs.length === 0) return "<none>";
  const texts = specs.map((spec, index) => metricText(spec, statuses[index]));
  const shown = texts.slice(0, SHOWN_METRICS).join(", ");
  const more = texts.length - SHOWN_METRICS;
  return more > 0 ? `${shown} + ${more} more...` : shown;
}

interface Values {
  readonly averageValue?: string | undefined;
  readonly value?: string | undefined;
  readonly averageUtilization?: number | undefined;
}

function metricText(spec: MetricSpec, status: MetricStatus | undefined): string {
  const resource = spec.containerResource ?? spec.resource;
  if (spec.type === "Resource" || spec.type === "ContainerResource") {
    const current = (status?.containerResource ?? status?.resource)?.current;
    return `${resource?.name ?? ""}: ${resourceText(resource?.target, current)}`;
  }
  if (spec.type === "External") {
    const { target } = spec.external ?? {};
    const current = status?.external?.current;
    if (target?.averageValue !== undefined) {
      return `${current?.averageValue ?? "<unknown>"}/${target.averageValue} (avg)`;
    }
    return `${current?.value ?? "<unknown>"}/${target?.value ?? ""}`;
  }
  if (spec.type === "Pods") {
    const current = status?.pods?.current?.averageValue ?? "<unknown>";
    return `${current}/${spec.pods?.target?.averageValue ?? ""}`;
  }
  if (spec.type === "Object") {
    const { target } = spec.object ?? {};
    const current = status?.object?.current;
    if (target?.averageValue !== undefined) {
      return `${current?.averageValue ?? "<unknown>"}/${target.averageValue} (avg)`;
    }
    return `${current?.value ?? "<unknown>"}/${target?.value ?? ""}`;
  }
  return "<unknown type>";
}

function resourceText(target: Values | undefined, current: Values | undefined): string {
  if (target?.averageValue !== undefined) {
    return `${current?.averageValue ?? "<unknown>"}/${target.averageValue}`;
  }
  const now = current?.averageUtilization;
  const aim = target?.averageUtilization;
  return `${now === undefined ? "<unknown>" : `${now}%`}/${aim === undefined ? "<auto>" : `${aim}%`}`;
}
