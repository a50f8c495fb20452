/** Upstream: pkg/serviceaccount/externaljwt/metrics. */
import { metrics } from "../../metrics/registry.ts";
import { GrpcError } from "../../storage/etcd3/grpc-status.ts";

const fetches = metrics.counter({
  name: "apiserver_externaljwt_fetch_keys_request_total",
  help: "Total attempts at syncing supported JWKs",
  labels: ["code"],
});
const signs = metrics.counter({
  name: "apiserver_externaljwt_sign_request_total",
  help: "Total attempts at signing JWT",
  labels: ["code"],
});
const duration = metrics.histogram({
  name: "apiserver_externaljwt_request_duration_seconds",
  help: "Request duration and time for calls to external-jwt-signer",
  labels: ["method", "code"],
  buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
});

/** `error` undefined: it went well. */
export function recordFetch(error: unknown): void {
  fetches.bind(codeOf(error))(1);
}

export function recordSign(error: unknown): void {
  signs.bind(codeOf(error))(1);
}

/** Times a call of `method`. Settles as it does. */
export async function timeCall<T>(method: string, call: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const observe = (error: unknown) =>
    duration.bind(method, codeOf(error))((performance.now() - startedAt) / 1000);
  try {
    const result = await call();
    observe(undefined);
    return result;
  } catch (error) {
    observe(error);
    throw error;
  }
}

function codeOf(error: unknown): string {
  if (error === undefined) return "OK";
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if (one instanceof GrpcError) return one.codeName;
  }
  return "unknown-non-grpc";
}
