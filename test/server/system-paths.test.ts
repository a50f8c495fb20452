import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../src/apimachinery/api/errors.ts";
import { builtInGroups } from "../../src/endpoints/discovery/resources.ts";
import { discoveryPaths } from "../../src/endpoints/discovery-paths.ts";
import { openApiPaths } from "../../src/endpoints/openapi/paths.ts";
import type { AuthorizedRequest, BytesResponse } from "../../src/request/request.ts";
import { HealthRegistry } from "../../src/server/health.ts";
import { combinePaths, systemPaths } from "../../src/server/system-paths.ts";

const groups = builtInGroups(({ version, group }) => version === "v1" && group !== "batch");
const table = combinePaths([
  systemPaths({
    health: new HealthRegistry(),
    versionOverride: undefined,
    metrics: () => "",
    resetMetrics: () => {},
    profiling: true,
    flags: () => [],
    startedAt: new Date(),
  }),
  discoveryPaths({ groups: () => groups, serverAddress: "127.0.0.1:6443" }),
  openApiPaths({ service: () => assert.fail(), startedAt: new Date() }),
]);
const ask = (path: string, method: string) =>
  table.lookup(path)?.({ method } as unknown as AuthorizedRequest) as BytesResponse;

test("the index lists every table's paths, sorted", () => {
  const { paths } = JSON.parse(String(ask("/", "PUT").body)) as { paths: string[] };
  assert.deepEqual(paths.slice(0, 5), [
    "/api",
    "/api/v1",
    "/apis",
    "/apis/",
    "/apis/admissionregistration.k8s.io",
  ]);
  for (const path of ["/apis/apps/v1", "/healthz/ping", "/openapi/v3", "/statusz", "/version"]) {
    assert.ok(paths.includes(path), path);
  }
  assert.ok(!paths.includes("/apis/batch"));
  assert.deepEqual(paths, [...new Set(paths)].sort());
});

test("/version knows GET only", () => {
  assert.equal(ask("/version", "GET").status, 200);
  for (const method of ["HEAD", "DELETE", "OPTIONS"]) {
    assert.throws(
      () => ask("/version", method),
      (error) => error instanceof StatusError && error.code === 405,
    );
  }
});

test("metrics and pages for people do not look at the method", async () => {
  for (const path of ["/metrics", "/metrics/slis"]) {
    assert.equal((await ask(path, "POST")).status, 200);
  }
  assert.match(String((await ask("/metrics", "DELETE")).body), /metrics reset/);
});
