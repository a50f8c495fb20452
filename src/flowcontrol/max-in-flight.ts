/**
 * Two plain limits, for --enable-priority-and-fairness=false: one for requests that write, one for
 * those that read. Upstream: apiserver/pkg/server/filters/maxinflight.go.
 */
import type { AuthenticatedRequest, Response } from "../request/request.ts";
import type { RequestInfo } from "../request/request-info.ts";
import { GROUP_PRIVILEGED } from "../request/user-info.ts";
import { type FlowControl, type Next, releaseAtEnd, tooManyRequests } from "./flow-control.ts";

export interface MaxInFlightConfig {
  /** Requests of this thread at a time; 0: no limit. */
  readonly readOnly: number;
  readonly mutating: number;
  readonly isLongRunning: (info: RequestInfo) => boolean;
}

const readingVerbs = new Set(["get", "list", "watch"]);

class Semaphore {
  #used = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }
  tryTake(): boolean {
    if (this.#limit > 0 && this.#used >= this.#limit) return false;
    this.#used++;
    return true;
  }
  readonly release = (): void => {
    this.#used--;
  };
}

/** Long-running requests are not counted; system:masters always get an answer. */
export function maxInFlight(config: MaxInFlightConfig): FlowControl {
  const reading = new Semaphore(config.readOnly);
  const writing = new Semaphore(config.mutating);
  return {
    async run(request: AuthenticatedRequest, next: Next): Promise<Response> {
      if (config.isLongRunning(request.info)) return next(request);
      const semaphore = readingVerbs.has(request.info.verb) ? reading : writing;
      if (!semaphore.tryTake()) {
        const isPrivileged = request.user.groups.includes(GROUP_PRIVILEGED);
        return isPrivileged ? next(request) : tooManyRequests();
      }
      let response: Response;
      try {
        response = await next(request);
      } catch (thrown) {
        semaphore.release();
        throw thrown;
      }
      return releaseAtEnd(response, semaphore.release);
    },
    lookup: () => undefined,
    close() {},
  };
}
