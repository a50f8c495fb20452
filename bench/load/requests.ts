/** The request load: autocannon. It is JavaScript and soon the limit, so its ceiling is measured. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type { Target } from "./target.ts";

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p99_9: number;
}
interface CannonResult {
  readonly latency: Percentiles;
  readonly errors: number;
  readonly non2xx: number;
  readonly requests: { readonly total: number };
}
interface CannonRequest {
  method?: string;
  path?: string;
  body?: string;
  headers?: Record<string, string>;
  setupRequest?(request: CannonRequest): CannonRequest;
}
interface CannonOptions {
  readonly url: string;
  readonly connections: number;
  readonly amount?: number;
  readonly duration?: number;
  readonly overallRate?: number;
  readonly headers: Record<string, string>;
  readonly requests: readonly CannonRequest[];
  readonly tlsOptions: Record<string, unknown>;
  readonly timeout: number;
  readonly sampleInt: number;
}
const autocannon = createRequire(import.meta.url)("autocannon") as (
  options: CannonOptions,
) => Promise<CannonResult>;

export interface Load {
  readonly connections: number;
  /** A fixed number of requests, as fast as they go... */
  readonly amount?: number;
  /** ...or so many a second for so many seconds, whatever the answers take (open loop). */
  readonly rate?: number;
  readonly seconds?: number;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Of the request with this number, counted from 0. */
  path(index: number): string;
  body?(index: number): string;
}
export interface LoadResult {
  readonly requests: number;
  readonly failed: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export async function runLoad(target: Target, load: Load): Promise<LoadResult> {
  let next = 0;
  const { certificate, key, token } = target.credentials;
  const setupRequest = (request: CannonRequest): CannonRequest => {
    const index = next++;
    const body = load.body?.(index);
    return { ...request, path: load.path(index), ...(body === undefined ? {} : { body }) };
  };
  const began = performance.now();
  const result = await autocannon({
    url: `https://${target.host}:${target.port}`,
    connections: load.connections,
    ...(load.amount === undefined ? {} : { amount: load.amount }),
    ...(load.seconds === undefined ? {} : { duration: load.seconds }),
    ...(load.rate === undefined ? {} : { overallRate: load.rate }),
    headers: {
      "user-agent": "bench",
      ...(load.body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...load.headers,
    },
    requests: [{ method: load.method ?? "GET", setupRequest }],
    tlsOptions: { rejectUnauthorized: false, cert: certificate, key },
    timeout: 60,
    sampleInt: 50, // it ends at a sample only
  });
  // autocannon rounds its duration to its samples of a second.
  const seconds = (performance.now() - began) / 1000;
  const { latency, errors, non2xx, requests } = result;
  return {
    requests: requests.total,
    failed: errors + non2xx,
    perSecond: requests.total / seconds,
    p50: latency.p50,
    p99: latency.p99,
    p999: latency.p99_9,
  };
}

/** What autocannon reaches against a server that does nothing but answer 10 KB over TLS. */
export async function generatorCeiling(
  near: Target,
  port: number,
  amount: number,
): Promise<number> {
  const server = spawn(
    process.execPath,
    [
      "--import",
      "tsx",
      fileURLToPath(new URL("./ceiling-server.ts", import.meta.url)),
      String(port),
    ],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  await new Promise<void>((resolve, reject) => {
    server.stdout.once("data", () => resolve());
    server.once("exit", () => reject(new Error("the ceiling's server has ended")));
  });
  try {
    const bare: Target = { ...near, host: "127.0.0.1", port };
    const { perSecond } = await runLoad(bare, { connections: 8, amount, path: () => "/" });
    return perSecond;
  } finally {
    server.kill("SIGKILL");
  }
}
