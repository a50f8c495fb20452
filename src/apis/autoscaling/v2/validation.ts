/** Upstream: pkg/apis/autoscaling/validation/validation.go. */
import { parseQuantity, quantitySign } from "../../../apimachinery/quantity.ts";
import { parseApiVersion } from "../../../apimachinery/runtime/gvk.ts";
import {
  type ErrorList,
  forbidden,
  invalid,
  notSupported,
  Path,
  required,
} from "../../../apimachinery/validation/field.ts";
import { isPathSegmentName } from "../../../apimachinery/validation/names.ts";
import { validateNonnegative } from "../../../apimachinery/validation/object-meta.ts";
import { validateContainerResourceName } from "../../core/v1/validation/resources.ts";
import { validateDNS1123Label } from "../../validation/common.ts";
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from "./types.ts";

type Autoscaler = Omit<HorizontalPodAutoscaler, "metadata">;

/** What update and create look at differently. */
export interface AutoscalerOptions {
  /** 0 where scaling to zero is on, or the stored object has 0 already. */
  readonly minReplicasLowerBound: number;
  /** The stored target: an apiVersion that stays is not looked at. */
  readonly oldTarget?: CrossVersionObjectReference | undefined;
}

const MAX_PERIOD_SECONDS = 1800;
const MAX_WINDOW_SECONDS = 3600;

/** Errors of an autoscaler beyond its metadata. */
export function validateHorizontalPodAutoscaler(
  { spec = {} }: Autoscaler,
  options: AutoscalerOptions,
): ErrorList {
  const at = Path.root("spec");
  const errors: ErrorList = [];
  const { minReplicas, maxReplicas = 0, scaleTargetRef = {} } = spec;
  const bound = options.minReplicasLowerBound;
  if (minReplicas !== undefined && minReplicas < bound) {
    const detail = `must be greater than or equal to ${bound}`;
    errors.push(invalid(at.child("minReplicas"), minReplicas, detail));
  }
  if (maxReplicas === 0) {
    errors.push(required(at.child("maxReplicas"), "must be set and greater than 0"));
  } else if (maxReplicas < 0) {
    const detail = "must be greater than or equal to 1";
    errors.push(invalid(at.child("maxReplicas"), maxReplicas, detail));
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    const detail = "must be greater than or equal to `minReplicas`";
    errors.push(invalid(at.child("maxReplicas"), maxReplicas, detail));
  }
  errors.push(
    ...validateTarget(scaleTargetRef, options.oldTarget, at.child("scaleTargetRef")),
    ...validateMetrics(spec.metrics ?? [], minReplicas, at.child("metrics")),
    ...validateScalingRules(spec.behavior?.scaleUp, at.child("behavior", "scaleUp")),
    ...validateScalingRules(spec.behavior?.scaleDown, at.child("behavior", "scaleDown")),
  );
  return errors;
}

function validateTarget(
  target: CrossVersionObjectReference,
  old: CrossVersionObjectReference | undefined,
  at: Path,
): ErrorList {
  const errors = validateReference(target, at);
  const { apiVersion = "", kind = "" } = target;
  if (old !== undefined && (old.apiVersion ?? "") === apiVersion && (old.kind ?? "") === kind) {
    return errors;
  }
  errors.push(...validateApiVersion(apiVersion, at));
  if (parseApiVersion(apiVersion)?.group === "" && kind !== "ReplicationController") {
    const detail = "apiVersion must specify API group";
    errors.push(invalid(at.child("apiVersion"), apiVersion, detail));
  }
  return errors;
}

function validateApiVersion(apiVersion: string, at: Path): ErrorList {
  if (parseApiVersion(apiVersion) !== undefined) return [];
  const detail = `unexpected GroupVersion string: ${apiVersion}`;
  return [invalid(at.child("apiVersion"), apiVersion, detail)];
}

function validateReference(ref: CrossVersionObjectReference, at: Path): ErrorList {
  const errors: ErrorList = [];
  for (const name of ["kind", "name"] as const) {
    const value = ref[name];
    if (!value) errors.push(required(at.child(name)));
    else {
      for (const message of isPathSegmentName(value)) {
        errors.push(invalid(at.child(name), value, message));
      }
    }
  }
  return errors;
}

function validateMetrics(
  metrics: readonly MetricSpec[],
  minReplicas: number | undefined,
  at: Path,
): ErrorList {
  const errors = metrics.flatMap((metric, i) => validateMetric(metric, at.index(i)));
  const fromOutside = metrics.some(({ type }) => type === "Object" || type === "External");
  if (minReplicas === 0 && !fromOutside) {
    const detail =
      "must specify at least one Object or External metric to support scaling to zero replicas";
    errors.push(forbidden(at, detail));
  }
  return errors;
}

const SOURCES = ["object", "external", "pods", "resource", "containerResource"] as const;
const SOURCE_OF_TYPE: Readonly<Record<string, (typeof SOURCES)[number]>> = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
};

/** Only the first source that is present is looked into. */
function validateMetric(metric: MetricSpec, at: Path): ErrorList {
  const errors: ErrorList = [];
  const type = metric.type ?? "";
  if (type === "") errors.push(required(at.child("type"), "must specify a metric source type"));
  const expected = Object.hasOwn(SOURCE_OF_TYPE, type) ? SOURCE_OF_TYPE[type] : undefined;
  if (expected === undefined) {
    // Upstream looks at the type in two places, and both causes reach the client.
    const error = notSupported(at.child("type"), type, Object.keys(SOURCE_OF_TYPE));
    errors.push(error, error);
  }
  const present = SOURCES.filter((source) => metric[source] !== undefined);
  const first = present[0];
  if (first !== undefined) errors.push(...validateSource(metric, first, at.child(first)));
  if (expected !== undefined && metric[expected] === undefined) {
    const detail = "must populate information for the given metric source";
    errors.push(required(at.child(expected), detail));
  }
  if (present.length !== 1) {
    for (const source of present.filter((one) => one !== expected)) {
      errors.push(forbidden(at.child(source), "must populate the given metric source only"));
    }
  }
  return errors;
}

function validateSource(metric: MetricSpec, source: (typeof SOURCES)[number], at: Path): ErrorList {
  switch (source) {
    case "object": {
      const { describedObject = {}, metric: id = {}, target = {} } = metric.object ?? {};
      return [
        ...validateReference(describedObject, at.child("describedObject")),
        ...validateApiVersion(describedObject.apiVersion ?? "", at.child("describedObject")),
        ...validateIdentifier(id, at.child("metric")),
        ...validateTargetValue(target, at.child("target")),
        ...validateValueOrAverage(target, "averageValue", at.child("target", "averageValue")),
      ];
    }
    case "external": {
      const { metric: id = {}, target = {} } = metric.external ?? {};
      const errors = [
        ...validateIdentifier(id, at.child("metric")),
        ...validateTargetValue(target, at.child("target")),
        ...validateValueOrAverage(target, PER_POD, at.child("target", "averageValue")),
      ];
      if (target.value !== undefined && target.averageValue !== undefined) {
        const detail = "may not set both a target value for metric and a per-pod target";
        errors.push(forbidden(at.child("target", "value"), detail));
      }
      return errors;
    }
    case "pods": {
      const { metric: id = {}, target = {} } = metric.pods ?? {};
      const errors = [
        ...validateIdentifier(id, at.child("metric")),
        ...validateTargetValue(target, at.child("target")),
      ];
      if (target.averageValue === undefined) {
        const detail = "must specify a positive target averageValue";
        errors.push(required(at.child("target", "averageValue"), detail));
      }
      return errors;
    }
    case "resource":
      return validateResource(metric.resource ?? {}, at);
    case "containerResource": {
      const source = metric.containerResource ?? {};
      const errors: ErrorList = [];
      if (!source.name) errors.push(required(at.child("name"), "must specify a resource name"));
      else errors.push(...validateContainerResourceName(source.name, at.child("name")));
      if (!source.container) {
        errors.push(required(at.child("container"), "must specify a container"));
      } else errors.push(...validateDNS1123Label(source.container, at.child("container")));
      return [...errors, ...validateUtilization(source.target ?? {}, at)];
    }
  }
}

function validateResource(
  source: { name?: string | undefined; target?: MetricTarget | undefined },
  at: Path,
): ErrorList {
  const errors: ErrorList = [];
  if (!source.name) errors.push(required(at.child("name"), "must specify a resource name"));
  return [...errors, ...validateUtilization(source.target ?? {}, at)];
}

/** Either a raw average or a utilization, never both. */
function validateUtilization(target: MetricTarget, at: Path): ErrorList {
  const errors = validateTargetValue(target, at.child("target"));
  if (target.averageUtilization === undefined && target.averageValue === undefined) {
    const detail = "must set either a target raw value or a target utilization";
    errors.push(required(at.child("target", "averageUtilization"), detail));
  }
  if (target.averageUtilization !== undefined && target.averageValue !== undefined) {
    const detail = "may not set both a target raw value and a target utilization";
    errors.push(forbidden(at.child("target", "averageValue"), detail));
  }
  return errors;
}

const PER_POD = "a per-pod target";

function validateValueOrAverage(
  target: MetricTarget,
  average: "averageValue" | typeof PER_POD,
  at: Path,
): ErrorList {
  if (target.value !== undefined || target.averageValue !== undefined) return [];
  const value = average === PER_POD ? "target value for metric" : "target value";
  return [required(at, `must set either a ${value} or ${average}`)];
}

function sign(quantity: string): -1 | 0 | 1 {
  return quantitySign(parseQuantity(quantity));
}

function validateTargetValue(target: MetricTarget, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { type = "", value, averageValue, averageUtilization } = target;
  if (type === "") errors.push(required(at.child("type"), "must specify a metric target type"));
  if (!["Utilization", "Value", "AverageValue"].includes(type)) {
    const detail = "must be either Utilization, Value, or AverageValue";
    errors.push(invalid(at.child("type"), type, detail));
  }
  if (value !== undefined && sign(value) !== 1) {
    errors.push(invalid(at.child("value"), value, "must be positive"));
  }
  if (averageValue !== undefined && sign(averageValue) !== 1) {
    errors.push(invalid(at.child("averageValue"), averageValue, "must be positive"));
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    const detail = "must be greater than 0";
    errors.push(invalid(at.child("averageUtilization"), averageUtilization, detail));
  }
  return errors;
}

/** Metric names become path segments of the metrics APIs. */
function validateIdentifier({ name = "" }: MetricIdentifier, at: Path): ErrorList {
  const errors: ErrorList = [];
  if (name === "") errors.push(required(at.child("name"), "must specify a metric name"));
  else {
    for (const message of isPathSegmentName(name)) {
      errors.push(invalid(at.child("name"), name, message));
    }
  }
  return errors;
}

function validateScalingRules(rules: HPAScalingRules | undefined, at: Path): ErrorList {
  if (rules === undefined) return [];
  const errors: ErrorList = [];
  const window = rules.stabilizationWindowSeconds;
  const windowPath = at.child("stabilizationWindowSeconds");
  if (window !== undefined && window < 0) {
    errors.push(invalid(windowPath, window, "must be greater than or equal to zero"));
  }
  if (window !== undefined && window > MAX_WINDOW_SECONDS) {
    const detail = `must be less than or equal to ${MAX_WINDOW_SECONDS}`;
    errors.push(invalid(windowPath, window, detail));
  }
  const selects = ["Disabled", "Max", "Min"];
  if (rules.selectPolicy !== undefined && !selects.includes(rules.selectPolicy)) {
    errors.push(notSupported(at.child("selectPolicy"), rules.selectPolicy, selects));
  }
  const policies = rules.policies ?? [];
  const path = at.child("policies");
  if (policies.length === 0) errors.push(required(path, "must specify at least one Policy"));
  errors.push(...policies.flatMap((policy, i) => validateScalingPolicy(policy, path.index(i))));
  if (rules.tolerance !== undefined && sign(rules.tolerance) < 0) {
    const detail = "must be greater than or equal to 0";
    errors.push(invalid(at.child("tolerance"), rules.tolerance, detail));
  }
  return errors;
}

function validateScalingPolicy(policy: HPAScalingPolicy, at: Path): ErrorList {
  const errors: ErrorList = [];
  const { type = "", value = 0, periodSeconds = 0 } = policy;
  if (type !== "Pods" && type !== "Percent") {
    errors.push(notSupported(at.child("type"), type, ["Percent", "Pods"]));
  }
  if (value <= 0) errors.push(invalid(at.child("value"), value, "must be greater than zero"));
  const path = at.child("periodSeconds");
  if (periodSeconds <= 0) errors.push(invalid(path, periodSeconds, "must be greater than zero"));
  if (periodSeconds > MAX_PERIOD_SECONDS) {
    const detail = `must be less than or equal to ${MAX_PERIOD_SECONDS}`;
    errors.push(invalid(path, periodSeconds, detail));
  }
  return errors;
}

/** Errors of an update of the status; the misspelled path is upstream's. */
export function validateHorizontalPodAutoscalerStatus({ status = {} }: Autoscaler): ErrorList {
  const at = Path.root("status");
  return [
    ...validateNonnegative(status.currentReplicas, at.child("currentReplicas")),
    ...validateNonnegative(status.desiredReplicas, at.child("desiredReplicas")),
  ];
}
