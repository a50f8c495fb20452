/**
 * Runs the registry on recorded creates of a real kube-apiserver v1.36, in this process: decoding,
 * defaults, strategy, validation, warnings. No server, no admission (what the default plugins do is
 * imitated), no authorization.
 *
 *   npx tsx test/golden/offline.ts RESOURCE[,RESOURCE...] [--family NAME] [--show N] [--file PATH]
 *
 * RESOURCE: plural name, e.g. pods, or `all`. Per resource and family: cases, equal status code,
 * equal causes (reason, field), equal whole answer (with messages, warnings and the object; volatile
 * fields masked). --show N prints the first N differences of each resource. Without the recordings
 * the tool says so and ends.
 *
 * Cases where the answer comes from before or beside the registry are left out: bodies that cannot
 * be decoded (400, 415) and bad query options.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { compareCreates, RECORDINGS } from "./registry-answers.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    family: { type: "string" },
    show: { type: "string", default: "3" },
    file: { type: "string", default: RECORDINGS },
  },
});

const BODY_MAX = 1500;

async function main(): Promise<void> {
  if (!existsSync(flags.file)) {
    console.log(`No recordings at ${flags.file}`);
    return;
  }
  const names = positionals.flatMap((text) => text.split(","));
  const wanted = new Set(names.includes("all") ? [] : names);
  const scores = new Map<string, number[]>();
  const shown = new Map<string, number>();
  for await (const comparison of compareCreates(wanted, flags.file)) {
    const { exchange, resource, sameCode, sameCauses, differences } = comparison;
    if (flags.family !== undefined && exchange.family !== flags.family) continue;
    const key = `${resource} ${exchange.family}`;
    const score = scores.get(key) ?? [0, 0, 0, 0];
    scores.set(key, score);
    for (const [i, hit] of [true, sameCode, sameCauses, differences.length === 0].entries()) {
      score[i] = (score[i] ?? 0) + Number(hit);
    }
    if (differences.length === 0 || (shown.get(resource) ?? 0) >= Number(flags.show)) continue;
    shown.set(resource, (shown.get(resource) ?? 0) + 1);
    console.log(exchange.id, key, JSON.stringify(exchange.body).slice(0, BODY_MAX));
    for (const text of differences) console.log(text);
  }
  for (const [key, [all, code, causes, whole]] of [...scores].sort()) {
    console.log(key.padEnd(40), all, "code", code, "causes", causes, "whole", whole);
  }
}

await main();
process.exit(0);
