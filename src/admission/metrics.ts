/**
 * How long admission takes, under upstream's names, labels and buckets.
 * Upstream: apiserver/pkg/admission/metrics/metrics.go.
 */
import { metrics } from "../metrics/registry.ts";
import type { Operation } from "./plugin.ts";

export type Step = "admit" | "validate";

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5];
const controllers = metrics.histogram({
  name: "apiserver_admission_controller_admission_duration_seconds",
  help: "Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).",
  labels: ["name", "type", "operation", "rejected"],
  buckets: BUCKETS,
  stability: "STABLE",
});
const steps = metrics.histogram({
  name: "apiserver_admission_step_admission_duration_seconds",
  help: "Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).",
  labels: ["type", "operation", "rejected"],
  buckets: BUCKETS,
  stability: "STABLE",
});

type Observe = (seconds: number) => void;
/** Bounded by the number of plugins, the two steps, four operations and two outcomes. */
const bound = new Map<string, Observe>();

function observer(key: string, make: () => Observe): Observe {
  const known = bound.get(key);
  if (known !== undefined) return known;
  const made = make();
  bound.set(key, made);
  return made;
}

/** One plugin's part in one phase. */
export function observePlugin(
  name: string,
  step: Step,
  operation: Operation,
  rejected: boolean,
  milliseconds: number,
): void {
  const labels = [name, step, operation, String(rejected)];
  observer(labels.join(), () => controllers.bind(...labels))(milliseconds / 1000);
}

/** One whole phase. */
export function observeStep(
  step: Step,
  operation: Operation,
  rejected: boolean,
  milliseconds: number,
): void {
  const labels = [step, operation, String(rejected)];
  observer(labels.join(), () => steps.bind(...labels))(milliseconds / 1000);
}
