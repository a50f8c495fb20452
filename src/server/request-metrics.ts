/** Counts every request that is served. Upstream: endpoints/metrics.InstrumentHandlerFunc. */
import { type RequestLabels, RequestMetrics } from "../metrics/api-server.ts";
import type { MetricRegistry } from "../metrics/registry.ts";
import type { ReceivedRequest, Response } from "../request/request.ts";
import { isLongRunning } from "./deadline.ts";
import type { Serve } from "./front.ts";

const verbs = new Map([
  ["get", "GET"],
  ["list", "LIST"],
  ["watch", "WATCH"],
  ["create", "POST"],
  ["update", "PUT"],
  ["patch", "PATCH"],
  ["delete", "DELETE"],
  ["deletecollection", "DELETECOLLECTION"],
  ["proxy", "CONNECT"],
]);
const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
const connectSubresources = new Set(["exec", "attach", "portforward", "proxy"]);

/** `serve` with metrics around it. */
export function instrument(serve: Serve, registry: MetricRegistry): Serve {
  const requestMetrics = new RequestMetrics(registry);
  return (request) => {
    const labels = labelsOf(request);
    const started = performance.now();
    requestMetrics.started(labels);
    const finish = (code: number, bytes: number | undefined) => {
      requestMetrics.finished(labels, code, (performance.now() - started) / 1000, bytes);
      if (code === 429 || code === 504) requestMetrics.terminated(labels, code);
    };
    const done = (response: Response): Response => {
      if (response.kind === "watch" || response.kind === "stream") {
        return finishOnClose(response, finish);
      }
      if (response.kind === "bytes") {
        finish(response.status, Buffer.byteLength(response.body));
      } else {
        finish(101, undefined);
      }
      return response;
    };
    const failed = (thrown: unknown): never => {
      finish(500, undefined);
      throw thrown;
    };
    try {
      const served = serve(request);
      return served instanceof Promise ? served.then(done, failed) : done(served);
    } catch (thrown) {
      return failed(thrown);
    }
  };
}

/** Counts when the body ends; `close` is called exactly once by the front. */
function finishOnClose<T extends Response & { close(): void; status: number }>(
  response: T,
  finish: (code: number, bytes: number | undefined) => void,
): T {
  const close = response.close.bind(response);
  const bytes = response.kind === "stream" ? response.byteLength : undefined;
  response.close = () => {
    finish(response.status, bytes);
    close();
  };
  return response;
}

function labelsOf(request: ReceivedRequest): RequestLabels {
  const { info, method } = request;
  const longRunning = isLongRunning(info);
  if (!info.isResourceRequest) {
    const verb = methods.has(method) ? method : "other";
    const subresource = info.path;
    const labels = { verb, dryRun: "", group: "", version: "", resource: "", scope: "" };
    return { ...labels, subresource: knownPath(subresource), mutating: false, longRunning };
  }
  const isApply =
    info.verb === "patch" && (request.headers.get("content-type") ?? "").includes("apply-patch");
  const verb = isApply ? "APPLY" : verbOf(info.verb, info.subresource);
  const dryRun = request.target.includes("dryRun") ? request.query.getAll("dryRun").join(",") : "";
  const scope = info.name !== "" ? "resource" : info.namespace !== "" ? "namespace" : "cluster";
  return {
    verb,
    dryRun: dryRun === "" || dryRun === "All" ? dryRun : "invalid",
    group: info.apiGroup,
    version: info.apiVersion,
    resource: info.resource,
    subresource: info.subresource,
    scope,
    mutating: !["GET", "LIST", "WATCH", "CONNECT"].includes(verb),
    longRunning,
  };
}
function verbOf(verb: string, subresource: string): string {
  if (connectSubresources.has(subresource)) return "CONNECT";
  return verbs.get(verb) ?? "other";
}
/** Paths of clients must not become labels without bound. */
function knownPath(path: string): string {
  const known = [
    "/healthz",
    "/livez",
    "/readyz",
    "/metrics",
    "/version",
    "/api",
    "/apis",
    "/openapi",
  ];
  return known.find((one) => path === one || path.startsWith(`${one}/`)) ?? "";
}
