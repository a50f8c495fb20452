/** workqueue_*. Upstream: component-base/metrics/prometheus/workqueue. */
import { metrics } from "../metrics/registry.ts";

const BUCKETS = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1, 1, 10, 100, 1000];
const shared = { labels: ["name"], stability: "BETA" } as const;

const adds = metrics.counter({
  name: "workqueue_adds_total",
  help: "Total number of adds handled by workqueue",
  ...shared,
});
const depth = metrics.gauge({
  name: "workqueue_depth",
  help: "Current depth of workqueue",
  ...shared,
});
const retries = metrics.counter({
  name: "workqueue_retries_total",
  help: "Total number of retries handled by workqueue",
  ...shared,
});
const queued = metrics.histogram({
  name: "workqueue_queue_duration_seconds",
  help: "How long in seconds an item stays in workqueue before being requested.",
  buckets: BUCKETS,
  ...shared,
});
const worked = metrics.histogram({
  name: "workqueue_work_duration_seconds",
  help: "How long in seconds processing an item from workqueue takes.",
  buckets: BUCKETS,
  ...shared,
});
const unfinished = metrics.gauge({
  name: "workqueue_unfinished_work_seconds",
  help: "How many seconds of work is in progress and has not been observed by work_duration.",
  ...shared,
});
const longest = metrics.gauge({
  name: "workqueue_longest_running_processor_seconds",
  help: "How many seconds the longest running processor of the workqueue has been running.",
  ...shared,
});

/** The cells of one queue. Times are in seconds, depths in keys. */
export interface QueueCells {
  added(depth: number): void;
  begun(depth: number, waited: number): void;
  retried(): void;
  done(took: number): void;
}

/** `running`: keys with when their work began, as performance.now() has it; read at each scrape. */
export function queueCells(name: string, running: ReadonlyMap<string, number>): QueueCells {
  const [add, retry] = [adds.bind(name), retries.bind(name)];
  const [waited, took] = [queued.bind(name), worked.bind(name)];
  add(0);
  retry(0);
  depth.set(0, name);
  metrics.onCollect(() => {
    const now = performance.now();
    const seconds = [...running.values()].map((begun) => (now - begun) / 1000);
    unfinished.set(
      seconds.reduce((sum, one) => sum + one, 0),
      name,
    );
    longest.set(Math.max(0, ...seconds), name);
  });
  return {
    added: (size) => {
      add(1);
      depth.set(size, name);
    },
    begun: (size, seconds) => {
      depth.set(size, name);
      waited(seconds);
    },
    retried: () => retry(1),
    done: took,
  };
}
