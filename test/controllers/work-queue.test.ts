import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkQueue } from "../../src/controllers/work-queue.ts";
import { exposition } from "../../src/metrics/exposition.ts";
import { metrics } from "../../src/metrics/registry.ts";

const shown = (name: string) =>
  new RegExp(`^${name}\\{name="q"\\} (.*)$`, "m").exec(exposition(metrics.snapshot()))?.[1];

test("a queue counts what is added, waits, works and fails", async () => {
  const controller = new AbortController();
  let finish: (() => void) | undefined;
  let fails = true;
  const done: string[] = [];
  const work = async (key: string) => {
    if (key === "bad" && fails) {
      fails = false;
      throw new Error("once");
    }
    if (key === "slow") await new Promise<void>((resolve) => (finish = resolve));
    done.push(key);
  };
  const { signal } = controller;
  const queue = new WorkQueue(work, { name: "q", workers: 1, signal, onError: () => {} });
  assert.equal(shown("workqueue_adds_total"), "0");
  for (const key of ["slow", "other", "other", "bad"]) queue.add(key);
  assert.equal(shown("workqueue_adds_total"), "3");
  assert.equal(shown("workqueue_depth"), "2");
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(Number(shown("workqueue_longest_running_processor_seconds")) > 0);
  finish?.();
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(done, ["slow", "other"]);
  assert.equal(shown("workqueue_depth"), "0");
  assert.equal(shown("workqueue_retries_total"), "1");
  assert.equal(shown("workqueue_work_duration_seconds_count"), "3");
  assert.equal(shown("workqueue_unfinished_work_seconds"), "0");
  controller.abort();
});
