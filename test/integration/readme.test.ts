// The README's session, as it stands there: a reader pastes it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { clientPath } from "../tools/clients.ts";
import { root, ServerProcess } from "./server-process.ts";

const run = promisify(execFile);
const readme = readFileSync(join(root, "README.md"), "utf8");
const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

test("the two commands are scripts of the package", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  assert.ok(blocks.includes("npm start\n"));
  assert.ok(blocks.includes("npm test\n"));
  assert.equal(scripts.start, "node bin/klystron");
  assert.equal(scripts.test, "node scripts/test.mjs");
});

test("the kubectl session works as it is printed", { timeout: 120_000 }, async (t) => {
  const session = blocks.find((text) => text.includes("KUBECONFIG=")) ?? "";
  const server = await ServerProcess.start();
  t.after(() => server.stop());
  // As in the folder where `npm start` runs, with the client under its plain name.
  const here = join(server.folder, "here");
  const path = join(server.folder, "bin");
  mkdirSync(here);
  mkdirSync(path);
  symlinkSync(join(server.folder, "data"), join(here, ".klystron"));
  symlinkSync(clientPath("kubectl"), join(path, "kubectl"));
  const env = { PATH: `${path}:/usr/bin:/bin`, HOME: here };
  const { stdout } = await run("/bin/sh", ["-euc", session], { cwd: here, env, timeout: 100_000 });
  rmSync(path, { recursive: true });
  assert.match(stdout, /namespace\/demo created\ndeployment.apps\/web created/);
  assert.match(stdout, /web +0\/3/);
  assert.match(stdout, /"tier":"front"/);
  assert.match(stdout, /namespace "demo" deleted/);
});
