// client-go against the server as it starts with no flags: client-go/main.go, built once. Skipped
// where there is no Go, or its modules can not be got.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { root, ServerProcess } from "./server-process.ts";

const run = promisify(execFile);
const BUILD_MS = 100_000;
const RUN_MS = 60_000;
const CHECKS = 14;
const source = join(root, "test", "integration", "client-go");
let server: ServerProcess;
before(async () => {
  server = await ServerProcess.start();
});
after(() => server.stop());

/** The program's path; undefined, and why, where it can not be made. */
async function build(): Promise<{ program?: string; why: string }> {
  const files = ["main.go", "subresources.go", "go.mod", "go.sum"].map((name) =>
    readFileSync(join(source, name)),
  );
  const digest = createHash("sha256").update(Buffer.concat(files)).digest("hex").slice(0, 12);
  const folder = join(root, ".cache", "client-go");
  const program = join(folder, `client-go-${digest}`);
  if (existsSync(program)) return { program, why: "" };
  mkdirSync(folder, { recursive: true });
  const env = { ...process.env, GOTOOLCHAIN: "local", GOWORK: "off" };
  try {
    const args = ["build", "-p", "1", "-o", program, "."];
    await run("go", args, { cwd: source, env, timeout: BUILD_MS });
    return { program, why: "" };
  } catch (error) {
    return { why: `go build: ${error instanceof Error ? error.message.slice(0, 300) : error}` };
  }
}

test("informers, server-side apply, bookmarks and leases, in JSON and in protobuf", async (t) => {
  const { program, why } = await build();
  if (program === undefined) {
    t.skip(why);
    return;
  }
  const kubeconfig = join(server.folder, "data", "admin.kubeconfig");
  for (const contentType of ["json", "protobuf"]) {
    await t.test(contentType, { timeout: RUN_MS }, async () => {
      const { stdout } = await run(program, [kubeconfig, contentType], { timeout: RUN_MS });
      assert.equal(stdout.split("\n").filter((line) => line.startsWith("ok ")).length, CHECKS);
    });
  }
});
