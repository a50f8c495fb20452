/** Upstream: apiserver/pkg/endpoints/filters/metrics.go. */
import { DURATION_BUCKETS } from "../authentication/metrics.ts";
import { metrics } from "../metrics/registry.ts";
import type { AuthorizationResult } from "./authorizer.ts";

const attempts = metrics.counter({
  name: "authorization_attempts_total",
  help: "Counter of authorization attempts broken down by result. It can be either 'allowed', 'denied', 'no-opinion' or 'error'.",
  labels: ["result"],
});
const duration = metrics.histogram({
  name: "authorization_duration_seconds",
  help: "Authorization duration in seconds broken out by result.",
  labels: ["result"],
  buckets: DURATION_BUCKETS,
});

const bound = (label: string) => ({ count: attempts.bind(label), observe: duration.bind(label) });
const outcomes = {
  Allow: bound("allowed"),
  Deny: bound("denied"),
  NoOpinion: bound("no-opinion"),
} as const;
const failed = bound("error");

/** `startedAt` is of performance.now(). */
export function recordAuthorization({ decision, error }: AuthorizationResult, startedAt: number) {
  const isError = error !== undefined && decision !== "Allow";
  const { count, observe } = isError ? failed : outcomes[decision];
  count(1);
  observe((performance.now() - startedAt) / 1000);
}
