/**
 * Calls to webhooks and checks of policies, under upstream's names, labels and buckets.
 * Upstream: apiserver/pkg/admission/metrics/metrics.go, plugin/policy/validating/metrics.go.
 */
import { metrics } from "../../metrics/registry.ts";
import type { Operation } from "../plugin.ts";

const WEBHOOK_BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
const durations = metrics.histogram({
  name: "apiserver_admission_webhook_admission_duration_seconds",
  help: "Admission webhook latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).",
  labels: ["name", "type", "operation", "rejected"],
  buckets: WEBHOOK_BUCKETS,
  stability: "STABLE",
});
const requests = metrics.counter({
  name: "apiserver_admission_webhook_request_total",
  help: "Admission webhook request total, identified by name and broken out for each admission type (validating or mutating) and operation. Additional labels specify whether the request was rejected or not and an HTTP status code. Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.",
  labels: ["name", "type", "operation", "code", "rejected"],
  stability: "ALPHA",
});
const rejections = metrics.counter({
  name: "apiserver_admission_webhook_rejection_count",
  help: "Admission webhook rejection count, identified by name and broken out for each admission type (validating or admit) and operation. Additional labels specify an error type (calling_webhook_error or apiserver_internal_error if an error occurred; no_error otherwise) and optionally a non-zero rejection code if the webhook rejects the request with an HTTP status code (honored by the apiserver when the code is greater or equal to 400). Codes greater than 600 are truncated to 600, to keep the metrics cardinality bounded.",
  labels: ["name", "type", "operation", "error_type", "rejection_code"],
  stability: "ALPHA",
});
const failOpen = metrics.counter({
  name: "apiserver_admission_webhook_fail_open_count",
  help: "Admission webhook fail open count, identified by name and broken out for each admission type (validating or mutating).",
  labels: ["name", "type"],
  stability: "ALPHA",
});
const checks = metrics.counter({
  name: "apiserver_validating_admission_policy_check_total",
  help: "Validation admission policy check total, labeled by policy and further identified by binding and enforcement action taken.",
  labels: ["policy", "policy_binding", "error_type", "enforcement_action"],
  stability: "BETA",
});

const CODE_MAX = 600;

export interface CallOutcome {
  readonly milliseconds: number;
  readonly rejected: boolean;
  /** 0: none. */
  readonly code: number;
  /** Set where the request was refused. */
  readonly failure?: string;
}

/** One call of a webhook; `type` is `admit` or `validating`. */
export function observeCall(
  name: string,
  type: "admit" | "validating",
  operation: Operation,
  { milliseconds, rejected, code, failure }: CallOutcome,
): void {
  const told = String(Math.min(CODE_MAX, code));
  durations.bind(name, type, operation, String(rejected))(milliseconds / 1000);
  requests.bind(name, type, operation, told, String(rejected))(1);
  if (rejected) rejections.bind(name, type, operation, failure ?? "no_error", told)(1);
}

/** A webhook that could not be asked and is not needed. */
export function observeFailOpen(name: string, type: "admit" | "validating"): void {
  failOpen.bind(name, type)(1);
}

/** A policy's binding took an action about a request. */
export function observeCheck(
  policy: string,
  binding: string,
  action: "deny" | "warn" | "audit" | "allow",
  errorType: string,
): void {
  checks.bind(policy, binding, errorType, action)(1);
}
