/**
 * Builds dist/ (one bundle per thread, shared code in chunks) and the addon.
 *
 *   node scripts/build.mjs            build what is stale
 *   node scripts/build.mjs --force    build everything
 *   node scripts/build.mjs --js       the bundles only
 */
import { spawnSync } from "node:child_process";
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
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { fingerprint, stampFile } from "./stale.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** Each thread, and each task of the pool, is a bundle of its own, all in one folder. */
const threads = ["main", "front-thread", "cache-thread"].map((name) => `src/${name}.ts`);
const tasks = readdirSync(join(root, "src"), { recursive: true })
  .filter((path) => path.endsWith(".task.ts"))
  .map((path) => `src/${path}`);
const entries = [...threads, ...tasks].map((path) => ({
  in: path,
  out: path.slice(path.lastIndexOf("/") + 1, -".ts".length),
}));
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

/**
 * A server that runs from dist/ may load a chunk at any time, and two builds may run at once: files
 * appear whole, entries last, and old chunks stay for a day.
 */
function publish(outdir, files) {
  const isEntry = ({ path }) => entries.some(({ out }) => path.endsWith(`/${out}.js`));
  const sorted = [...files].sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)));
  for (const { path, contents } of sorted) {
    const partial = `${path}.${process.pid}.partial`;
    writeFileSync(partial, contents);
    renameSync(partial, path);
  }
  const current = new Set(files.map(({ path }) => path));
  for (const name of readdirSync(outdir)) {
    const path = join(outdir, name);
    const isOld = Date.now() - statSync(path).mtimeMs > DAY_MS;
    if (/\.js(\.map)?$/.test(name) && !current.has(path) && isOld) rmSync(path, { force: true });
  }
}

async function bundle() {
  const wanted = fingerprint(root);
  if (!force && existsSync(stampFile(root)) && readFileSync(stampFile(root), "utf8") === wanted)
    return;
  note("klystron: bundling src/ ...");
  const outdir = join(root, "dist");
  mkdirSync(outdir, { recursive: true });
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    chunkNames: "[name]-[hash]",
    sourcemap: "linked",
    legalComments: "none",
    plugins: [jsonText],
    logLevel: "warning",
    write: false,
  });
  publish(outdir, outputFiles);
  writeFileSync(stampFile(root), wanted);
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
  if (existsSync(target) && !force) return;
  const script = join(root, "scripts", "openapi-descriptions.mjs");
  spawnSync(process.execPath, [script, target], { stdio: ["ignore", 2, 2] });
}

await bundle();
descriptions();
if (!process.argv.includes("--js")) addon();
