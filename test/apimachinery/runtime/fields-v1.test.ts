import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { cloneJson } from "../../../src/apimachinery/runtime/clone.ts";
import {
  fieldsOf,
  knownFields,
  parseWithFields,
} from "../../../src/apimachinery/runtime/fields-v1.ts";
import { decodeJson } from "../../../src/apimachinery/runtime/json-decode.ts";
import { structOf } from "../../../src/apis/schemas.ts";

interface Entry {
  readonly fieldsV1?: unknown;
}
const entriesOf = (object: unknown) =>
  (object as { metadata: { managedFields: Entry[] } }).metadata.managedFields;

describe("parseWithFields", () => {
  const names = fc.constantFrom("f:a", 'k:{"name":"x"}', 'v:"}]"', "f:{", 'f:"\\', ".", "f:é");
  const fields = fc.letrec((tie) => ({
    node: fc.dictionary(names, fc.oneof({ depthSize: "small" }, fc.constant({}), tie("node"))),
  })).node;
  const entry = fc.record(
    { apiVersion: fc.constant("v1"), fieldsV1: fields, manager: fc.string(), time: fc.string() },
    { requiredKeys: [] },
  );
  const metadata = fc.record(
    { annotations: fc.dictionary(fc.string(), fc.string()), managedFields: fc.array(entry) },
    { requiredKeys: [] },
  );

  test("gives what JSON.parse gives", () => {
    const object = fc.record(
      { data: fc.oneof(fc.jsonValue(), fc.record({ metadata })), metadata, spec: metadata },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(object, (value) => {
        const text = JSON.stringify(value);
        assert.deepEqual(parseWithFields(text, JSON.parse), JSON.parse(text));
      }),
      { numRuns: 1000 },
    );
  });

  test("shares and freezes what objects own, and nothing else", () => {
    const text = '{"metadata":{"managedFields":[{"fieldsV1":{"f:b":{"f:c":{}}},"x":"]"}]}}';
    const [one, two] = [parseWithFields(text, JSON.parse), parseWithFields(text, JSON.parse)];
    const [ours, theirs] = [entriesOf(one)[0]?.fieldsV1, entriesOf(two)[0]?.fieldsV1];
    assert.equal(ours, theirs);
    assert.equal(Object.isFrozen((ours as Record<string, unknown>)["f:b"]), true);
    assert.notEqual(entriesOf(one)[0], entriesOf(two)[0]);
    assert.equal(entriesOf(cloneJson(one))[0]?.fieldsV1, ours);
  });

  test("is found again by the decoder of bodies, by the same text only", () => {
    const text = '{"f:data":{"f:known":{}}}';
    const fieldsV1 = fieldsOf(text);
    const map = structOf("k8s.io/api/core/v1.ConfigMap");
    const decoded = (body: string) =>
      entriesOf(
        decodeJson(`{"metadata":{"managedFields":[{"fieldsV1":${body}}]}}`, map, {
          strict: "Strict",
        }).object,
      )[0]?.fieldsV1;
    assert.equal(decoded(text), fieldsV1);
    assert.notEqual(decoded(` ${text.replace(":{", ": {")}`), fieldsV1);
    assert.equal(knownFields('{"f:never":{}}'), undefined);
  });
});
