/**
 * Builds native/ into build/Release/klystron.node with node-gyp, offline, from the headers that came
 * with the running Node. Does nothing (in milliseconds) when no input has changed since.
 *
 *   node scripts/build-native.mjs             build when stale
 *   node scripts/build-native.mjs --force     build
 *   node scripts/build-native.mjs --sanitize  build and run native/test under ASan+UBSan, then TSan
 *   node scripts/build-native.mjs --sources   print the addon's sources (binding.gyp asks)
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const require = createRequire(import.meta.url);
const output = join(root, "build", "Release", "klystron.node");
const stampFile = join(root, "build", "klystron.stamp");

function filesUnder(folder, keep) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path, keep) : keep(path) ? [path] : [];
    })
    .sort();
}
const native = join(root, "native");
const isTest = (path) =>
  path.startsWith(join(native, "test")) || path.startsWith(join(native, "tools"));
const inputs = () => filesUnder(native, (path) => /\.(cc|h)$/.test(path) && !isTest(path));
const addonSources = () =>
  inputs().filter((path) => path.endsWith(".cc") && !path.endsWith("simdjson_unit.cc"));

function stamp() {
  const hash = createHash("sha256");
  hash.update(`${process.version} ${process.arch} ${process.versions.modules}\n`);
  const simdjson = require.resolve("@nozbe/simdjson/package.json");
  for (const path of [...inputs(), join(root, "binding.gyp"), simdjson]) {
    hash.update(`${relative(root, path)}\n`).update(readFileSync(path));
  }
  return hash.digest("hex");
}

/** The folder that holds include/node of the running Node, or fails with what to do. */
function nodeDir() {
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const candidates = [process.env["npm_config_nodedir"], prefix, "/usr", "/usr/local"];
  for (const folder of candidates) {
    const header = folder && join(folder, "include", "node", "node_version.h");
    if (!header || !existsSync(header)) continue;
    const text = readFileSync(header, "utf8");
    const major = /NODE_MAJOR_VERSION (\d+)/.exec(text)?.[1];
    if (major === process.versions.node.split(".")[0]) return folder;
  }
  throw new Error(
    `build-native: no Node ${process.version} headers beside ${process.execPath}; ` +
      "install the package that has include/node, or set npm_config_nodedir",
  );
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: "utf8", ...options });
  if (result.status === 0) return result.stdout ?? "";
  process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  throw new Error(`build-native: ${command} ${args[0]} failed (${result.error ?? result.status})`);
}

function build(force) {
  const wanted = stamp();
  const current = existsSync(stampFile) ? readFileSync(stampFile, "utf8") : "";
  if (!force && current === wanted && existsSync(output)) return;
  const gyp = join(dirname(require.resolve("node-gyp/package.json")), "bin", "node-gyp.js");
  const node = process.execPath;
  const flags = [`--nodedir=${nodeDir()}`, "--loglevel=error"];
  run(node, [gyp, "configure", ...flags]);
  run(node, [gyp, "build", "-j", "1", ...flags]);
  writeFileSync(stampFile, wanted);
}

/** Compiles the core and native/test into one program per sanitizer and runs it. */
function sanitize() {
  const simdjson = join(dirname(require.resolve("@nozbe/simdjson/package.json")), "src");
  const folder = join(root, "build", "sanitize");
  mkdirSync(folder, { recursive: true });
  const sources = addonSources().filter((path) => !path.startsWith(join(native, "addon")));
  sources.push(join(native, "simdjson_unit.cc"));
  sources.push(...filesUnder(join(native, "test"), (path) => path.endsWith(".cc")));
  const base = [
    "-std=c++20",
    "-O1",
    "-g",
    "-fno-exceptions",
    "-fno-rtti",
    "-DSIMDJSON_EXCEPTIONS=0",
  ];
  base.push("-Wall", "-Wextra", "-I", native, "-isystem", simdjson, "-pthread");
  for (const [name, flags] of [
    ["asan", ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]],
    ["tsan", ["-fsanitize=thread"]],
  ]) {
    const objects = sources.map((path) => {
      const object = join(folder, `${name}-${relative(native, path).replaceAll("/", "_")}.o`);
      const key = createHash("sha256").update(
        [...inputs(), path].map((p) => readFileSync(p)).join(),
      );
      const digest = key.digest("hex");
      const mark = `${object}.stamp`;
      const slow = path.endsWith("simdjson_unit.cc");
      if (existsSync(object) && existsSync(mark)) {
        if (slow || readFileSync(mark, "utf8") === digest) return object;
      }
      run("g++", [...base, ...flags, "-c", path, "-o", object]);
      writeFileSync(mark, digest);
      return object;
    });
    const program = join(folder, name);
    run("g++", [...base, ...flags, ...objects, "-o", program]);
    process.stdout.write(run(program, [join(root, "src/apis/generated/types.generated.json")]));
    console.log(`native tests pass under ${name}`);
  }
}

const args = process.argv.slice(2);
try {
  if (args.includes("--sources"))
    console.log(
      addonSources()
        .map((p) => relative(root, p))
        .join("\n"),
    );
  else if (args.includes("--sanitize")) sanitize();
  else build(args.includes("--force"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
