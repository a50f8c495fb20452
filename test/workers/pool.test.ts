import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { closePool, configurePool, run, type Task } from "../../src/workers/pool.ts";

const folder = mkdtempSync(join(tmpdir(), "klystron-pool-"));
after(async () => {
  await closePool();
  rmSync(folder, { recursive: true, force: true });
});
function task<Input, Output>(name: string, source: string): Task<Input, Output> {
  const path = join(folder, `${name}.task.mjs`);
  writeFileSync(path, source);
  return { url: pathToFileURL(path) };
}

const double = task<number, number>("double", "export const run = (n) => n * 2;");
const forever = task<null, never>("forever", "export const run = () => { for (;;); };");
const bytes = task<Uint8Array, number>("bytes", "export const run = (b) => b.length;");
const thrower = task<null, never>(
  "thrower",
  "export const run = () => { throw new RangeError('no'); };",
);

test("tasks run on other threads, with a bound on them", { timeout: 30_000 }, async () => {
  configurePool(2);
  assert.deepEqual(await Promise.all([1, 2, 3].map((n) => run(double, n))), [2, 4, 6]);
  await assert.rejects(run(thrower, null), /no/);
  const data = new Uint8Array(10);
  assert.equal(await run(bytes, data, { transferList: [data.buffer] }), 10);
  assert.equal(data.length, 0, "moved, not copied");
  await assert.rejects(run(forever, null, { signal: AbortSignal.timeout(200) }), /abort/i);
  assert.equal(await run(double, 4), 8, "the pool outlives a task that was ended");
  const flood = Array.from({ length: 3_000 }, (_, n) => run(double, n).catch((e) => e.name));
  const results = await Promise.all(flood);
  assert.ok(results.includes("PoolFull"));
});
