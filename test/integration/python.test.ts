// The official Python client. Skipped where python3 can not import `kubernetes`; KLYSTRON_PYTHON
// names another interpreter. Its HTTP library hands a chunk on only when its closing CRLF is there,
// and its watch yields every line, empty ones too.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { root, ServerProcess } from "./server-process.ts";

const run = promisify(execFile);
const python = process.env["KLYSTRON_PYTHON"] ?? "python3";
const LAG_SECONDS_MAX = 2;

async function hasClient(): Promise<boolean> {
  try {
    await run(python, ["-c", "import kubernetes"], { timeout: 30_000 });
    return true;
  } catch {
    return false;
  }
}

test("a watch yields events and nothing else, each when it happens", {
  timeout: 60_000,
}, async (t) => {
  if (!(await hasClient())) {
    t.skip(`${python} has no package kubernetes`);
    return;
  }
  const server = await ServerProcess.start();
  t.after(() => server.stop());
  const script = join(root, "test", "integration", "client.py");
  const kubeconfig = join(server.folder, "data", "admin.kubeconfig");
  const { stdout } = await run(python, [script, kubeconfig], { timeout: 40_000 });
  const { events, slowest, code } = JSON.parse(stdout);
  assert.deepEqual(events, ["ADDED 1", "MODIFIED 2", "MODIFIED 3", "DELETED 3"]);
  assert.ok(slowest < LAG_SECONDS_MAX, `an event came after ${slowest} s`);
  assert.equal(code, 404);
});
