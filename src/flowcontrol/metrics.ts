/** Upstream: apiserver/pkg/util/flowcontrol/metrics/metrics.go. */
import type { MetricRegistry } from "../metrics/registry.ts";
import type { RejectReason } from "./priority-level.ts";

const WAIT_BUCKETS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const FLOW = ["priority_level", "flow_schema"];
const LEVEL = ["priority_level"];
const PREFIX = "apiserver_flowcontrol_";

/** The cells of one FlowSchema and level, looked up once. */
export interface FlowCells {
  dispatched(amount: number): void;
  /** Requests, each of which takes one seat. */
  executing(amount: number): void;
  /** Seconds that it ran: of a watch, until it began. */
  executed(seconds: number): void;
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
  readonly #lower;
  readonly #upper;
  readonly #current;
  readonly #seats;
  readonly #executed;

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
      labels: LEVEL,
      stability: "BETA",
    });
    this.#lower = registry.gauge({
      name: `${PREFIX}lower_limit_seats`,
      help: "Configured lower bound on number of execution seats available to each priority level",
      labels: LEVEL,
    });
    this.#upper = registry.gauge({
      name: `${PREFIX}upper_limit_seats`,
      help: "Configured upper bound on number of execution seats available to each priority level",
      labels: LEVEL,
    });
    this.#current = registry.gauge({
      name: `${PREFIX}current_limit_seats`,
      help: "current derived number of execution seats available to each priority level",
      labels: LEVEL,
    });
    this.#seats = registry.gauge({
      name: `${PREFIX}current_executing_seats`,
      help: "Concurrency (number of seats) occupied by the currently executing (initial stage for a WATCH, any stage otherwise) requests in the API Priority and Fairness subsystem",
      labels: FLOW,
      stability: "BETA",
    });
    this.#executed = registry.histogram({
      name: `${PREFIX}request_execution_seconds`,
      help: "Duration of initial stage (for a WATCH) or any (for a non-WATCH) stage of request execution in the API Priority and Fairness subsystem",
      labels: [...FLOW, "type"],
      buckets: WAIT_BUCKETS,
    });
  }

  /** What a level has of its own, keeps when others borrow, and may have at most. */
  limits(level: string, seats: { nominal: number; lower: number; upper: number }): void {
    this.#nominal.set(seats.nominal, level);
    this.#current.set(seats.nominal, level);
    this.#lower.set(seats.lower, level);
    this.#upper.set(seats.upper, level);
  }

  cellsOf(level: string, schema: string): FlowCells {
    const executing = this.#executing.bind(level, schema);
    const seats = this.#seats.bind(level, schema);
    const refused = this.#waited.bind(level, schema, "false");
    return {
      dispatched: this.#dispatched.bind(level, schema),
      executing: (amount) => {
        executing(amount);
        seats(amount);
      },
      executed: this.#executed.bind(level, schema, "regular"),
      inQueue: this.#inQueue.bind(level, schema),
      waited: this.#waited.bind(level, schema, "true"),
      rejected: (reason, seconds) => {
        this.#rejected.inc(level, schema, reason);
        refused(seconds);
      },
    };
  }
}
