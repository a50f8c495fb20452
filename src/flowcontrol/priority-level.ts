/**
 * The seats of a priority level and the requests that wait for one. Differs from upstream
 * (apiserver/pkg/util/flowcontrol/fairqueuing) in three ways:
 *
 *   Every request takes one seat, however long its list.
 *   Flows wait in a queue each and take turns, so the hand size only bounds a flow's queue: hand
 *     size x queue length. No two flows share a queue by chance.
 *   A level borrows at the moment it needs a seat, not every ten seconds: whenever no other level
 *     uses what it may lend. A level below its nominal limit never waits for the borrower.
 */
import type { PriorityLevelConfigurationSpec } from "../apis/flowcontrol/v1/types.ts";
import type { AuthenticatedRequest } from "../request/request.ts";

export type RejectReason = "concurrency-limit" | "queue-full" | "time-out" | "cancelled";

/** Who waits, and for how long at most. */
export interface Waiting {
  /** The FlowSchema and the user or namespace: requests of one flow are served in order. */
  readonly flow: string;
  readonly request: AuthenticatedRequest;
}

/** What a level has done so far. */
export interface LevelCounts {
  dispatched: number;
  rejected: number;
  timedOut: number;
  cancelled: number;
}

interface Waiter extends Waiting {
  /** Milliseconds since 1970. */
  readonly arrivedAt: number;
  settle(outcome: "run" | RejectReason): void;
}

/** The seats of all levels together. */
export class SeatPool {
  readonly total: number;
  /** For each level what it uses, or what it keeps for itself when that is more. */
  reserved = 0;
  readonly waiting = new Set<PriorityLevel>();

  constructor(total: number) {
    this.total = total;
  }
  /** A seat has become free: others may borrow it. */
  freed(): void {
    if (this.reserved >= this.total) return;
    for (const level of this.waiting) level.startWaiting();
  }
}

export class PriorityLevel {
  readonly name: string;
  /** Never limited. */
  exempt = false;
  nominal = 0;
  readonly #counts: LevelCounts = { dispatched: 0, rejected: 0, timedOut: 0, cancelled: 0 };
  readonly #pool: SeatPool;
  readonly #waitMs: number;
  readonly #queues = new Map<string, Waiter[]>();
  #guaranteed = 0;
  #maximum = 0;
  #executing = 0;
  #inQueue = 0;
  #inQueueMax = 0;
  #inFlowMax = 0;

  /** A request waits `waitMs` at most. */
  constructor(name: string, pool: SeatPool, waitMs: number) {
    this.name = name;
    this.#pool = pool;
    this.#waitMs = waitMs;
  }

  /** Takes on a spec. What runs and what waits stays. Undefined: the level is gone. */
  configure(spec: PriorityLevelConfigurationSpec | undefined, sharesOfAll: number): void {
    const before = this.#reserved();
    const { limited, exempt } = spec ?? {};
    this.exempt = spec?.type === "Exempt";
    const { nominalConcurrencyShares = 0, lendablePercent = 0 } =
      (this.exempt ? exempt : limited) ?? {};
    const total = this.#pool.total;
    this.nominal =
      sharesOfAll === 0 ? 0 : Math.ceil((total * nominalConcurrencyShares) / sharesOfAll);
    this.#guaranteed = this.nominal - Math.round((this.nominal * lendablePercent) / 100);
    const borrowingPercent = limited?.borrowingLimitPercent;
    this.#maximum =
      borrowingPercent === undefined
        ? total
        : this.nominal + Math.round((this.nominal * borrowingPercent) / 100);
    const { type, queuing } = limited?.limitResponse ?? {};
    const length = type === "Queue" ? (queuing?.queueLengthLimit ?? 0) : 0;
    this.#inQueueMax = length * (queuing?.queues ?? 0);
    this.#inFlowMax = length * Math.max(1, queuing?.handSize ?? 1);
    this.#pool.reserved += this.#reserved() - before;
  }

  /** In seats of this thread: its own, what it keeps when others borrow, the most it may have. */
  get limits() {
    return { nominal: this.nominal, lower: this.#guaranteed, upper: this.#maximum };
  }

  /** Takes a seat when there is one. Give it back with finish(). */
  tryStart(): boolean {
    if (!this.exempt && !this.#mayStart()) return false;
    this.#executing++;
    this.#counts.dispatched++;
    if (this.#executing > this.#guaranteed) this.#pool.reserved++;
    return true;
  }

  finish(): void {
    if (this.#executing > this.#guaranteed) this.#pool.reserved--;
    this.#executing--;
    if (this.#pool.waiting.size === 0) return;
    if (this.#inQueue > 0) this.startWaiting();
    this.#pool.freed();
  }

  /** Resolves to "run", with a seat taken, or to why there is none. */
  async wait(waiting: Waiting): Promise<"run" | RejectReason> {
    const outcome = await this.#wait(waiting);
    if (outcome === "time-out") this.#counts.timedOut++;
    else if (outcome === "cancelled") this.#counts.cancelled++;
    else if (outcome !== "run") this.#counts.rejected++;
    return outcome;
  }

  /** What runs and waits now, for people. */
  dump() {
    return {
      executing: this.#executing,
      waiting: this.#inQueue,
      counts: this.#counts,
      queues: [...this.#queues].map(([flow, waiters]) => ({ flow, waiters })),
    };
  }

  #wait({ flow, request }: Waiting): Promise<"run" | RejectReason> {
    const { signal } = request;
    if (this.#inQueueMax === 0) return Promise.resolve("concurrency-limit");
    const queue = this.#queues.get(flow) ?? [];
    if (this.#inQueue >= this.#inQueueMax || queue.length >= this.#inFlowMax) {
      return Promise.resolve("queue-full");
    }
    return new Promise((resolve) => {
      const leave = (reason: RejectReason) => {
        this.#remove(waiter);
        waiter.settle(reason);
      };
      const onAbort = () => leave("cancelled");
      const timer = setTimeout(() => leave("time-out"), this.#waitMs);
      const waiter: Waiter = {
        flow,
        request,
        arrivedAt: Date.now(),
        settle(outcome) {
          clearTimeout(timer);
          signal.removeEventListener("abort", onAbort);
          resolve(outcome);
        },
      };
      signal.addEventListener("abort", onAbort);
      queue.push(waiter);
      this.#queues.set(flow, queue);
      this.#inQueue++;
      this.#pool.waiting.add(this);
    });
  }

  /** Gives every seat that is free to those who wait, a flow at a time. */
  startWaiting(): void {
    while (this.#inQueue > 0 && this.tryStart()) this.#next()?.settle("run");
  }

  #mayStart(): boolean {
    if (this.#executing < this.nominal) return true;
    return this.#executing < this.#maximum && this.#pool.reserved < this.#pool.total;
  }
  #reserved(): number {
    return Math.max(this.#executing, this.#guaranteed);
  }

  /** The flow whose turn it is goes to the end of the line. */
  #next(): Waiter | undefined {
    for (const [flow, queue] of this.#queues) {
      const waiter = queue.shift();
      this.#queues.delete(flow);
      if (queue.length > 0) this.#queues.set(flow, queue);
      this.#left();
      return waiter;
    }
    return undefined;
  }
  #remove(waiter: Waiter): void {
    const queue = this.#queues.get(waiter.flow) ?? [];
    const at = queue.indexOf(waiter);
    if (at === -1) return;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queues.delete(waiter.flow);
    this.#left();
  }
  #left(): void {
    this.#inQueue--;
    if (this.#inQueue === 0) this.#pool.waiting.delete(this);
  }
}
