/**
 * API priority and fairness: every request is classified by the FlowSchemas in the store and takes
 * a seat of its priority level. Upstream: apiserver/pkg/util/flowcontrol and
 * apiserver/pkg/server/filters/priority-and-fairness.go; what differs is in priority-level.ts.
 */
import type { Listers } from "../admission/plugin.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { mandatoryFlowSchemas, mandatoryPriorityLevels } from "../apis/flowcontrol/v1/mandatory.ts";
import type {
  FlowSchema,
  FlowSchemaSpec,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
} from "../apis/flowcontrol/v1/types.ts";
import type { MetricRegistry } from "../metrics/registry.ts";
import type { AuthenticatedRequest, Handler, Response } from "../request/request.ts";
import type { RequestInfo } from "../request/request-info.ts";
import { dumpHandler } from "./dump.ts";
import { type FlowControl, type Next, releaseAtEnd, tooManyRequests } from "./flow-control.ts";
import { type FlowCells, FlowControlMetrics } from "./metrics.ts";
import { PriorityLevel, SeatPool } from "./priority-level.ts";
import { FlowRules } from "./rules.ts";

const GROUP = "flowcontrol.apiserver.k8s.io";
const FLOW_SCHEMAS = { group: GROUP, resource: "flowschemas" };
const LEVELS = { group: GROUP, resource: "prioritylevelconfigurations" };
/** Bootstrap writes many objects at once; they are compiled together. */
const SETTLE_MS = 20;
const RETRY_MS = 1_000;

export interface PriorityAndFairnessConfig {
  /** Seats of this thread: its part of --max-requests-inflight and the mutating ones. */
  readonly seats: number;
  /** How long a request waits for a seat at most. */
  readonly waitMs: number;
  readonly isLongRunning: (info: RequestInfo) => boolean;
  readonly metrics: MetricRegistry;
  readonly onError: (error: unknown) => void;
}

/** A FlowSchema with its level, as a request meets them. */
interface Flow {
  readonly name: string;
  readonly by: string | undefined;
  readonly level: PriorityLevel;
  readonly headers: readonly (readonly [string, string])[];
  readonly cells: FlowCells;
}

export class PriorityAndFairness implements FlowControl {
  readonly #config: PriorityAndFairnessConfig;
  readonly #pool: SeatPool;
  readonly #metrics: FlowControlMetrics;
  readonly #levels = new Map<string, PriorityLevel>();
  #rules: FlowRules<Flow> = new FlowRules([]);
  /** For what no schema matches, as upstream. */
  #catchAll: Flow | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(config: PriorityAndFairnessConfig) {
    this.#config = config;
    this.#pool = new SeatPool(config.seats);
    this.#metrics = new FlowControlMetrics(config.metrics);
    this.compile([], []);
  }

  /** Follows the objects in the store. Resolves when they have been read for the first time. */
  follow(listers: Listers): Promise<void> {
    return new Promise((resolve) => {
      const read = async () => {
        const schemas = await listers.list<KubeObject & FlowSchema>(FLOW_SCHEMAS, "");
        const levels = await listers.list<KubeObject & PriorityLevelConfiguration>(LEVELS, "");
        this.compile(schemas, levels);
        resolve();
      };
      const schedule = (delayMs: number) => {
        if (this.#timer !== undefined || this.#closed) return;
        this.#timer = setTimeout(() => {
          this.#timer = undefined;
          read().catch((error: unknown) => {
            this.#config.onError(error);
            schedule(RETRY_MS);
          });
        }, delayMs);
        this.#timer.unref();
      };
      listers.onChange(FLOW_SCHEMAS, () => schedule(SETTLE_MS));
      listers.onChange(LEVELS, () => schedule(SETTLE_MS));
    });
  }

  /** Takes on these objects; the mandatory ones are there whatever the store has. */
  compile(schemas: readonly FlowSchema[], levels: readonly PriorityLevelConfiguration[]): void {
    const specs = new Map<string, PriorityLevelConfigurationSpec>(
      Object.entries(mandatoryPriorityLevels),
    );
    const uids = new Map<string, string>();
    for (const { metadata, spec } of levels) {
      specs.set(metadata?.name ?? "", spec ?? {});
      uids.set(metadata?.name ?? "", metadata?.uid ?? "");
    }
    this.#configureLevels(specs);
    const found = new Map<string, FlowSchema>();
    for (const [name, spec] of Object.entries(mandatoryFlowSchemas)) {
      found.set(name, { metadata: { name }, spec });
    }
    for (const schema of schemas) found.set(schema.metadata?.name ?? "", schema);
    const sets = [...found.values()].sort(byPrecedence).flatMap(({ metadata, spec = {} }) => {
      const level = this.#levels.get(spec.priorityLevelConfiguration?.name ?? "");
      if (level === undefined) return []; // a dangling reference takes the schema out
      const of = { name: metadata?.name ?? "", uid: metadata?.uid ?? "" };
      return [{ spec, value: this.#flowOf(of, spec, level, uids.get(level.name) ?? "") }];
    });
    this.#rules = new FlowRules(sets);
    this.#catchAll = sets.find(({ value }) => value.name === "catch-all")?.value;
  }

  async run(request: AuthenticatedRequest, next: Next): Promise<Response> {
    const { info, user } = request;
    if (info.verb !== "watch" && this.#config.isLongRunning(info)) return next(request);
    const flow = this.#rules.match(user, info) ?? this.#catchAll;
    if (flow === undefined) return next(request);
    request.responseHeaders = flow.headers;
    if (flow.level.tryStart()) {
      flow.cells.waited(0);
      return execute(flow, request, next);
    }
    return this.#queue(flow, request, next);
  }

  /** The dumps under /debug; undefined for other paths. */
  lookup(path: string): Handler | undefined {
    return dumpHandler(path, () => this.#levels.values());
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #queue(flow: Flow, request: AuthenticatedRequest, next: Next): Promise<Response> {
    const { cells, level } = flow;
    const started = performance.now();
    cells.inQueue(1);
    const outcome = await level.wait({ flow: flowKey(flow, request), request });
    cells.inQueue(-1);
    const seconds = (performance.now() - started) / 1000;
    if (outcome !== "run") {
      cells.rejected(outcome, seconds);
      return tooManyRequests();
    }
    cells.waited(seconds);
    return execute(flow, request, next);
  }

  #configureLevels(specs: ReadonlyMap<string, PriorityLevelConfigurationSpec>): void {
    const shares = [...specs.values()].map(
      ({ type, exempt, limited }) =>
        (type === "Exempt" ? exempt : limited)?.nominalConcurrencyShares ?? 0,
    );
    const sharesOfAll = shares.reduce((sum, one) => sum + one, 0);
    for (const [name, level] of this.#levels) {
      if (specs.has(name)) continue;
      level.configure(undefined, 0);
      this.#levels.delete(name);
      this.#metrics.limits(name, level.limits);
    }
    for (const [name, spec] of specs) {
      let level = this.#levels.get(name);
      if (level === undefined) {
        level = new PriorityLevel(name, this.#pool, this.#config.waitMs);
        this.#levels.set(name, level);
      }
      level.configure(spec, sharesOfAll);
      this.#metrics.limits(name, level.limits);
    }
  }

  #flowOf(
    { name, uid }: { readonly name: string; readonly uid: string },
    { distinguisherMethod }: FlowSchemaSpec,
    level: PriorityLevel,
    levelUid: string,
  ): Flow {
    return {
      name,
      by: distinguisherMethod?.type,
      level,
      headers: [
        ["X-Kubernetes-Pf-Flowschema-Uid", uid],
        ["X-Kubernetes-Pf-Prioritylevel-Uid", levelUid],
      ],
      cells: this.#metrics.cellsOf(level.name, name),
    };
  }
}

/** With a seat taken; gives it back when the answer is complete. */
async function execute(
  { level, cells }: Flow,
  request: AuthenticatedRequest,
  next: Next,
): Promise<Response> {
  cells.dispatched(1);
  cells.executing(1);
  const started = performance.now();
  const release = () => {
    cells.executing(-1);
    cells.executed((performance.now() - started) / 1000);
    level.finish();
  };
  let response: Response;
  try {
    response = await next(request);
  } catch (thrown) {
    release();
    throw thrown;
  }
  return releaseAtEnd(response, release);
}

function flowKey({ name, by }: Flow, { user, info }: AuthenticatedRequest): string {
  if (by === "ByUser") return `${name}/${user.name}`;
  return by === "ByNamespace" ? `${name}/${info.namespace}` : name;
}

function byPrecedence(a: FlowSchema, b: FlowSchema): number {
  const difference = (a.spec?.matchingPrecedence ?? 0) - (b.spec?.matchingPrecedence ?? 0);
  if (difference !== 0) return difference;
  return (a.metadata?.name ?? "") < (b.metadata?.name ?? "") ? -1 : 1;
}
