/**
 * autoscaling/v1 to the storage version v2 and back. What v1 has no field for travels in
 * annotations: other metrics, current metrics and conditions in v1's JSON, the behavior under its
 * internal Go names. Upstream: pkg/apis/autoscaling/v1/conversion.go.
 */
import type { KubeObject } from "../../../apimachinery/meta/types.ts";
import { goString } from "../../../apimachinery/runtime/go-string.ts";
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../../apimachinery/runtime/json.ts";
import { encodeJson } from "../../../apimachinery/runtime/json-encode.ts";
import { structOf } from "../../schemas.ts";
import type * as v2 from "../v2/types.ts";
import {
  metricFromV1,
  metricStatusFromV1,
  metricStatusToV1,
  metricToV1,
} from "./conversion-metrics.ts";
import type * as v1 from "./types.ts";

const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";
const V1 = "k8s.io/api/autoscaling/v1.";

type Of<T> = Omit<T, "metadata"> & KubeObject;

/** v1 to v2. Annotations that do not parse are dropped without a word, as upstream does. */
export function toV2(object: KubeObject): KubeObject {
  const { spec = {}, status = {}, ...rest } = object as Of<v1.HorizontalPodAutoscaler>;
  const { targetCPUUtilizationPercentage: cpu, ...sameSpec } = spec;
  const { currentCPUUtilizationPercentage: currentCpu, ...sameStatus } = status;
  const outSpec: v2.HorizontalPodAutoscalerSpec = { ...sameSpec };
  const outStatus: v2.HorizontalPodAutoscalerStatus = { ...sameStatus };
  if (cpu !== undefined) {
    const target = { type: "Utilization", averageUtilization: cpu };
    outSpec.metrics = [{ type: "Resource", resource: { name: "cpu", target } }];
  }
  if (currentCpu !== undefined) {
    const current = { averageUtilization: currentCpu };
    outStatus.currentMetrics = [{ type: "Resource", resource: { name: "cpu", current } }];
  }
  const out: Of<v2.HorizontalPodAutoscaler> = {
    ...rest,
    apiVersion: "autoscaling/v2",
    spec: outSpec,
    ...(Object.keys(outStatus).length > 0 ? { status: outStatus } : {}),
  };
  const annotations = object.metadata?.annotations;
  if (annotations === undefined) return out;
  readAnnotations(annotations, outSpec, outStatus);
  if (Object.keys(outStatus).length > 0) out.status = outStatus;
  const names = [METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR];
  const kept = Object.entries(annotations).filter(([name]) => !names.includes(name));
  out.metadata = { ...object.metadata, annotations: Object.fromEntries(kept) };
  if (kept.length === 0) delete out.metadata.annotations;
  return out;
}

function readAnnotations(
  annotations: Readonly<Record<string, string>>,
  spec: v2.HorizontalPodAutoscalerSpec,
  status: v2.HorizontalPodAutoscalerStatus,
): void {
  const metrics = listIn<v1.MetricSpec>(annotations[METRICS]);
  if (metrics.length > 0) {
    spec.metrics = [...metrics.map(metricFromV1), ...(spec.metrics ?? []).slice(0, 1)];
  }
  const behavior = objectIn(annotations[BEHAVIOR]);
  if (behavior !== undefined) spec.behavior = lowerFirst(behavior) as JsonObject;
  const current = listIn<v1.MetricStatus>(annotations[CURRENT_METRICS]);
  if (current.length > 0) status.currentMetrics = current.map(metricStatusFromV1);
  const conditions = listIn<v2.HorizontalPodAutoscalerCondition>(annotations[CONDITIONS]);
  if (conditions.length > 0) status.conditions = conditions.map(withoutNulls);
}

function withoutNulls<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null)) as T;
}

function listIn<T>(text: string | undefined): T[] {
  const value = parsed(text);
  const isList = Array.isArray(value) && value.every((one) => isJsonObject(one));
  return isList ? (value as unknown as T[]) : [];
}

function objectIn(text: string | undefined): JsonObject | undefined {
  const value = parsed(text);
  return isJsonObject(value) ? value : undefined;
}

function parsed(text: string | undefined): JsonValue | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

/** `ScaleUp` to `scaleUp`, at every depth; null is absent. */
function lowerFirst(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((one) => lowerFirst(one) ?? null);
  if (!isJsonObject(value)) return value;
  const out: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (member === null) continue;
    out[name.slice(0, 1).toLowerCase() + name.slice(1)] = lowerFirst(member);
  }
  return out;
}

/** v2 to v1. */
export function fromV2(object: KubeObject): KubeObject {
  const { spec = {}, status = {}, ...rest } = object as Of<v2.HorizontalPodAutoscaler>;
  const { metrics: written, behavior, ...sameSpec } = spec;
  const { currentMetrics: current, conditions: known, ...sameStatus } = status;
  // What the cache gives has null for lists that no omitempty leaves out.
  const metrics = written ?? [];
  const currentMetrics = current ?? [];
  const conditions = known ?? [];
  const outSpec: v1.HorizontalPodAutoscalerSpec = { ...sameSpec };
  const outStatus: v1.HorizontalPodAutoscalerStatus = { ...sameStatus };
  const cpu = metrics.find(isCpuUtilization)?.resource?.target?.averageUtilization;
  if (cpu !== undefined) outSpec.targetCPUUtilizationPercentage = cpu;
  const currentCpu = currentMetrics.find(
    ({ type, resource }) =>
      type === "Resource" &&
      resource?.name === "cpu" &&
      resource.current?.averageUtilization !== undefined,
  )?.resource?.current?.averageUtilization;
  if (currentCpu !== undefined) outStatus.currentCPUUtilizationPercentage = currentCpu;

  const others = metrics.filter((metric) => !isCpuUtilization(metric)).map(metricToV1);
  const annotations: Record<string, string> = {};
  if (others.length > 0) annotations[METRICS] = encodeList(others, "MetricSpec");
  if (currentMetrics.length > 0) {
    const list = currentMetrics.map(metricStatusToV1);
    annotations[CURRENT_METRICS] = encodeList(list, "MetricStatus");
  }
  if (behavior !== undefined) {
    const schema = structOf("k8s.io/api/autoscaling/v2.HorizontalPodAutoscalerBehavior");
    annotations[BEHAVIOR] = goString(behavior as JsonObject, schema);
  }
  if (conditions.length > 0) {
    annotations[CONDITIONS] = encodeList(conditions, "HorizontalPodAutoscalerCondition");
  }
  const out: Of<v1.HorizontalPodAutoscaler> = { ...rest, apiVersion: "autoscaling/v1" };
  if (Object.keys(outSpec).length > 0) out.spec = outSpec;
  if (Object.keys(outStatus).length > 0) out.status = outStatus;
  if (Object.keys(annotations).length === 0) return out;
  out.metadata = {
    ...object.metadata,
    annotations: { ...object.metadata?.annotations, ...annotations },
  };
  return out;
}

function isCpuUtilization({ type, resource }: v2.MetricSpec): boolean {
  const isCpu = type === "Resource" && resource?.name === "cpu";
  return isCpu && resource.target?.averageUtilization !== undefined;
}

function encodeList(list: readonly object[], name: string): string {
  const schema = structOf(V1 + name);
  return `[${list.map((one) => encodeJson(one as JsonObject, schema)).join(",")}]`;
}
