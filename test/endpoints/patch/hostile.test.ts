// Whatever a client sends, the answer is a result or a Status: nothing else is thrown.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { StatusError } from "../../../src/apimachinery/api/errors.ts";
import type { JsonObject } from "../../../src/apimachinery/runtime/json.ts";
import { schemaForKind } from "../../../src/apis/schemas.ts";
import { createFieldManager } from "../../../src/endpoints/fieldmanager/index.ts";
import { applyJsonPatch } from "../../../src/endpoints/patch/json-patch.ts";
import { applyMergePatch } from "../../../src/endpoints/patch/merge-patch.ts";
import { applyStrategicMergePatch } from "../../../src/endpoints/patch/strategic-merge-patch/index.ts";

const gvk = { group: "", version: "v1", kind: "Pod" };
const schema = schemaForKind(gvk);
assert.ok(schema);
const pod = schema;

const live = (): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", labels: { a: "1" }, finalizers: ["x", "y"] },
  spec: { containers: [{ name: "a", env: [{ name: "E", value: "1" }] }], nodeName: "n" },
});

const appliers = [
  (body: string, mode: "Strict" | "Ignore") => applyJsonPatch(live(), body, mode),
  (body: string, mode: "Strict" | "Ignore") => applyMergePatch(live(), body, mode),
  (body: string, mode: "Strict" | "Ignore") => applyStrategicMergePatch(live(), body, pod, mode),
];

function survives(body: string): void {
  for (const apply of appliers) {
    for (const mode of ["Strict", "Ignore"] as const) {
      try {
        apply(body, mode);
      } catch (error) {
        assert.ok(error instanceof StatusError, `${body.slice(0, 200)}: ${(error as Error).stack}`);
        assert.ok(error.code >= 400 && error.code <= 500);
      }
    }
  }
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
}

const name = fc.constantFrom(
  "metadata",
  "spec",
  "labels",
  "finalizers",
  "containers",
  "name",
  "env",
  "$patch",
  "$retainKeys",
  "$setElementOrder/containers",
  "$setElementOrder/finalizers",
  "$deleteFromPrimitiveList/finalizers",
  "__proto__",
  "constructor",
  "polluted",
  "op",
  "path",
  "from",
  "value",
);
const scalar = fc.constantFrom(
  null,
  true,
  0,
  1e300,
  -1,
  "",
  "a",
  "x",
  "delete",
  "replace",
  "merge",
  "add",
  "test",
  "move",
  "/metadata/labels/a",
  "/__proto__/polluted",
  "/constructor/prototype/polluted",
  "/spec/containers/-",
  "/metadata/finalizers/-1",
);
const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 5 }),
  ),
})).value;

test("any JSON", () => {
  fc.assert(
    fc.property(json, (value) => survives(JSON.stringify(value))),
    { numRuns: 1500 },
  );
});

test("any operations", () => {
  const operation = fc.record(
    {
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test", "x", 1),
      path: scalar,
      from: scalar,
      value: json,
    },
    { requiredKeys: ["op"] },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (ops) => survives(JSON.stringify(ops))),
    { numRuns: 1500 },
  );
});

test("any text, and JSON that was cut or changed", () => {
  const cut = fc.tuple(json, fc.nat(), fc.string({ maxLength: 3 })).map(([value, at, extra]) => {
    const text = JSON.stringify(value);
    return text.slice(0, at % (text.length + 1)) + extra;
  });
  fc.assert(fc.property(fc.oneof(fc.string(), cut), survives), { numRuns: 1500 });
});

test("deep nesting", () => {
  for (const depth of [1000, 9_999, 200_000]) {
    survives("[".repeat(depth) + "]".repeat(depth));
    survives(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
    survives(`[{"op":"add","path":"/x","value":${"[".repeat(depth)}${"]".repeat(depth)}}]`);
    survives(`[{"op":"test","path":"${"/a".repeat(depth)}"}]`);
  }
});

// Quadratic work on these would take minutes.
test("large lists", () => {
  const items = Array.from({ length: 20_000 }, (_, i) => ({ name: `n${i}`, value: "1" }));
  const doc = { spec: { containers: [{ name: "a", env: items }] } };
  const reversed = [...items].reverse();
  const patch = {
    spec: { containers: [{ name: "a", env: reversed.map((item) => ({ ...item, value: "2" })) }] },
  };
  applyStrategicMergePatch(doc, JSON.stringify(patch), pod, "Strict");
  const finalizers = Array.from({ length: 50_000 }, (_, i) => `f${i % 25_000}`);
  applyStrategicMergePatch(
    { metadata: { finalizers } },
    JSON.stringify({ metadata: { finalizers } }),
    pod,
    "Strict",
  );
  const gone = items.map(({ name }) => ({ name, $patch: "delete" }));
  const order = {
    spec: { containers: [{ name: "a", env: gone, "$setElementOrder/env": [{ name: "z" }] }] },
  };
  applyStrategicMergePatch(doc, JSON.stringify(order), pod, "Strict");
});

test("any configuration is applied or refused with a Status", () => {
  const manager = createFieldManager({ gvk, schema: pod, subresource: "" });
  const base = manager.update(undefined, live(), "m") as JsonObject;
  fc.assert(
    fc.property(json, json, fc.boolean(), (spec, metadata, force) => {
      const config = { apiVersion: "v1", kind: "Pod", spec, metadata } as JsonObject;
      try {
        manager.apply(base, JSON.parse(JSON.stringify(config)) as JsonObject, "applier", force);
      } catch (error) {
        assert.ok(error instanceof StatusError, (error as Error).stack);
      }
      manager.updateNoErrors(base, JSON.parse(JSON.stringify(config)) as JsonObject, "updater");
    }),
    { numRuns: 1500 },
  );
});
