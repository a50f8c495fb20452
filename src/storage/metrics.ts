/**
 * What a thread does with the store: its calls, and what it feeds caches with.
 * Upstream: apiserver/pkg/storage/etcd3/metrics, apiserver/pkg/storage/cacher/metrics.
 */
import { metrics } from "../metrics/registry.ts";
import type { CacheFeed } from "./cacher/view.ts";
import type { CasRequest, CasResult, KvBackend, RangeRequest, RangeResult } from "./interfaces.ts";

const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45,
  60,
];
const OF = ["group", "resource"];
const CALL = ["operation", ...OF];

const duration = metrics.histogram({
  name: "etcd_request_duration_seconds",
  help: "Etcd request latency in seconds for each operation and object type.",
  labels: CALL,
  buckets: DURATION_BUCKETS,
});
const total = metrics.counter({
  name: "etcd_requests_total",
  help: "Etcd request counts for each operation and object type.",
  labels: CALL,
});
const failures = metrics.counter({
  name: "etcd_request_errors_total",
  help: "Etcd failed request counts for each operation and object type.",
  labels: CALL,
});
const eventsStored = metrics.counter({
  name: "apiserver_storage_events_received_total",
  help: "Number of etcd events received split by kind.",
  labels: OF,
  stability: "BETA",
});
const eventsCached = metrics.counter({
  name: "apiserver_watch_cache_events_received_total",
  help: "Counter of events received in watch cache broken by resource type.",
  labels: OF,
});
const initEvents = metrics.counter({
  name: "apiserver_init_events_total",
  help: "Counter of init events processed in watch cache broken by resource type.",
  labels: OF,
});
const initializations = metrics.counter({
  name: "apiserver_watch_cache_initializations_total",
  help: "Counter of watch cache initializations broken by resource type.",
  labels: OF,
});

/** Group and plural of `deployments.apps`. */
export function groupAndPlural(resource: string): readonly [group: string, plural: string] {
  const dot = resource.indexOf(".");
  return dot === -1 ? ["", resource] : [resource.slice(dot + 1), resource.slice(0, dot)];
}

/** `feed` with what comes to it counted. */
export function meteredFeed(feed: CacheFeed, resource: string): CacheFeed {
  const of = groupAndPlural(resource);
  const stored = eventsStored.bind(...of);
  const cached = eventsCached.bind(...of);
  const objects = initEvents.bind(...of);
  const fills = initializations.bind(...of);
  return {
    beginFill: () => feed.beginFill(),
    fill(items) {
      objects(items.length);
      return feed.fill(items);
    },
    endFill(revision) {
      fills(1);
      feed.endFill(revision);
    },
    apply(changes) {
      stored(changes.length);
      cached(changes.length);
      return feed.apply(changes);
    },
    advance: (revision) => feed.advance(revision),
    lost: () => feed.lost(),
  };
}

type Operation = "get" | "list" | "create" | "update" | "delete";
interface Cells {
  readonly duration: (seconds: number) => void;
  readonly total: (count: number) => void;
}

/** `backend` with the calls that are made for one resource counted and timed. */
export function meteredBackend(backend: KvBackend, resource: string): KvBackend {
  const of = groupAndPlural(resource);
  const known = new Map<Operation, Cells>();
  const cellsOf = (operation: Operation): Cells => {
    const found = known.get(operation);
    if (found !== undefined) return found;
    const cells = {
      duration: duration.bind(operation, ...of),
      total: total.bind(operation, ...of),
    };
    known.set(operation, cells);
    return cells;
  };
  const timed = <T>(operation: Operation, call: Promise<T>): Promise<T> => {
    const started = performance.now();
    const note = () => {
      const cells = cellsOf(operation);
      cells.duration((performance.now() - started) / 1000);
      cells.total(1);
    };
    call.then(note, () => {
      note();
      failures.inc(operation, ...of);
    });
    return call;
  };
  return {
    range: (request: RangeRequest, signal?: AbortSignal): Promise<RangeResult> =>
      timed(rangeOperation(request), backend.range(request, signal)),
    cas: (request: CasRequest, signal?: AbortSignal): Promise<CasResult> =>
      timed(casOperation(request), backend.cas(request, signal)),
    currentRevision: (signal) => backend.currentRevision(signal),
    watch: (prefix, from, signal) => backend.watch(prefix, from, signal),
    requestProgress: () => backend.requestProgress(),
    grantLease: (ttlSeconds) => backend.grantLease(ttlSeconds),
    revokeLease: (lease) => backend.revokeLease(lease),
    compact: (revision) => backend.compact(revision),
    health: (timeoutMs) => backend.health(timeoutMs),
    sizeBytes: () => backend.sizeBytes(),
    close: () => backend.close(),
  };
}

function rangeOperation({ start, end }: RangeRequest): Operation {
  return end === `${start}\0` ? "get" : "list";
}
function casOperation({ expected, value }: CasRequest): Operation {
  if (value === undefined) return "delete";
  return expected === 0 ? "create" : "update";
}
