/** Upstream: apiserver/pkg/util/flowcontrol/metrics/metrics.go. */
import type { MetricRegistry } from "../metrics/registry.ts";
import type { RejectReason } from "./priority-level.ts";

const WAIT_BUCKETS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const FLOW = ["priority_level", "flow_schema"];
const PREFIX = "apiserver_flowcontrol_";

/** The cells of one FlowSchema and level, looked up once. */
export interface FlowCells {
  dispatched(amount: number): void;
  executing(amount: number): void;
  inQueue(amount: number): void;
  /** Seconds before it ran. */
  waited(seconds: number): void;
  /** Seconds before it was refused. */
  rejected(reason: RejectReason, seconds: number): void;
}

export class FlowControlMetrics {
  readonly #dispatched;
  readonly #rejected;
  readonly #executing;
  readonly #inQueue;
  readonly #waited;
  readonly #nominal;

  constructor(registry: MetricRegistry) {
    this.#dispatched = registry.counter({
      name: `${PREFIX}dispatched_requests_total`,
      help: "Number of requests executed by API Priority and Fairness subsystem",
      labels: FLOW,
      stability: "BETA",
    });
    this.#rejected = registry.counter({
      name: `${PREFIX}rejected_requests_total`,
      help: "Number of requests rejected by API Priority and Fairness subsystem",
      labels: [...FLOW, "reason"],
      stability: "BETA",
    });
    this.#executing = registry.gauge({
      name: `${PREFIX}current_executing_requests`,
      help: "Number of requests in initial (for a WATCH) or any (for a non-WATCH) execution stage in the API Priority and Fairness subsystem",
      labels: FLOW,
      stability: "BETA",
    });
    this.#inQueue = registry.gauge({
      name: `${PREFIX}current_inqueue_requests`,
      help: "Number of requests currently pending in queues of the API Priority and Fairness subsystem",
      labels: FLOW,
      stability: "BETA",
    });
    this.#waited = registry.histogram({
      name: `${PREFIX}request_wait_duration_seconds`,
      help: "Length of time a request spent waiting in its queue",
      labels: [...FLOW, "execute"],
      buckets: WAIT_BUCKETS,
      stability: "BETA",
    });
    this.#nominal = registry.gauge({
      name: `${PREFIX}nominal_limit_seats`,
      help: "Nominal number of execution seats configured for each priority level",
      labels: ["priority_level"],
      stability: "BETA",
    });
  }

  nominalLimit(level: string, seats: number): void {
    this.#nominal.set(seats, level);
  }

  cellsOf(level: string, schema: string): FlowCells {
    const refused = this.#waited.bind(level, schema, "false");
    return {
      dispatched: this.#dispatched.bind(level, schema),
      executing: this.#executing.bind(level, schema),
      inQueue: this.#inQueue.bind(level, schema),
      waited: this.#waited.bind(level, schema, "true"),
      rejected: (reason, seconds) => {
        this.#rejected.inc(level, schema, reason);
        refused(seconds);
      },
    };
  }
}
