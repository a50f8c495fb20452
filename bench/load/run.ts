/**
 * Question: does the server keep the budgets of the design, and how does it compare with another
 * API server? Twelve scenarios and a mixed run, in ABBA order where there is a peer.
 *
 *   npm run bench -- --quick                          two minutes, small sizes
 *   npm run bench -- --scenarios=get,list --pods=10000
 *   npm run bench -- --peer=https://127.0.0.1:6443 --peer-kubeconfig=FILE --peer-pid=PID \
 *       --etcd=http://127.0.0.1:2379 --server-args="--client-ca-file=CA --authorization-mode=RBAC"
 *
 * Results go to bench/results/ as JSON and as a page. What the figures mean: bench/README.md.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { fullSizes, loadPods, quickSizes, type Sizes } from "./corpus.ts";
import { type Figure, idleCpuOf, percentile, type Scenario } from "./measure.ts";
import { sleep } from "./process.ts";
import { page, type Result, type Row, shown } from "./report.ts";
import { generatorCeiling } from "./requests.ts";
import { reads, verify } from "./scenarios-read.ts";
import { watches } from "./scenarios-watch.ts";
import { changes } from "./scenarios-write.ts";
import { type Credentials, kubeconfigUser, peer, startKlystron, type Target } from "./target.ts";

const sizeNames = Object.keys(fullSizes) as (keyof Sizes)[];
const sizeFlags = Object.fromEntries(
  sizeNames.map((name) => [name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`), name]),
);
const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    scenarios: { type: "string", default: "" },
    port: { type: "string", default: "21800" },
    rounds: { type: "string", default: "1" },
    // An etcd for our own server, under a prefix of its own; the peer may use the same. The server
    // then needs --client-ca-file and --authorization-mode among its flags, and takes the peer's user.
    etcd: { type: "string", default: "" },
    // More flags for our own server, separated by blanks.
    "server-args": { type: "string", default: "" },
    peer: { type: "string", default: "" },
    "peer-token": { type: "string", default: "" },
    "peer-kubeconfig": { type: "string", default: "" },
    "peer-pid": { type: "string", default: "0" },
    out: { type: "string", default: "" },
    ...Object.fromEntries(
      Object.keys(sizeFlags).map((flag) => [flag, { type: "string" as const }]),
    ),
  },
});
const given = values as Record<string, string | boolean | undefined>;
const sizes = Object.fromEntries(
  Object.entries(sizeFlags).map(([flag, name]) => {
    const base = (values.quick ? quickSizes : fullSizes)[name];
    return [name, given[flag] === undefined ? base : Number(given[flag])];
  }),
) as unknown as Sizes;
const all: readonly Scenario[] = [...reads, ...watches, ...changes];
const asked = values.scenarios === "" ? all.map(({ id }) => id) : values.scenarios.split(",");
const port = Number(values.port);
const results = fileURLToPath(new URL("../results", import.meta.url));
const figures: (Figure & { target: string })[] = [];
const notes: string[] = [];
const date = new Date().toISOString().slice(0, 16).replace(":", "");
let ceiling = 0;

function note(text: string): void {
  if (!notes.includes(text)) notes.push(text);
}

async function runOne(scenario: Scenario, target: Target, idleCpu: number): Promise<void> {
  const report = (figure: Omit<Figure, "scenario">) => {
    figures.push({ ...figure, scenario: scenario.title, target: target.name });
    const limit = figure.budget === undefined ? "" : `  (budget ${shown(figure.budget)})`;
    console.log(`  ${target.name} ${figure.name}: ${shown(figure.value)} ${figure.unit}${limit}`);
  };
  const told = (text: string) => note(`${scenario.title}: ${text}`);
  try {
    await scenario.run({ target, sizes, idleCpu, port, report, note: told });
  } catch (error) {
    told(`failed on ${target.name}: ${error instanceof Error ? error.message : String(error)}`);
    console.error(error);
  }
}

function rowsOf(): Row[] {
  const groups = new Map<string, (Figure & { target: string })[]>();
  for (const figure of figures) {
    const key = `${figure.scenario}|${figure.name}|${figure.target}`;
    groups.set(key, [...(groups.get(key) ?? []), figure]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const { value: _value, ...rest } = first;
    const numbers = group.map(({ value }) => value);
    const [min, max] = [Math.min(...numbers), Math.max(...numbers)];
    return [{ ...rest, median: percentile(numbers, 0.5), min, max }];
  });
}

function peerCredentials(): Credentials {
  const file = values["peer-kubeconfig"];
  const fromFile = file === "" ? {} : kubeconfigUser(readFileSync(file, "utf8"));
  const token = values["peer-token"];
  return { ...fromFile, ...(token === "" ? {} : { token }) };
}

function peerTarget(): Target | undefined {
  if (values.peer === "") return undefined;
  return peer(values.peer, peerCredentials(), Number(values["peer-pid"]));
}

function serverFlags(): string[] {
  const { etcd, "server-args": more } = values;
  const store = etcd === "" ? [] : [`--etcd-servers=${etcd}`, "--etcd-prefix=/klystron-bench"];
  return [...store, ...more.split(" ").filter((flag) => flag !== "")];
}

function machine(): Result["machine"] {
  const [cpu] = cpus();
  const load = readFileSync("/proc/loadavg", "latin1").split(" ").slice(0, 3).join(" ");
  return {
    processor: cpu?.model ?? "",
    cores: cpus().length,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    kernel: release(),
    "load at the end": load,
  };
}

function commit(): string {
  try {
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { cwd: results })
      .toString()
      .trim();
  } catch {
    return "unknown";
  }
}

/** Called after each scenario: a run that is ended early keeps what it has. Gives the path. */
function write(): string {
  const result: Result = {
    date,
    command: `npm run bench -- ${process.argv.slice(2).join(" ")}`,
    machine: machine(),
    versions: { node: process.version, commit: commit() },
    sizes,
    ceiling,
    rows: rowsOf(),
    notes,
  };
  const name = values.out === "" ? join(results, date) : values.out;
  writeFileSync(`${name}.json`, `${JSON.stringify(result, undefined, 1)}\n`);
  writeFileSync(`${name}.html`, page(result));
  return name;
}

async function main(): Promise<void> {
  mkdirSync(results, { recursive: true });
  const began = Date.now();
  const credentials = values.etcd === "" ? undefined : peerCredentials();
  const own = await startKlystron(port, serverFlags(), undefined, credentials);
  const other = peerTarget();
  const targets = other === undefined ? [own.target] : [own.target, other, other, own.target];
  const idle = new Map<string, number>();
  try {
    ceiling = await generatorCeiling(own.target, port + 2, Math.min(20_000, sizes.gets));
    console.log(`generator's ceiling: ${Math.round(ceiling)} requests/s`);
    for (const target of new Set(targets)) {
      await loadPods(target, sizes.pods);
      await verify(target, sizes.pods);
      await sleep(1_500);
      idle.set(target.name, target.pid === 0 ? 0 : await idleCpuOf(target.pid, 1));
    }
    for (const scenario of all.filter(({ id }) => asked.includes(id))) {
      const started = Date.now();
      console.log(scenario.title);
      for (let round = 0; round < Number(values.rounds); round++) {
        for (const target of targets) {
          await runOne(scenario, target, idle.get(target.name) ?? 0);
        }
      }
      write();
      console.log(`  ${Math.round((Date.now() - started) / 1000)} s`);
    }
  } finally {
    await own.target.stop();
    await other?.stop();
    rmSync(own.dataDir, { recursive: true, force: true });
  }
  const name = write();
  for (const text of notes) console.log(`note: ${text}`);
  console.log(`${Math.round((Date.now() - began) / 1000)} s; ${name}.json and .html`);
  process.exit(0);
}

await main();
