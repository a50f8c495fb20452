/**
 * Filters around every request, before anyone is authenticated.
 * Upstream: apiserver/pkg/server/filters/{hsts,cors,with_retry_after}.go.
 */
import type { ReceivedRequest, Response } from "../request/request.ts";
import type { Serve } from "./front.ts";

export interface FilterConfig {
  /** --strict-transport-security-directives. */
  readonly hsts: readonly string[];
  /** --cors-allowed-origins: regular expressions. */
  readonly corsOrigins: readonly string[];
  /** True from the moment new requests are to be turned away (--shutdown-send-retry-after). */
  turnsAway(): boolean;
}
type Header = readonly [string, string];

const ALLOW_METHODS = "POST, GET, OPTIONS, PUT, DELETE, PATCH";
const ALLOW_HEADERS =
  "Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token, Authorization, X-Requested-With, If-Modified-Since";

/** `serve` behind the filters that are switched on; `serve` itself when none is. */
export function withFilters(serve: Serve, config: FilterConfig): Serve {
  const patterns = config.corsOrigins.map((pattern) => new RegExp(pattern));
  const fixed: readonly Header[] =
    config.hsts.length === 0 ? [] : [["Strict-Transport-Security", config.hsts.join("; ")]];
  return (request) => {
    if (config.turnsAway() && !mayPass(request)) return turnedAway();
    const cors = corsHeaders(patterns, request);
    const extra = cors === undefined ? fixed : [...fixed, ...cors];
    if (cors !== undefined && request.method === "OPTIONS") {
      return { kind: "bytes", status: 204, headers: extra, body: "" };
    }
    const served = serve(request);
    if (extra.length === 0) return served;
    if (served instanceof Promise) return served.then((response) => withHeaders(response, extra));
    return withHeaders(served, extra);
  };
}

/** Responses may be instances with private state: their methods are called on themselves. */
function withHeaders(response: Response, extra: readonly Header[]): Response {
  const headers = [...response.headers, ...extra];
  switch (response.kind) {
    case "bytes":
      return { ...response, headers };
    case "stream": {
      const { kind, status, byteLength } = response;
      const read = (target: Uint8Array) => response.read(target);
      return { kind, status, byteLength, headers, read, close: () => response.close() };
    }
    case "watch": {
      const { kind, status, nativeId, text, timeoutMs } = response;
      return {
        ...{ kind, status, nativeId, text, timeoutMs, headers },
        frames: () => response.frames(),
        onReadable: (callback) => response.onReadable(callback),
        close: () => response.close(),
      };
    }
    case "upgrade": {
      const { kind, protocol } = response;
      const { acceptMessages, abandon } = response;
      return {
        ...{ kind, protocol, headers },
        accept: (socket) => response.accept(socket),
        ...(acceptMessages && { acceptMessages: acceptMessages.bind(response) }),
        ...(abandon && { abandon: abandon.bind(response) }),
      };
    }
  }
}

function corsHeaders(patterns: readonly RegExp[], request: ReceivedRequest): Header[] | undefined {
  if (patterns.length === 0) return undefined;
  const origin = request.headers.get("origin") ?? "";
  if (origin === "" || !patterns.some((pattern) => pattern.test(origin))) return undefined;
  return [
    ["Access-Control-Allow-Origin", origin],
    ["Access-Control-Allow-Methods", ALLOW_METHODS],
    ["Access-Control-Allow-Headers", ALLOW_HEADERS],
    ["Access-Control-Expose-Headers", "Date"],
    ["Access-Control-Allow-Credentials", "true"],
  ];
}

const exemptPaths = ["/healthz", "/livez", "/readyz", "/metrics"];

/** What must still be answered while the server goes: probes, scrapes and its own calls. */
function mayPass({ info, headers }: ReceivedRequest): boolean {
  if (exemptPaths.some((path) => info.path === path || info.path.startsWith(`${path}/`)))
    return true;
  return (headers.get("user-agent") ?? "").startsWith("kube-apiserver/");
}

function turnedAway(): Response {
  return {
    kind: "bytes",
    status: 429,
    headers: [
      ["Content-Type", "text/plain; charset=utf-8"],
      ["X-Content-Type-Options", "nosniff"],
      ["Retry-After", "5"],
      ["Connection", "close"],
    ],
    body: "The apiserver is shutting down, please try again later.\n",
  };
}
