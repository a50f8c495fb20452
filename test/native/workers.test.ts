/** G1, G2: one cache for all threads; workers come and go. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { native } from "../../src/native/binding.ts";
import { getText, podConfig, storedPod } from "./helpers.ts";

const SOURCE = `
const { parentPort, workerData } = require("node:worker_threads");
(async () => {
  const native = require(workerData.binding);
  const id = native.openResource(workerData.config);
  const buffer = Buffer.alloc(65536);
  const watch = native.watchOpen(id, { from: "initial", encoding: 0, bookmarks: true });
  let text = "";
  const drain = () => {
    for (let n; (n = native.watchRead(watch, buffer)) > 0; ) text += buffer.toString("utf8", 0, n);
    const lines = text.split("\\n").length - 1;
    parentPort.postMessage({ id, lines, revision: native.watchRevision(watch) });
  };
  native.onReadable(watch, drain);
  native.onAdvance(id, () => parentPort.postMessage({ advanced: native.revision(id) }));
  parentPort.on("message", () => parentPort.close());
})();
`;

interface Report {
  readonly id?: number;
  readonly lines?: number;
  readonly advanced?: number;
}

test("G2: changes wake watches and waiters of other threads, and ended workers are left alone", async () => {
  const config = podConfig();
  const id = native.openResource(config);
  native.beginFill(id);
  native.fillPut(id, "d/a", 1, storedPod("d/a"));
  native.commitFill(id, 10);
  const binding = fileURLToPath(new URL("../../build/Release/klystron.node", import.meta.url));
  const workers = [1, 2].map(() => {
    const options = { eval: true, workerData: { binding, config }, execArgv: [] };
    const worker = new Worker(SOURCE, options);
    const reports: Report[] = [];
    worker.on("message", (report: Report) => reports.push(report));
    return { worker, reports };
  });
  const until = async (what: (reports: Report[]) => boolean) => {
    const end = Date.now() + 15_000;
    while (!workers.every(({ reports }) => what(reports))) {
      if (Date.now() > end) assert.fail(JSON.stringify(workers.map((w) => w.reports)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await until((reports) => reports.some((r) => r.lines === 2 && r.id === id));
  native.applyPut(id, "d/b", 11, storedPod("d/b"), false);
  await until((reports) => reports.some((r) => r.lines === 3));
  await until((reports) => reports.some((r) => r.advanced === 11));
  for (const { worker } of workers) {
    worker.postMessage("end");
    const [code] = await once(worker, "exit");
    assert.equal(code, 0);
  }
  native.applyPut(id, "d/c", 12, storedPod("d/c"), false);
  assert.match(String(getText(id, "d/c")), /"resourceVersion":"12"/);
  const terminated = new Worker(SOURCE, {
    eval: true,
    workerData: { binding, config },
    execArgv: [],
  });
  await once(terminated, "message");
  await terminated.terminate();
  native.applyPut(id, "d/c", 13, storedPod("d/c"), false);
  native.dropResource(id);
});
