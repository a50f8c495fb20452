/** kubernetes_healthcheck and kubernetes_healthchecks_total. Upstream: component-base/metrics/prometheus/slis. */
import type { MetricRegistry } from "../metrics/registry.ts";
import type { HealthObserver } from "./health.ts";

export function healthMetrics(registry: MetricRegistry): HealthObserver {
  const last = registry.gauge({
    name: "kubernetes_healthcheck",
    help: "This metric records the result of a single healthcheck.",
    labels: ["name", "type"],
    stability: "STABLE",
  });
  const total = registry.counter({
    name: "kubernetes_healthchecks_total",
    help: "This metric records the results of all healthcheck.",
    labels: ["name", "type", "status"],
    stability: "STABLE",
  });
  return (endpoint, name, healthy) => {
    last.set(healthy ? 1 : 0, name, endpoint);
    total.inc(name, endpoint, healthy ? "success" : "error");
  };
}
