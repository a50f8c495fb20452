/** Upstream: apiserver/pkg/endpoints/filters/metrics.go. */
import { metrics } from "../metrics/registry.ts";

/** 1 ms to 16 s, doubling. */
export const DURATION_BUCKETS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);

const attempts = metrics.counter({
  name: "authentication_attempts",
  help: "Counter of authenticated attempts.",
  labels: ["result"],
});
const duration = metrics.histogram({
  name: "authentication_duration_seconds",
  help: "Authentication duration in seconds broken out by result.",
  labels: ["result"],
  buckets: DURATION_BUCKETS,
});
const users = metrics.counter({
  name: "authenticated_user_requests",
  help: "Counter of authenticated requests broken out by username.",
  labels: ["username"],
});

/** success: somebody; failure: nobody; error: a bad credential. */
export type AuthenticationOutcome = "success" | "failure" | "error";
const bound = (outcome: AuthenticationOutcome) => ({
  count: attempts.bind(outcome),
  observe: duration.bind(outcome),
});
const outcomes = {
  success: bound("success"),
  failure: bound("failure"),
  error: bound("error"),
} as const;

/** `startedAt` is of performance.now(). */
export function recordAuthentication(outcome: AuthenticationOutcome, startedAt: number): void {
  const { count, observe } = outcomes[outcome];
  count(1);
  observe((performance.now() - startedAt) / 1000);
}

const KNOWN = new Set([
  "admin",
  "client",
  "kube_proxy",
  "kubelet",
  "system:serviceaccount:kube-system:default",
]);
const counts = new Map<string, (amount: number) => void>();

/** Counts a request by user, all but a few names as one: names are without bound. */
export function recordUser(name: string): void {
  const label = KNOWN.has(name) ? name : name.includes("@") ? "email_id" : "other";
  let count = counts.get(label);
  if (count === undefined) {
    count = users.bind(label);
    counts.set(label, count);
  }
  count(1);
}
