/**
 * The request metrics that dashboards and alerts read, under upstream's names, labels and buckets.
 * Upstream: apiserver/pkg/endpoints/metrics/metrics.go.
 */
import type { MetricRegistry } from "./registry.ts";

const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
const SIZE_BUCKETS = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const REQUEST = ["verb", "dry_run", "group", "version", "resource", "subresource", "scope"];
const WITH_COMPONENT = [...REQUEST.filter((label) => label !== "dry_run"), "component"];

/** What a request counts as. */
export interface RequestLabels {
  /** GET LIST WATCH POST PUT PATCH APPLY DELETE DELETECOLLECTION CONNECT. */
  readonly verb: string;
  readonly dryRun: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** resource, namespace, cluster or "". */
  readonly scope: string;
  readonly mutating: boolean;
  readonly longRunning: boolean;
}

/** Kinds of requests whose cells are kept at hand. */
const BOUND_MAX = 4_096;
type Add = (value: number) => void;
interface Bound {
  readonly inProgress: Add;
  readonly totals: Map<number, Add>;
  readonly duration: Add;
  readonly sli: Add | undefined;
  readonly size: Add | undefined;
}

export class RequestMetrics {
  readonly #total;
  readonly #duration;
  readonly #sli;
  readonly #sizes;
  readonly #longRunning;
  readonly #inflight;
  readonly #aborts;
  readonly #terminations;
  readonly #bodySizes;
  readonly #bound = new Map<string, Bound>();

  constructor(registry: MetricRegistry) {
    const stability = "STABLE" as const;
    this.#total = registry.counter({
      name: "apiserver_request_total",
      help: "Counter of apiserver requests broken out for each verb, dry run value, group, version, resource, scope, component, and HTTP response code.",
      labels: [...REQUEST, "component", "code"],
      stability,
    });
    this.#duration = registry.histogram({
      name: "apiserver_request_duration_seconds",
      help: "Response latency distribution in seconds for each verb, dry run value, group, version, resource, subresource, scope and component.",
      labels: [...REQUEST, "component"],
      buckets: DURATION_BUCKETS,
      stability,
    });
    this.#sli = registry.histogram({
      name: "apiserver_request_sli_duration_seconds",
      help: "Response latency distribution (not counting webhook duration and priority & fairness queue wait times) in seconds for each verb, group, version, resource, subresource, scope and component.",
      labels: WITH_COMPONENT,
      buckets: DURATION_BUCKETS,
      stability,
    });
    this.#sizes = registry.histogram({
      name: "apiserver_response_sizes",
      help: "Response size distribution in bytes for each group, version, verb, resource, subresource, scope and component.",
      labels: WITH_COMPONENT,
      buckets: SIZE_BUCKETS,
      stability,
    });
    this.#longRunning = registry.gauge({
      name: "apiserver_longrunning_requests",
      help: "Gauge of all active long-running apiserver requests broken out by verb, group, version, resource, scope and component. Not all requests are tracked this way.",
      labels: WITH_COMPONENT,
      stability,
    });
    this.#inflight = registry.gauge({
      name: "apiserver_current_inflight_requests",
      help: "Maximal number of currently used inflight request limit of this apiserver per request kind in last second.",
      labels: ["request_kind"],
      stability,
    });
    this.#inflight.set(0, "mutating");
    this.#inflight.set(0, "readOnly");
    this.#aborts = registry.counter({
      name: "apiserver_request_aborts_total",
      help: "Number of requests which apiserver aborted possibly due to a timeout, for each group, version, verb, resource, subresource and scope",
      labels: REQUEST.filter((label) => label !== "dry_run"),
    });
    this.#terminations = registry.counter({
      name: "apiserver_request_terminations_total",
      help: "Number of requests which apiserver terminated in self-defense.",
      labels: [...WITH_COMPONENT, "code"],
    });
    this.#bodySizes = registry.histogram({
      name: "apiserver_request_body_size_bytes",
      help: "Apiserver request body size in bytes broken out by resource and verb.",
      labels: ["resource", "verb"],
      buckets: [
        50_000, 150_000, 250_000, 350_000, 450_000, 550_000, 650_000, 750_000, 1_050_000, 3_050_000,
      ],
    });
  }

  started(labels: RequestLabels): void {
    this.#boundOf(labels).inProgress(1);
  }

  /** `bytes` undefined: not counted (watches). */
  finished(labels: RequestLabels, code: number, seconds: number, bytes: number | undefined): void {
    const bound = this.#boundOf(labels);
    bound.inProgress(-1);
    let total = bound.totals.get(code);
    if (total === undefined) {
      total = this.#total.bind(...ofRequest(labels), "apiserver", String(code));
      bound.totals.set(code, total);
    }
    total(1);
    bound.duration(seconds);
    bound.sli?.(seconds);
    if (bytes !== undefined) bound.size?.(bytes);
  }

  /** The cells of one kind of request, looked up once. */
  #boundOf(labels: RequestLabels): Bound {
    const { verb, dryRun, group, version, resource, subresource, scope, longRunning } = labels;
    const key = `${verb} ${dryRun} ${group} ${version} ${resource} ${subresource} ${scope}`;
    const known = this.#bound.get(key);
    if (known !== undefined) return known;
    if (this.#bound.size >= BOUND_MAX) this.#bound.clear();
    const component = withComponent(labels);
    const kind = labels.mutating ? "mutating" : "readOnly";
    const hasSize = verb === "GET" || verb === "LIST";
    const bound: Bound = {
      inProgress: longRunning ? this.#longRunning.bind(...component) : this.#inflight.bind(kind),
      totals: new Map(),
      duration: this.#duration.bind(...ofRequest(labels), "apiserver"),
      sli: longRunning ? undefined : this.#sli.bind(...component),
      size: hasSize ? this.#sizes.bind(...component) : undefined,
    };
    this.#bound.set(key, bound);
    return bound;
  }

  aborted(labels: RequestLabels): void {
    const { verb, group, version, resource, subresource, scope } = labels;
    this.#aborts.inc(verb, group, version, resource, subresource, scope);
  }
  /** Refused or cut off to protect the server: 429, 504. */
  terminated(labels: RequestLabels, code: number): void {
    this.#terminations.inc(...withComponent(labels), String(code));
  }
  bodyRead(labels: RequestLabels, bytes: number): void {
    this.#bodySizes.observe(bytes, labels.resource, labels.verb.toLowerCase());
  }
}

const ofRequest = ({ verb, dryRun, group, version, resource, subresource, scope }: RequestLabels) =>
  [verb, dryRun, group, version, resource, subresource, scope] as const;
const withComponent = ({ verb, group, version, resource, subresource, scope }: RequestLabels) =>
  [verb, group, version, resource, subresource, scope, "apiserver"] as const;
