import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestMetrics } from "../../src/metrics/api-server.ts";
import { aggregate, exposition } from "../../src/metrics/exposition.ts";
import { registerProcessMetrics } from "../../src/metrics/process.ts";
import { MetricRegistry } from "../../src/metrics/registry.ts";

test("text format: help, types, labels, cumulative buckets", () => {
  const registry = new MetricRegistry();
  registry
    .counter({ name: "a_total", help: "A.", labels: ["x"], stability: "STABLE" })
    .inc('q"\\\n');
  registry.gauge({ name: "b", help: "B." }).set(1.5);
  const histogram = registry.histogram({ name: "c", help: "C.", labels: ["l"], buckets: [0.1, 1] });
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value, "v");
  registry.counter({ name: "unused", help: "U.", labels: ["x"] });
  assert.equal(
    exposition(registry.snapshot()),
    `# HELP a_total [STABLE] A.
# TYPE a_total counter
a_total{x="q\\"\\\\\\n"} 1
# HELP b [ALPHA] B.
# TYPE b gauge
b 1.5
# HELP c [ALPHA] C.
# TYPE c histogram
c_bucket{l="v",le="0.1"} 2
c_bucket{l="v",le="1"} 3
c_bucket{l="v",le="+Inf"} 4
c_sum{l="v"} 7.65
c_count{l="v"} 4
`,
  );
  assert.equal(exposition(registry.snapshot(), new Set(["a_total", "c"])).split("\n").length, 4);
});

test("threads add up", () => {
  const one = new MetricRegistry();
  const two = new MetricRegistry();
  for (const [registry, times] of [
    [one, 2],
    [two, 3],
  ] as const) {
    const counter = registry.counter({ name: "n_total", help: "N.", labels: ["x"] });
    for (let i = 0; i < times; i++) counter.inc("same");
    counter.inc(String(times));
  }
  const text = exposition(aggregate([one.snapshot(), two.snapshot(), []]));
  assert.match(text, /n_total\{x="same"\} 5\n/);
  assert.match(text, /n_total\{x="2"\} 1\n/);
  assert.match(text, /n_total\{x="3"\} 1\n/);
  one.reset();
  assert.match(exposition(one.snapshot()), /n_total\{x="same"\} 0\n/);
});

test("labels are bounded: what comes beyond has one cell", () => {
  const registry = new MetricRegistry();
  const counter = registry.counter({ name: "n_total", help: "N.", labels: ["x"] });
  for (let i = 0; i < 30_000; i++) counter.inc(`v${i}`);
  const [snapshot] = registry.snapshot();
  assert.ok((snapshot?.cells.length ?? 0) <= 20_001);
  assert.match(exposition(registry.snapshot()), /n_total\{overflow="true"\} 10000\n/);
});

test("a name is registered once", () => {
  const registry = new MetricRegistry();
  registry.gauge({ name: "x", help: "" });
  assert.throws(() => registry.gauge({ name: "x", help: "" }));
});

test("requests count under upstream's names", () => {
  const registry = new MetricRegistry();
  const requests = new RequestMetrics(registry);
  const labels = {
    verb: "LIST",
    dryRun: "",
    group: "",
    version: "v1",
    resource: "pods",
    subresource: "",
    scope: "namespace",
    mutating: false,
    longRunning: false,
  };
  requests.started(labels);
  requests.finished(labels, 200, 0.03, 5_000);
  const text = exposition(registry.snapshot());
  for (const line of [
    'apiserver_request_total{verb="LIST",dry_run="",group="",version="v1",resource="pods",subresource="",scope="namespace",component="apiserver",code="200"} 1',
    'apiserver_request_duration_seconds_bucket{verb="LIST",dry_run="",group="",version="v1",resource="pods",subresource="",scope="namespace",component="apiserver",le="0.05"} 1',
    'apiserver_response_sizes_bucket{verb="LIST",group="",version="v1",resource="pods",subresource="",scope="namespace",component="apiserver",le="10000"} 1',
    'apiserver_current_inflight_requests{request_kind="readOnly"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), line);
  }
});

test("the process tells its own figures", () => {
  const registry = new MetricRegistry();
  registerProcessMetrics(registry);
  const text = exposition(registry.snapshot());
  assert.match(text, /process_resident_memory_bytes [1-9]/);
  assert.match(text, /process_cpu_seconds_total 0?\.?\d/);
});

test("a gauge that says so is the greatest of its threads; great numbers have an exponent", () => {
  const threads = [1, 2_592_000].map((value) => {
    const registry = new MetricRegistry();
    registry.gauge({ name: "sum", help: "h" }).set(value);
    registry.gauge({ name: "most", help: "h", greatest: true }).set(value);
    return registry.snapshot();
  });
  const text = exposition(aggregate(threads));
  assert.match(text, /^sum 2.592001e\+06$/m);
  assert.match(text, /^most 2.592e\+06$/m);
});
