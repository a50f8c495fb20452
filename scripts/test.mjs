/**
 * Installs and builds what is missing, then runs the test suites with Node's runner, and ends with one line that sums them.
 *
 *   npm test                        everything
 *   npm test -- unit tidy           some suites
 *   npm test -- test/request        files or folders
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const note = (text) => process.stdout.write(`${text}\n`);
const CONCURRENCY = "2";
/** A suite that hangs must not hang its caller. */
const SUITE_MS_MAX = 20 * 60_000;
const TEST_MS_MAX = "120000";

/** Suites in the order of their cost; unit is every folder that no other suite names. */
const named = ["tidy", "types", "conformance", "golden", "integration", "robustness"];
const suiteOrder = [
  "lint",
  "types",
  "tidy",
  "unit",
  "conformance",
  "golden",
  "integration",
  "robustness",
];

function testFiles(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => {
      const child = join(path, entry.name);
      if (entry.isDirectory()) return entry.name === "fixtures" ? [] : testFiles(child);
      return /\.test\.ts$/.test(entry.name) ? [child] : [];
    })
    .sort();
}

function filesOf(suite) {
  if (suite !== "unit") return testFiles(join(root, "test", suite));
  return readdirSync(join(root, "test"), { withFileTypes: true })
    .filter((entry) => !named.includes(entry.name))
    .flatMap((entry) => testFiles(join(root, "test", entry.name)));
}

/** Runs the files, shows failures as they come, and returns the counts. */
function run(title, files) {
  note(`\n== ${title}: ${files.length} files`);
  const reporter = join(root, "scripts", "test-reporter.mjs");
  const args = [
    "--import",
    "tsx",
    "--test",
    `--test-concurrency=${CONCURRENCY}`,
    `--test-timeout=${TEST_MS_MAX}`,
    `--test-reporter=${reporter}`,
    ...files.map((file) => relative(root, file)),
  ];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), SUITE_MS_MAX);
    let counts = { passed: 0, failed: 0, skipped: 0 };
    let complete = false;
    let rest = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const match = /^counts (\d+) (\d+) (\d+)$/.exec(line);
        if (match === null) note(line);
        else {
          const [passed, failed, skipped] = match.slice(1).map(Number);
          counts = { passed, failed, skipped };
          complete = true;
        }
      }
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      if (!complete || (code !== 0 && counts.failed === 0)) counts.failed += 1;
      note(`   ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
      resolve(counts);
    });
  });
}

function prepare() {
  if (!existsSync(join(root, "node_modules", ".package-lock.json"))) {
    note("== packages");
    const args = ["ci", "--no-audit", "--no-fund"];
    const { status } = spawnSync("npm", args, { cwd: root, stdio: "inherit" });
    if (status !== 0) process.exit(1);
  }
  note("== build");
  const build = join(root, "scripts", "build.mjs");
  const { status } = spawnSync(process.execPath, [build], { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}

/** Tools that are a test of their own; test/types holds what must not compile. */
const checks = {
  lint: ["biome", "check", "."],
  types: ["tsc", "-p", "tsconfig.json"],
};
function check(suite, [tool, ...args]) {
  note(`\n== ${suite}`);
  const path = join(root, "node_modules", ".bin", tool);
  const { status } = spawnSync(path, args, { cwd: root, stdio: "inherit" });
  const counts = { passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: 0 };
  note(`   ${counts.passed} passed, ${counts.failed} failed, 0 skipped`);
  return counts;
}

async function main(wanted) {
  const unknown = wanted.filter(
    (name) => !suiteOrder.includes(name) && !existsSync(join(root, name)),
  );
  if (unknown.length > 0) {
    note(`no such suite or path: ${unknown.join(" ")}; suites: ${suiteOrder.join(" ")}`);
    process.exit(1);
  }
  prepare();
  const results = [];
  const all = wanted.length === 0;
  for (const suite of suiteOrder) {
    if (!all && !wanted.includes(suite)) continue;
    if (Object.hasOwn(checks, suite)) {
      results.push(check(suite, checks[suite]));
      continue;
    }
    const files = filesOf(suite);
    if (files.length > 0) results.push(await run(suite, files));
  }
  for (const path of wanted.filter((name) => !suiteOrder.includes(name))) {
    results.push(await run(path, testFiles(join(root, path))));
  }
  const sum = (key) => results.reduce((total, counts) => total + counts[key], 0);
  note(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
  process.exitCode = sum("failed") === 0 ? 0 : 1;
}

await main(process.argv.slice(2));
