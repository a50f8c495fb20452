/** Metrics of autoscaling/v1, as its annotations hold them, and of v2. */
import type * as v2 from "../v2/types.ts";
import type * as v1 from "./types.ts";

/** An absent member is left out, so that encoders and comparisons do not see it. */
function some<T extends object>(object: T): T {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}

function identifier(name: string | undefined, selector: v2.MetricIdentifier["selector"]) {
  return some<v2.MetricIdentifier>({ name, selector });
}

/** The type of a target of v1's resource metrics follows from what is set. */
function utilizationTarget(
  source: Pick<v1.ResourceMetricSource, "targetAverageUtilization" | "targetAverageValue">,
): v2.MetricTarget {
  return some<v2.MetricTarget>({
    type: source.targetAverageUtilization === undefined ? "AverageValue" : "Utilization",
    averageUtilization: source.targetAverageUtilization,
    averageValue: source.targetAverageValue,
  });
}

/** A metric of v1 as v2 has it. */
export function metricFromV1(metric: v1.MetricSpec): v2.MetricSpec {
  const out: v2.MetricSpec = { type: metric.type };
  const { object, pods, resource, containerResource, external } = metric;
  if (object !== undefined) {
    out.object = some<v2.ObjectMetricSource>({
      describedObject: object.target,
      metric: identifier(object.metricName, object.selector),
      target: some<v2.MetricTarget>({
        type: object.averageValue === undefined ? "Value" : "AverageValue",
        value: object.targetValue ?? "0",
        averageValue: object.averageValue,
      }),
    });
  }
  if (pods !== undefined) {
    out.pods = {
      metric: identifier(pods.metricName, pods.selector),
      target: { type: "AverageValue", averageValue: pods.targetAverageValue ?? "0" },
    };
  }
  if (resource !== undefined) {
    out.resource = some({ name: resource.name, target: utilizationTarget(resource) });
  }
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    out.containerResource = some({ name, container, target: utilizationTarget(containerResource) });
  }
  if (external !== undefined) {
    out.external = {
      metric: identifier(external.metricName, external.metricSelector),
      target: some<v2.MetricTarget>({
        type: external.targetValue === undefined ? "AverageValue" : "Value",
        value: external.targetValue,
        averageValue: external.targetAverageValue,
      }),
    };
  }
  return out;
}

/** A metric of v2 as v1's annotation has it. */
export function metricToV1(metric: v2.MetricSpec): v1.MetricSpec {
  const out: v1.MetricSpec = { type: metric.type };
  const { object, pods, resource, containerResource, external } = metric;
  if (object !== undefined) {
    out.object = some<v1.ObjectMetricSource>({
      target: object.describedObject,
      metricName: object.metric?.name,
      targetValue: object.target?.value ?? "0",
      selector: object.metric?.selector,
      averageValue: object.target?.averageValue,
    });
  }
  if (pods !== undefined) {
    out.pods = some<v1.PodsMetricSource>({
      metricName: pods.metric?.name,
      targetAverageValue: pods.target?.averageValue ?? "0",
      selector: pods.metric?.selector,
    });
  }
  if (resource !== undefined) {
    out.resource = some<v1.ResourceMetricSource>({
      name: resource.name,
      targetAverageUtilization: resource.target?.averageUtilization,
      targetAverageValue: resource.target?.averageValue,
    });
  }
  if (containerResource !== undefined) {
    out.containerResource = some<v1.ContainerResourceMetricSource>({
      name: containerResource.name,
      container: containerResource.container,
      targetAverageUtilization: containerResource.target?.averageUtilization,
      targetAverageValue: containerResource.target?.averageValue,
    });
  }
  if (external !== undefined) {
    out.external = some<v1.ExternalMetricSource>({
      metricName: external.metric?.name,
      metricSelector: external.metric?.selector,
      targetValue: external.target?.value,
      targetAverageValue: external.target?.averageValue,
    });
  }
  return out;
}

/** A current metric of v1 as v2 has it. */
export function metricStatusFromV1(metric: v1.MetricStatus): v2.MetricStatus {
  const out: v2.MetricStatus = { type: metric.type };
  const { object, pods, resource, containerResource, external } = metric;
  if (object !== undefined) {
    out.object = some<v2.ObjectMetricStatus>({
      describedObject: object.target,
      metric: identifier(object.metricName, object.selector),
      current: some({ value: object.currentValue ?? "0", averageValue: object.averageValue }),
    });
  }
  if (pods !== undefined) {
    out.pods = {
      metric: identifier(pods.metricName, pods.selector),
      current: { averageValue: pods.currentAverageValue ?? "0" },
    };
  }
  if (resource !== undefined) {
    out.resource = some({ name: resource.name, current: utilization(resource) });
  }
  if (containerResource !== undefined) {
    const { name, container } = containerResource;
    out.containerResource = some({ name, container, current: utilization(containerResource) });
  }
  if (external !== undefined) {
    out.external = {
      metric: identifier(external.metricName, external.metricSelector),
      current: some({
        value: external.currentValue ?? "0",
        averageValue: external.currentAverageValue,
      }),
    };
  }
  return out;
}

function utilization(
  source: Pick<v1.ResourceMetricStatus, "currentAverageUtilization" | "currentAverageValue">,
): v2.MetricValueStatus {
  return some<v2.MetricValueStatus>({
    averageValue: source.currentAverageValue ?? "0",
    averageUtilization: source.currentAverageUtilization,
  });
}

/** A current metric of v2 as v1's annotation has it. */
export function metricStatusToV1(metric: v2.MetricStatus): v1.MetricStatus {
  const out: v1.MetricStatus = { type: metric.type };
  const { object, pods, resource, containerResource, external } = metric;
  if (object !== undefined) {
    out.object = some<v1.ObjectMetricStatus>({
      target: object.describedObject,
      metricName: object.metric?.name,
      currentValue: object.current?.value ?? "0",
      selector: object.metric?.selector,
      averageValue: object.current?.averageValue,
    });
  }
  if (pods !== undefined) {
    out.pods = some<v1.PodsMetricStatus>({
      metricName: pods.metric?.name,
      currentAverageValue: pods.current?.averageValue ?? "0",
      selector: pods.metric?.selector,
    });
  }
  if (resource !== undefined) {
    out.resource = some<v1.ResourceMetricStatus>({
      name: resource.name,
      currentAverageUtilization: resource.current?.averageUtilization,
      currentAverageValue: resource.current?.averageValue ?? "0",
    });
  }
  if (containerResource !== undefined) {
    out.containerResource = some<v1.ContainerResourceMetricStatus>({
      name: containerResource.name,
      container: containerResource.container,
      currentAverageUtilization: containerResource.current?.averageUtilization,
      currentAverageValue: containerResource.current?.averageValue ?? "0",
    });
  }
  if (external !== undefined) {
    out.external = some<v1.ExternalMetricStatus>({
      metricName: external.metric?.name,
      metricSelector: external.metric?.selector,
      currentValue: external.current?.value ?? "0",
      currentAverageValue: external.current?.averageValue,
    });
  }
  return out;
}
