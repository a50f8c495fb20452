// docs/METRICS.md against what the code registers, both ways.
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { FlowControlMetrics } from "../../src/flowcontrol/metrics.ts";
import { RequestMetrics } from "../../src/metrics/api-server.ts";
import { registerProcessMetrics } from "../../src/metrics/process.ts";
import { type MetricOptions, MetricRegistry } from "../../src/metrics/registry.ts";
import { registerBuildMetrics } from "../../src/server/build-metrics.ts";
import { healthMetrics } from "../../src/server/health-metrics.ts";
import { filesUnder, read, root } from "./source-files.ts";

const registering = filesUnder("src", ".ts").filter((path) =>
  /\b(?:registry|metrics)\s*\.(?:counter|gauge|histogram)\(/.test(read(path)),
);
/** Name to row of the page. */
const registered = new Map<string, string>();

before(async () => {
  for (const type of ["counter", "gauge", "histogram"] as const) {
    const original = MetricRegistry.prototype[type] as (options: MetricOptions) => unknown;
    const recording = function (this: MetricRegistry, options: MetricOptions) {
      const { name, labels = [], stability = "ALPHA" } = options;
      const shown = labels.length === 0 ? "–" : labels.map((label) => `\`${label}\``).join(" ");
      registered.set(name, `| \`${name}\` | ${type} | ${stability} | ${shown} |`);
      return original.call(this, options);
    };
    Object.defineProperty(MetricRegistry.prototype, type, { value: recording });
  }
  // Some register when they are loaded, others when they are made.
  for (const path of registering) await import(pathToFileURL(join(root, path)).href);
  const registry = new MetricRegistry();
  new RequestMetrics(registry);
  new FlowControlMetrics(registry);
  registerProcessMetrics(registry);
  registerBuildMetrics(registry, 0, []);
  healthMetrics(registry);
  // Not at the top: it brings in metrics that register when they are loaded.
  const { registerStorageMetrics } = await import("../../src/server/storage-metrics.ts");
  const backend = { sizeBytes: async () => 0 };
  registerStorageMetrics(registry, { storages: () => [], backend, sizeIntervalMs: 0 });
});

test("every metric that a file names was registered here", () => {
  const missing = registering.flatMap((path) =>
    [...read(path).matchAll(/^\s*name: "([a-z_]+_[a-z_]+)"/gm)]
      .map(([, name = ""]) => name)
      .filter((name) => !registered.has(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(missing, []);
});

test("docs/METRICS.md lists each metric with its type, stability and labels", () => {
  const listed = read("docs/METRICS.md")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  assert.deepEqual(listed.toSorted(), [...registered.values()].toSorted());
});
