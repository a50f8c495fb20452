/**
 * How many requests run at a time: the gate between impersonation and authorization.
 * Upstream: apiserver/pkg/server/filters/{maxinflight,priority-and-fairness}.go.
 */
import type { AuthenticatedRequest, BytesResponse, Handler, Response } from "../request/request.ts";

export type Next = (request: AuthenticatedRequest) => Promise<Response>;

export interface FlowControl {
  /** `next(request)` once there is room for it; 429 when there is none in time. */
  run(request: AuthenticatedRequest, next: Next): Promise<Response>;
  /** The handler of a path that shows what it does; undefined for other paths. */
  lookup(path: string): Handler | undefined;
  close(): void;
}

/** 429 as upstream's filters send it: no Status, and a second to wait. */
export function tooManyRequests(): BytesResponse {
  const headers = [
    ["Content-Type", "text/plain; charset=utf-8"],
    ["X-Content-Type-Options", "nosniff"],
    ["Retry-After", "1"],
  ] as const;
  const body = "Too many requests, please try again later.\n";
  return { kind: "bytes", status: 429, headers, body };
}

/**
 * Calls `release` once: when a streamed body has ended, at once for every other answer. A watch
 * that has begun holds nothing.
 */
export function releaseAtEnd(response: Response, release: () => void): Response {
  if (response.kind !== "stream") {
    release();
    return response;
  }
  const close = response.close.bind(response);
  response.close = () => {
    release();
    close();
  };
  return response;
}
