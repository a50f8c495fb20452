/**
 * Builds dist/ (one script per thread, with V8's compiled form of it beside) and the addon.
 *
 *   node scripts/build.mjs            build what is stale
 *   node scripts/build.mjs --force    build everything
 *   node scripts/build.mjs --js       the bundles only
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { fingerprint, stampFile } from "./stale.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** Each thread, and each task of the pool, is a bundle of its own, all in one folder. */
const threads = ["main", "front-thread", "cache-thread"];
const taskFiles = readdirSync(join(root, "src"), { recursive: true }).filter((path) =>
  path.endsWith(".task.ts"),
);
const entries = [...threads.map((name) => `${name}.ts`), ...taskFiles].map((path) => ({
  in: `src/${path}`,
  out: basename(path, ".ts"),
}));
const tasks = taskFiles.map((path) => basename(path, ".ts"));
const DAY_MS = 86_400_000;
const force = process.argv.includes("--force");
const note = (text) => process.stderr.write(`${text}\n`);

/** A table as a string that JSON.parse reads: several times faster to start than a literal. */
const jsonText = {
  name: "json-text",
  setup(bundler) {
    bundler.onLoad({ filter: /\.json$/ }, ({ path }) => {
      const compact = JSON.stringify(JSON.parse(readFileSync(path, "utf8")));
      return { contents: `export default JSON.parse(${JSON.stringify(compact)});`, loader: "js" };
    });
  },
};

/** What looks for files beside itself, or is there on some machines only, stays outside. */
const external = [
  "etcd3",
  "lmdb",
  "msgpackr-extract",
  "piscina",
  "uWebSockets.js",
  "bufferutil",
  "utf-8-validate",
];
const MODULE_URL = 'const moduleUrl=require("node:url").pathToFileURL(__filename).href;';
/** Modules of Node that take milliseconds to load, and that many a server never needs. */
const LATE = /=require\("((?:node:)?(?:http|https|http2|tls|zlib))"\)/g;
const LATE_MODULE =
  "const lateModule=(name)=>{let it;return new Proxy({},{get:(_,key)=>(it??=require(name))[key]})};";
/** The text is the function Node would make of it, so that nothing need be put around it. */
const WRAPPER = "(function(exports,require,module,__filename,__dirname){";

async function bundled(outdir, names, head, foot) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries.filter(({ out }) => names.includes(out)),
    outdir,
    bundle: true,
    format: "cjs",
    outExtension: { ".js": ".cjs" },
    platform: "node",
    target: "node20",
    external,
    supported: { "dynamic-import": false },
    define: { "import.meta.url": "moduleUrl" },
    banner: { js: `${head}"use strict";${MODULE_URL}${LATE_MODULE}` },
    footer: { js: foot },
    minifyWhitespace: true,
    sourcemap: "linked",
    legalComments: "external",
    plugins: [jsonText],
    logLevel: "warning",
    write: false,
  });
  return outputFiles.map(({ path, contents, text }) => ({
    name: basename(path),
    contents: path.endsWith(".cjs") ? text.replaceAll(LATE, '=lateModule("$1")') : contents,
  }));
}

/**
 * Each thread's script gets a name of its own for what it is, and an entry that loads it in the form
 * V8 has made of it (scripts/thread-entry.cjs). Two builds may run at once, and a server may start
 * from dist/ at any time: files appear whole, entries last, and old scripts stay for a day.
 */
function publish(outdir, files) {
  const entry = readFileSync(join(root, "scripts", "thread-entry.cjs"), "utf8");
  const current = new Set();
  const put = (name, contents) => {
    current.add(name);
    const partial = join(outdir, `${name}.${process.pid}.partial`);
    writeFileSync(partial, contents);
    renameSync(partial, join(outdir, name));
  };
  const isScript = ({ name }) => threads.some((thread) => name === `${thread}.cjs`);
  for (const { name, contents } of files.filter((file) => !isScript(file))) put(name, contents);
  for (const { name, contents } of files.filter(isScript)) {
    const hash = createHash("sha256").update(contents).digest("hex").slice(0, 12);
    const script = `${name.slice(0, -".cjs".length)}-${hash}`;
    put(`${script}.cjs`, contents);
    current.add(`${script}.compiled`);
    put(name, entry.replaceAll("SCRIPT", script));
  }
  for (const name of readdirSync(outdir)) {
    const path = join(outdir, name);
    const isOld = Date.now() - statSync(path).mtimeMs > DAY_MS;
    if (/\.(c?js(\.map)?|compiled|partial)$/.test(name) && !current.has(name) && isOld)
      rmSync(path, { force: true });
  }
}

async function bundle() {
  const wanted = fingerprint(root);
  if (!force && existsSync(stampFile(root)) && readFileSync(stampFile(root), "utf8") === wanted)
    return;
  note("klystron: bundling src/ ...");
  const outdir = join(root, "dist");
  mkdirSync(outdir, { recursive: true });
  const ofTasks = await bundled(outdir, tasks, "", "");
  publish(outdir, [...ofTasks, ...(await bundled(outdir, threads, WRAPPER, "})"))]);
  writeFileSync(stampFile(root), wanted);
}

/** Runs the server to its readiness once, so that V8 leaves its form of what a start needs. */
function compile() {
  const script = join(root, "scripts", "compile.mjs");
  spawnSync(process.execPath, [script, root], { stdio: ["ignore", 2, 2] });
}

function addon() {
  const args = [join(root, "scripts", "build-native.mjs"), ...(force ? ["--force"] : [])];
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    note("klystron: the addon was not built; the server runs without it, more slowly");
    writeFileSync(join(root, "dist", ".no-addon"), "");
    if (process.argv.includes("--strict")) process.exit(1);
  }
}

/** Texts for `kubectl explain`, from the typings of the client package where it is installed. */
function descriptions() {
  const target = join(root, "dist", "openapi-descriptions.json");
  const script = join(root, "scripts", "openapi-descriptions.mjs");
  const isNew = existsSync(target) && statSync(target).mtimeMs > statSync(script).mtimeMs;
  if (isNew && !force) return;
  spawnSync(process.execPath, [script, target], { stdio: ["ignore", 2, 2] });
}

await bundle();
descriptions();
if (!process.argv.includes("--js")) addon();
compile();
