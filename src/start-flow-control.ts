/** How many requests run at a time, from flags, for one front thread. */
import type { Listers } from "./admission/plugin.ts";
import type { FlowControl } from "./flowcontrol/flow-control.ts";
import { maxInFlight } from "./flowcontrol/max-in-flight.ts";
import { PriorityAndFairness } from "./flowcontrol/priority-and-fairness.ts";
import { logError } from "./metrics/log.ts";
import { metrics } from "./metrics/registry.ts";
import type { Flags } from "./options/flags.ts";
import { isLongRunning } from "./server/deadline.ts";
import type { HealthRegistry } from "./server/health.ts";

/** Upstream: a quarter of the request timeout, so that there is time left to run. */
const WAIT_PART = 4;
const DEFAULT_TIMEOUT_MS = 60_000;

export interface FlowControlSettings {
  readonly flags: Flags;
  /** The limits are those of the process: each thread gets its part, rounded up. */
  readonly threads: number;
  readonly listers: Listers;
  readonly health: HealthRegistry;
}

export function startFlowControl(settings: FlowControlSettings): FlowControl {
  const { flags, threads, health } = settings;
  const readOnly = flags["max-requests-inflight"];
  const mutating = flags["max-mutating-requests-inflight"];
  const part = (limit: number) => Math.ceil(limit / threads);
  if (!flags["enable-priority-and-fairness"]) {
    health.addPostStartHook("max-in-flight-filter")();
    return maxInFlight({ readOnly: part(readOnly), mutating: part(mutating), isLongRunning });
  }
  const fairness = new PriorityAndFairness({
    seats: part(readOnly + mutating),
    waitMs: (flags["request-timeout"] || DEFAULT_TIMEOUT_MS) / WAIT_PART,
    isLongRunning,
    metrics,
    onError: (error) => logError("Reading flow schemas failed", error),
  });
  health.addPostStartHook("priority-and-fairness-filter")();
  const done = health.addPostStartHook("priority-and-fairness-config-consumer");
  void fairness.follow(settings.listers).then(() => done());
  return fairness;
}
