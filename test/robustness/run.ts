/**
 * npm run test:robustness -- --seconds 60 --seed 7
 * Traffic plus faults; a failure prints the seed that repeats it.
 */
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { findEtcd } from "../tools/etcd.ts";
import {
  cacheScenarios,
  embeddedScenarios,
  etcdCacheScenarios,
  etcdScenarios,
  type Run,
} from "./scenarios.ts";
import { seeded } from "./traffic.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string", default: "" },
    port: { type: "string", default: "21300" },
  },
});

const addon = new URL("../../build/Release/klystron.node", import.meta.url);
const hasAddon = existsSync(addon);
const hasEtcd = findEtcd() !== undefined;
const scenarios = {
  ...embeddedScenarios,
  ...(hasAddon ? cacheScenarios : {}),
  ...(hasEtcd ? etcdScenarios : {}),
  ...(hasEtcd && hasAddon ? etcdCacheScenarios : {}),
};
const chosen = Object.entries(scenarios).filter(([name]) => name.includes(values.only));
const seconds = Number(values.seconds) / Math.max(1, chosen.length);
console.log(`seed ${values.seed}, ${chosen.length} scenarios of ${seconds.toFixed(1)} s`);

let failed = false;
for (const [i, [name, scenario]] of chosen.entries()) {
  const random = seeded(Number(values.seed) + i);
  const run: Run = { seconds, random, port: Number(values.port) + i * 10 };
  try {
    const report = await scenario(run);
    console.log(`ok    ${name}: ${JSON.stringify(report)}`);
  } catch (error) {
    failed = true;
    console.log(`FAIL  ${name} (--seed ${values.seed} --only "${name}")`, error);
  }
}
process.exitCode = failed ? 1 : 0;
