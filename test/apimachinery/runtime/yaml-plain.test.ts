import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { DecodeError } from "../../../src/apimachinery/runtime/decode-error.ts";
import { yamlToJson } from "../../../src/apimachinery/runtime/yaml.ts";
import { plainJson } from "../../../src/apimachinery/runtime/yaml-plain.ts";

/** The YAML parser's answer: a comment before the object keeps the short cut away. */
function parsed(text: string): { json: string; strictErrors: readonly string[] } | undefined {
  try {
    return yamlToJson(`#\n${text}`);
  } catch (error) {
    assert(error instanceof DecodeError);
    return undefined;
  }
}

describe("plainJson", () => {
  test("is what a YAML parser reads, or undefined", () => {
    const text = fc.oneof(
      fc.json(),
      fc.dictionary(fc.string(), fc.jsonValue()).map((value) => JSON.stringify(value)),
      fc
        .dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue())
        .map((value) => JSON.stringify(value, undefined, 2)),
    );
    fc.assert(
      fc.property(text, (one) => {
        const plain = plainJson(one);
        if (plain === undefined) return;
        const { json, strictErrors } = parsed(one) ?? { json: "refused", strictErrors: [] };
        assert.deepEqual(JSON.parse(plain), JSON.parse(json));
        assert.deepEqual(strictErrors, []);
      }),
      { numRuns: 2000 },
    );
  });

  test("takes what clients send", () => {
    const config = { apiVersion: "v1", metadata: { name: "a" }, data: { a: 'x\n"y"', b: "é" } };
    for (const text of [JSON.stringify(config), `${JSON.stringify(config, undefined, 2)}\n`]) {
      assert.equal(plainJson(text), JSON.stringify(config));
    }
  });

  test("leaves the rest to the YAML parser", () => {
    for (const text of [
      "a: b",
      "[]",
      '{"a":1,"a":2}',
      '{"a":1.0}',
      '{"a":1e3}',
      '{"a":"\\u0041"}',
      '{"a":"\\/"}',
      '{"a":"\\ud800"}',
      '{\t"a":1}',
      '{"a":1} {}',
      '{"a":1',
      '{"a":b}',
      '{"<<":{"a":1}}',
      '{"a":"\u2028"}',
      `{"a":${"[".repeat(200)}${"]".repeat(200)}}`,
    ]) {
      assert.equal(plainJson(text), undefined, text);
    }
  });
});
