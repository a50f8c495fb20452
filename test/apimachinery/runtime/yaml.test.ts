import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DecodeError } from "../../../src/apimachinery/runtime/decode-error.ts";
import type { JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { encodeYaml, yamlToJson } from "../../../src/apimachinery/runtime/yaml.ts";

describe("yamlToJson reads as sigs.k8s.io/yaml does", () => {
  const cases: readonly (readonly [yaml: string, json: string])[] = [
    ["a: yes\nb: 0777\nc: 1_000", '{"a":true,"b":511,"c":1000}'],
    ["a: 2026-01-02\nb: 1:30", '{"a":"2026-01-02","b":"1:30"}'],
    ["1: a\ntrue: b", '{"1":"a","true":"b"}'],
    ["a: 9007199254740993", '{"a":9007199254740993}'],
    ["a: &x {b: 1}\nc: *x", '{"a":{"b":1},"c":{"b":1}}'],
    ["a: &x {b: 1}\nc: {<<: *x, d: 2}", '{"a":{"b":1},"c":{"b":1,"d":2}}'],
    ["a: b\n---\nc: d", '{"a":"b"}'],
    ["f:x:\n  .: {}", '{"f:x":{".":{}}}'],
    ["", "null"],
    ['{"a": [1, "x"]}', '{"a":[1,"x"]}'],
  ];
  for (const [yaml, json] of cases) {
    test(JSON.stringify(yaml), () => {
      assert.deepEqual(JSON.parse(yamlToJson(yaml).json), JSON.parse(json));
    });
  }

  test("keys that are set twice are strict errors with their lines", () => {
    const { json, strictErrors } = yamlToJson("a: 1\nb:\n  c: 1\n  c: 2\n");
    assert.deepEqual(JSON.parse(json), { a: 1, b: { c: 2 } });
    assert.deepEqual(strictErrors, [
      'yaml: unmarshal errors:\n  line 4: key "c" already set in map',
    ]);
  });

  test("errors name their line", () => {
    assert.throws(() => yamlToJson("a: ["), {
      message: "yaml: line 1: did not find expected node content",
    });
    assert.throws(() => yamlToJson("a: b: c"), DecodeError);
  });

  test("an alias bomb is refused", () => {
    const lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
    for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(10)}]`);
    assert.throws(() => yamlToJson(lines.join("\n")), {
      message: "yaml: document contains excessive aliasing",
    });
  });
});

describe("encodeYaml prints as sigs.k8s.io/yaml does", () => {
  const cases: readonly (readonly [value: JsonValue, yaml: string])[] = [
    [{ b: 1, a: [] }, "a: []\nb: 1\n"],
    [{ a: ["x", { b: 1, c: 2 }] }, "a:\n- x\n- b: 1\n  c: 2\n"],
    [
      { a: "yes", b: "1", c: "x: y", d: "", e: "it's" },
      'a: "yes"\nb: "1"\nc: \'x: y\'\nd: ""\ne: it\'s\n',
    ],
    [{ a: "x\ny\n", b: "x\ny", c: "\n" }, "a: |\n  x\n  y\nb: |-\n  x\n  y\nc: |2+\n\n"],
    [{ "f:10": 1, "f:9": 2 }, "f:9: 2\nf:10: 1\n"],
    [[["a"], [{ x: null }]], "- - a\n- - x: null\n"],
    [{ a: "tab\there" }, 'a: "tab\\there"\n'],
    [
      {
        message:
          "Node didn't have enough resource: pods, requested: 1, used: 110, capacity: 110 of all",
      },
      "message: 'Node didn''t have enough resource: pods, requested: 1, used: 110, capacity:\n  110 of all'\n",
    ],
  ];
  for (const [value, yaml] of cases) {
    test(JSON.stringify(yaml), () => assert.equal(encodeYaml(value), yaml));
  }

  test("every value reads back", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab 1.:-#'\"\\\n\t{}[]~é,&*!|>%@?yn0x_e+") });
    const value = fc.letrec<{ node: JsonValue }>((tie) => ({
      node: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("node"), { maxLength: 4 }),
        fc.dictionary(text, tie("node"), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).node;
    fc.assert(
      fc.property(value, (node) => {
        assert.deepEqual(JSON.parse(yamlToJson(encodeYaml(node)).json), node);
      }),
      { numRuns: 1000 },
    );
  });

  test("no text crashes the reader", () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab:- \n\t{}[]&*!|>'\"#%@,?<=") });
    fc.assert(
      fc.property(text, (yaml) => {
        try {
          yamlToJson(yaml);
        } catch (error) {
          assert(error instanceof DecodeError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
