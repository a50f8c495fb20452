/**
 * Paths outside the API groups: health, version, metrics, the index, flagz and statusz. Discovery
 * and OpenAPI are another table; combinePaths puts them together.
 * Upstream: apiserver/pkg/server/routes.
 */

import { methodNotAllowed } from "../apimachinery/api/errors.ts";
import { CONTENT_TYPE } from "../metrics/exposition.ts";
import type { BytesResponse, Handler } from "../request/request.ts";
import type { HealthRegistry } from "./health.ts";
import { textResponse } from "./response.ts";
import { versionInfo } from "./version.ts";
import { zPage } from "./z-pages.ts";

export interface PathTable {
  lookup(path: string): Handler | undefined;
  /** Paths for the index at `/`. */
  paths?(): readonly string[];
}

export interface SystemConfig {
  readonly health: HealthRegistry;
  /** --version=v...: what /version reports. */
  readonly versionOverride: string | undefined;
  /** The text of /metrics, and of /metrics/slis. */
  metrics(which: "all" | "slis"): string | Promise<string>;
  /** DELETE /metrics. */
  resetMetrics(): void;
  /** --profiling: DELETE /metrics is allowed. */
  readonly profiling: boolean;
  /** Name and value of every flag. */
  flags(): Iterable<readonly [string, string]>;
  readonly startedAt: Date;
}

/** Looks a path up in each table in turn, and serves `/` from all of them. */
export function combinePaths(tables: readonly PathTable[]): PathTable {
  const paths = () => [...new Set(tables.flatMap((table) => table.paths?.() ?? []))].sort();
  const index: Handler = () => json({ paths: paths() });
  return {
    lookup(path) {
      if (path === "/" || path === "/index.html") return index;
      for (const table of tables) {
        const handler = table.lookup(path);
        if (handler !== undefined) return handler;
      }
      return undefined;
    },
    paths,
  };
}

export function systemPaths(config: SystemConfig): PathTable {
  const { health } = config;
  const version = json(versionInfo(config.versionOverride));
  const fixed = new Map<string, Handler>([
    ["/version", getOnly(() => version)],
    ["/version/", getOnly(() => version)],
    ["/metrics", (request) => metricsAnswer(config, request.method)],
    ["/metrics/slis", async () => metricsText(await config.metrics("slis"))],
    ["/flagz", flagz(config)],
    ["/statusz", statusz(config.startedAt)],
  ]);
  return {
    lookup: (path) => health.lookup(path) ?? fixed.get(path),
    paths: () => [
      ...[...fixed.keys()].filter((path) => !path.endsWith("/")),
      ...healthPaths(health),
    ],
  };
}

function healthPaths(health: HealthRegistry): string[] {
  return (["healthz", "livez", "readyz"] as const).flatMap((endpoint) => [
    `/${endpoint}`,
    ...health.names(endpoint).map((name) => `/${endpoint}/${name}`),
  ]);
}

/** Routed by go-restful, which knows GET and nothing else. */
function getOnly(answer: () => BytesResponse): Handler {
  return (request) => {
    if (request.method !== "GET") throw methodNotAllowed();
    return answer();
  };
}

/** Upstream's handler looks for DELETE and at no other method. */
async function metricsAnswer(config: SystemConfig, method: string): Promise<BytesResponse> {
  if (method === "DELETE" && config.profiling) {
    config.resetMetrics();
    return textResponse(200, "metrics reset");
  }
  return metricsText(await config.metrics("all"));
}
const metricsText = (body: string): BytesResponse => ({
  kind: "bytes",
  status: 200,
  headers: [["Content-Type", CONTENT_TYPE]],
  body,
});

function json(value: unknown): BytesResponse {
  return {
    kind: "bytes",
    status: 200,
    headers: [["Content-Type", "application/json"]],
    body: JSON.stringify(value, undefined, 2),
  };
}

function flagz(config: SystemConfig): Handler {
  const sorted = () => [...config.flags()].sort(([a], [b]) => (a < b ? -1 : 1));
  return zPage({
    kind: "Flagz",
    text: () =>
      sorted()
        .map(([name, value]) => `${name}: ${value}\n`)
        .join(""),
    members: () => ({ flags: Object.fromEntries(sorted()) }),
  });
}

const STATUS_PATHS = [
  "/flagz",
  "/healthz",
  "/livez",
  "/metrics",
  "/readyz",
  "/statusz",
  "/version",
];

function statusz(startedAt: Date): Handler {
  const { gitVersion, goVersion, emulationMajor, emulationMinor } = versionInfo();
  const binaryVersion = gitVersion.replace(/^v|[+].*$/g, "");
  const emulationVersion = `${emulationMajor}.${emulationMinor}`;
  const uptime = () => Math.floor((Date.now() - startedAt.getTime()) / 1000);
  return zPage({
    kind: "Statusz",
    text: () => {
      const seconds = uptime();
      const minutes = Math.floor((seconds % 3600) / 60);
      const up = `${Math.floor(seconds / 3600)} hr ${minutes} min ${seconds % 60} sec`;
      return [
        `\nStarted: ${unixDate(startedAt)}`,
        `Up: ${up}`,
        `Go version: ${goVersion}`,
        `Binary version: ${binaryVersion}`,
        `Emulation version: ${emulationVersion}`,
        `Paths: ${STATUS_PATHS.join(" ")}\n`,
      ].join("\n");
    },
    members: () => ({
      startTime: startedAt.toISOString().replace(/[.]\d+Z$/, "Z"),
      uptimeSeconds: uptime(),
      goVersion,
      binaryVersion,
      emulationVersion,
      paths: STATUS_PATHS,
    }),
  });
}

/** `Wed Nov 25 13:17:47 UTC 2026` */
function unixDate(date: Date): string {
  const [weekday, day, month, year, time] = date.toUTCString().replace(",", "").split(" ");
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${time} UTC ${year}`;
}
