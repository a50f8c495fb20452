import assert from "node:assert/strict";
import { test } from "node:test";
import {
  compileMatchCondition,
  type MatchCondition,
  matchConditions,
} from "../../src/authorization/match-conditions.ts";

const pods = {
  resourceAttributes: { namespace: "kube-system", verb: "get", version: "v1", resource: "pods" },
  user: "jane",
  groups: ["a", "b"],
};
const path = { nonResourceAttributes: { path: "/healthz", verb: "get" }, user: "jane" };

const rows: readonly (readonly [conditions: string[], spec: object, outcome: boolean | RegExp])[] =
  [
    [[], pods, true],
    [["has(request.resourceAttributes)"], pods, true],
    [["has(request.resourceAttributes)"], path, false],
    [["request.resourceAttributes.namespace == 'kube-system'"], path, /no such key/],
    [["request.resourceAttributes.namespace == 'x'", "request.uid == 'x'"], pods, false],
    [["request.uid == 'x'", "request.user == 'john'"], pods, false],
    [["request.user == 'jane'", "'a' in request.groups"], pods, true],
  ];
for (const [texts, spec, outcome] of rows) {
  test(`${JSON.stringify(texts)} of ${JSON.stringify(spec)}`, () => {
    const conditions = texts.map((text) => compileMatchCondition(text) as MatchCondition);
    const matched = matchConditions(conditions, spec);
    if (typeof outcome === "boolean") assert.equal(matched, outcome);
    else assert.match(JSON.stringify(matched), outcome);
  });
}

test("a condition must compile to a bool", () => {
  assert.deepEqual(compileMatchCondition("request.user"), {
    problem: "must evaluate to bool but got string",
  });
  assert.match(JSON.stringify(compileMatchCondition("request.usr")), /undefined field 'usr'/);
});
