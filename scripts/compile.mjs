/**
 * Leaves V8's compiled form of each thread's script in dist/ (scripts/thread-entry.cjs loads it):
 * runs a server on an empty store until it is ready, and ends it. Without that form, or with one of
 * another Node.js, a start only takes longer: nothing here is an error.
 *
 *   node scripts/compile.mjs ROOT
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const START_MS = 20_000;
const END_MS = 10_000;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function status(port, agent) {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port, path: "/readyz", agent };
    const asked = request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode));
    });
    asked.on("error", () => resolve(0));
    asked.end();
  });
}

/** The forms that the entries in dist/ ask for. */
function missing(dist) {
  const names = readdirSync(dist).filter((name) =>
    /^(main|front-thread|cache-thread)\.cjs$/.test(name),
  );
  return names.some((name) => {
    const [, form] = /"([\w-]+\.compiled)"/.exec(readFileSync(join(dist, name), "utf8")) ?? [];
    return form !== undefined && !existsSync(join(dist, form));
  });
}

async function compile(dist) {
  const data = mkdtempSync(join(tmpdir(), "klystron-compile-"));
  const port = await freePort();
  const command = [join(dist, "main.cjs"), `--data-dir=${data}`, `--secure-port=${port}`];
  const child = spawn(process.execPath, [...command, "--bind-address=127.0.0.1"], {
    env: { ...process.env, KLYSTRON_COMPILE: "1" },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: true });
  try {
    for (const end = Date.now() + START_MS; Date.now() < end && child.exitCode === null; ) {
      if ((await status(port, agent)) === 200) break;
      await sleep(50);
    }
  } finally {
    agent.destroy();
    child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), END_MS);
    await ended;
    clearTimeout(hard);
    rmSync(data, { recursive: true, force: true });
  }
}

const dist = join(process.argv[2] ?? ".", "dist");
if (missing(dist)) await compile(dist);
