/**
 * How long a request may take. Upstream: endpoints/filters/request_deadline.go and the list of
 * long-running requests in pkg/controlplane/apiserver/config.go.
 */
import { badRequest } from "../apimachinery/api/errors.ts";
import { parseDuration } from "../apimachinery/runtime/duration.ts";
import type { RequestInfo } from "../request/request-info.ts";
import { DEADLINE_EXCEEDED, type IncomingRequest } from "./incoming-request.ts";

const longRunningVerbs = new Set(["watch", "proxy"]);
const longRunningSubresources = new Set(["attach", "exec", "proxy", "log", "portforward"]);

/** Requests without a deadline: they last as long as the client or the handler wants. */
export function isLongRunning(info: RequestInfo): boolean {
  if (!info.isResourceRequest) return info.path.startsWith("/debug/pprof/");
  return longRunningVerbs.has(info.verb) || longRunningSubresources.has(info.subresource);
}

/** Milliseconds this request may take; undefined: no limit. Throws BadRequest for a bad `timeout`. */
export function requestTimeoutMs(request: IncomingRequest, maximumMs: number): number | undefined {
  if (isLongRunning(request.info)) return undefined;
  if (!request.target.includes("timeout")) return maximumMs;
  const text = request.query.get("timeout") ?? "";
  if (text === "") return maximumMs;
  let nanoseconds: bigint;
  try {
    nanoseconds = parseDuration(text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw badRequest(`invalid timeout specified in the request URL - ${why}`);
  }
  const asked = Number(nanoseconds / 1_000_000n);
  return nanoseconds <= 0n || asked > maximumMs ? maximumMs : asked;
}

const SWEEP_MS = 100;

/**
 * The deadlines of the requests in flight on one thread. One timer for all, running only while
 * there are some; a deadline is therefore late by up to SWEEP_MS.
 */
export class Deadlines {
  readonly #pending = new Map<IncomingRequest, { at: number; onExpired: () => void }>();
  #timer: NodeJS.Timeout | undefined;

  add(request: IncomingRequest, timeoutMs: number, onExpired: () => void): void {
    this.#pending.set(request, { at: performance.now() + timeoutMs, onExpired });
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
  }
  remove(request: IncomingRequest): void {
    this.#pending.delete(request);
  }
  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sweep(): void {
    if (this.#pending.size === 0) this.close();
    const now = performance.now();
    for (const [request, { at, onExpired }] of this.#pending) {
      if (at > now) continue;
      this.#pending.delete(request);
      request.abort(DEADLINE_EXCEEDED);
      onExpired();
    }
  }
}
