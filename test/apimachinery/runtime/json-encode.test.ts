import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { JsonObject } from "../../../src/apimachinery/runtime/json.ts";
import {
  encodeJson,
  encodeNumber,
  encodeString,
  indentJson,
} from "../../../src/apimachinery/runtime/json-encode.ts";
import { structOf } from "../../../src/apis/schemas.ts";

const encode = (goName: string, object: JsonObject) =>
  encodeJson(object, structOf(`k8s.io/api/${goName}`));

describe("encodeJson prints what Go prints", () => {
  const cases: readonly (readonly [goName: string, object: JsonObject, json: string])[] = [
    ["core/v1.ConfigMap", {}, '{"metadata":{}}'],
    ["core/v1.Pod", {}, '{"metadata":{},"spec":{"containers":null},"status":{}}'],
    ["core/v1.ServicePort", { nodePort: 0, name: "" }, '{"port":0,"targetPort":0}'],
    ["rbac/v1.ClusterRole", { rules: [] }, '{"metadata":{},"rules":[]}'],
    ["rbac/v1.ClusterRole", {}, '{"metadata":{},"rules":null}'],
    [
      "core/v1.ConfigMap",
      { apiVersion: "v1", kind: "ConfigMap", data: { b: "<&>", a: "\u2028" } },
      '{"kind":"ConfigMap","apiVersion":"v1","metadata":{},"data":{"a":"\\u2028","b":"\\u003c\\u0026\\u003e"}}',
    ],
    [
      "core/v1.Event",
      {},
      '{"metadata":{},"involvedObject":{},"source":{},"firstTimestamp":null,"lastTimestamp":null,"eventTime":null,"reportingComponent":"","reportingInstance":""}',
    ],
    [
      "apps/v1.DeploymentSpec",
      { replicas: 0 },
      '{"replicas":0,"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}}',
    ],
  ];
  for (const [goName, object, json] of cases) {
    test(`${goName} ${JSON.stringify(object)}`, () => assert.equal(encode(goName, object), json));
  }

  test("unknown fields are left out", () => {
    assert.equal(encode("core/v1.ConfigMap", { nope: 1 }), '{"metadata":{}}');
  });

  test("keys are sorted by their bytes", () => {
    const data = { "\u{1f600}": "", "\uffff": "", a: "" };
    assert.match(encode("core/v1.ConfigMap", { data }), /"a":"","\uffff":"","\u{1f600}":""/u);
  });
});

test("strings keep every character JSON.parse can give back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.equal(JSON.parse(encodeString(text)), text);
    }),
  );
  assert.equal(encodeString("\ud800"), '"\\ufffd"');
});

test("numbers", () => {
  const shown = [0, -0, 1.5, 1e21, 1e-7, 2n ** 63n - 1n].map(encodeNumber);
  assert.deepEqual(shown, ["0", "-0", "1.5", "1e+21", "1e-7", "9223372036854775807"]);
});

test("indentJson", () => {
  const text = '{"a":[],"b":{},"c":[1,{"d":"x,{"}]}';
  assert.equal(indentJson(text), JSON.stringify(JSON.parse(text), undefined, 2));
});
