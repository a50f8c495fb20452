import assert from "node:assert/strict";
import { test } from "node:test";
import { AdmissionChain } from "../../src/admission/chain.ts";
import type { AdmissionPlugin } from "../../src/admission/plugin.ts";
import { forbidden } from "../../src/apimachinery/api/errors.ts";
import { metrics } from "../../src/metrics/registry.ts";
import { attributesFor } from "./fakes.ts";

const calls: string[] = [];
function plugin(name: string, refuses: "admit" | "validate" | "" = "", handles = true) {
  const step = (which: "admit" | "validate") => () => {
    calls.push(`${name} ${which}`);
    if (refuses === which) throw forbidden({ group: "", resource: "pods" }, "p", name);
  };
  const own: AdmissionPlugin = {
    name,
    handles: () => handles,
    admit: step("admit"),
    validate: step("validate"),
  };
  return own;
}
const attributes = attributesFor({ object: { metadata: { name: "p" } } });

test("phases run in order; the first to refuse ends its phase", async () => {
  const chain = new AdmissionChain([
    plugin("a"),
    plugin("skipped", "admit", false),
    plugin("b", "validate"),
    plugin("c"),
  ]);
  assert.deepEqual(chain.names, ["a", "skipped", "b", "c"]);
  await chain.admit(attributes);
  await assert.rejects(chain.validate(attributes), /forbidden: b/);
  assert.deepEqual(calls, ["a admit", "b admit", "c admit", "a validate", "b validate"]);
});

test("time is counted by plugin and by phase", () => {
  const cells = (name: string) => {
    const found = metrics.snapshot().find((one) => one.name === name);
    return (found?.cells ?? []).map(([labels]) => String(labels));
  };
  const controllers = cells("apiserver_admission_controller_admission_duration_seconds").join("\n");
  for (const part of ["a", "b", "c"]) assert.match(controllers, new RegExp(`\\b${part}\\b`));
  assert.doesNotMatch(controllers, /skipped/);
  assert.equal(cells("apiserver_admission_step_admission_duration_seconds").length, 2);
});
