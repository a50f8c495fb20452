// Rows follow evanphx/json-patch v4 and the answers recorded in the golden family "patch".
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import fastJsonPatch from "fast-json-patch";
import * as rfc6902 from "rfc6902";
import { StatusError } from "../../../src/apimachinery/api/errors.ts";
import type { JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { applyJsonPatch } from "../../../src/endpoints/patch/json-patch.ts";

const REJECTED = "the server rejected our request due to an error in our request";

interface Case {
  readonly doc: JsonValue;
  readonly patch: string;
  readonly want?: JsonValue;
  readonly code?: number;
  readonly message?: string;
}

const live = { metadata: { finalizers: ["a", "b"] }, data: { a: "1", b: null, "x/y": "z" } };
const cases: readonly Case[] = [
  { doc: { a: 1 }, patch: "[]", want: { a: 1 } },
  { doc: { a: 1 }, patch: "null", want: { a: 1 } },
  { doc: {}, patch: '[{"op":"add","path":"/a","value":{"b":1}}]', want: { a: { b: 1 } } },
  { doc: {}, patch: '[{"op":"add","path":"/a"}]', want: { a: null } },
  { doc: [1, 2], patch: '[{"op":"add","path":"/1","value":9}]', want: [1, 9, 2] },
  { doc: [1, 2], patch: '[{"op":"add","path":"/-","value":9}]', want: [1, 2, 9] },
  { doc: [1, 2], patch: '[{"op":"add","path":"/2","value":9}]', want: [1, 2, 9] },
  { doc: [1, 2], patch: '[{"op":"add","path":"/-1","value":9}]', want: [1, 2, 9] },
  { doc: [1, 2], patch: '[{"op":"add","path":"/-3","value":9}]', want: [9, 1, 2] },
  { doc: [1, 2], patch: '[{"op":"add","path":"/3","value":9}]', code: 422 },
  { doc: [1, 2], patch: '[{"op":"add","path":"/-4","value":9}]', code: 422 },
  { doc: [1, 2], patch: '[{"op":"add","path":"/+1","value":9}]', want: [1, 9, 2] },
  { doc: [1, 2], patch: '[{"op":"add","path":"/x","value":9}]', code: 422 },
  { doc: [1, 2], patch: '[{"op":"replace","path":"/-1","value":9}]', want: [1, 9] },
  { doc: [1, 2], patch: '[{"op":"remove","path":"/-2"}]', want: [2] },
  { doc: [1, 2], patch: '[{"op":"remove","path":"/2"}]', code: 422 },
  { doc: live, patch: '[{"op":"remove","path":"/data/none"}]', code: 422 },
  // A replace may create a member of an object, as v4 has it.
  { doc: { a: 1 }, patch: '[{"op":"replace","path":"/b","value":2}]', want: { a: 1, b: 2 } },
  { doc: { a: 1 }, patch: '[{"op":"replace","path":"","value":{"c":2}}]', want: { c: 2 } },
  { doc: { a: 1 }, patch: '[{"op":"replace","path":"","value":3}]', code: 422 },
  { doc: { a: 1 }, patch: '[{"op":"add","path":"","value":{"c":2}}]', code: 422 },
  // What stands before the first slash is not looked at.
  { doc: { a: 1 }, patch: '[{"op":"add","path":"zz/b","value":2}]', want: { a: 1, b: 2 } },
  { doc: live, patch: '[{"op":"add","path":"data","value":1}]', code: 422, message: REJECTED },
  { doc: { "x/y": 1 }, patch: '[{"op":"remove","path":"/x~1y"}]', want: {} },
  { doc: { "x~y": 1 }, patch: '[{"op":"remove","path":"/x~0y"}]', want: {} },
  { doc: { "~1": 1 }, patch: '[{"op":"remove","path":"/~01"}]', want: {} },
  { doc: { a: 1 }, patch: '[{"op":"move","from":"/a","path":"/b"}]', want: { b: 1 } },
  { doc: { a: 1 }, patch: '[{"op":"move","from":"/c","path":"/b"}]', code: 422 },
  { doc: { a: 1 }, patch: '[{"op":"copy","from":"/a","path":"/b"}]', want: { a: 1, b: 1 } },
  { doc: { a: 1 }, patch: '[{"op":"copy","from":"/c","path":"/b"}]', want: { a: 1, b: null } },
  {
    doc: { a: { b: 1 } },
    patch: '[{"op":"test","path":"/a","value":{"b":1}}]',
    want: { a: { b: 1 } },
  },
  { doc: { a: 1 }, patch: '[{"op":"test","path":"/a","value":1}]', want: { a: 1 } },
  { doc: { a: 1 }, patch: '[{"op":"test","path":"/a","value":1.0}]', code: 422 },
  { doc: { a: "<" }, patch: '[{"op":"test","path":"/a","value":"<"}]', code: 422 },
  { doc: { a: "<" }, patch: '[{"op":"test","path":"/a","value":"\\u003c"}]', want: { a: "<" } },
  { doc: { a: 1 }, patch: '[{"op":"test","path":"/b","value":null}]', want: { a: 1 } },
  { doc: { a: 1 }, patch: '[{"op":"test","path":"/b"}]', want: { a: 1 } },
  { doc: { a: 1 }, patch: '[{"op":"test","path":"","value":{"a":1}}]', want: { a: 1 } },
  {
    doc: live,
    patch: '[{"op":"test","path":"/data/a","value":"9"}]',
    code: 422,
    message: REJECTED,
  },
  { doc: live, patch: '[{"op":"nope","path":"/x"}]', code: 422, message: REJECTED },
  { doc: live, patch: '[{"path":"/x"}]', code: 422 },
  { doc: live, patch: "[null]", code: 422 },
  { doc: live, patch: '[{"op":"add","value":1}]', code: 422 },
  { doc: live, patch: '[{"op":"add","path":"/data/b/c","value":1}]', code: 422 },
  {
    doc: live,
    patch: "{}",
    code: 400,
    message:
      "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
  },
  {
    doc: live,
    patch: "[1]",
    code: 400,
    message:
      "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp",
  },
  {
    doc: live,
    patch: '[{"op":1}]',
    code: 400,
    message:
      "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
  },
  {
    doc: live,
    patch: "[",
    code: 400,
    message: "error decoding patch: unexpected end of JSON input",
  },
  {
    doc: live,
    patch: "[x]",
    code: 400,
    message: "error decoding patch: invalid character 'x' looking for beginning of value",
  },
];

for (const { doc, patch, want, code, message } of cases) {
  test(`${JSON.stringify(doc)} + ${patch}`, () => {
    const before = JSON.stringify(doc);
    if (code === undefined) assert.deepEqual(applyJsonPatch(doc, patch, "Warn").document, want);
    else {
      assert.throws(
        () => applyJsonPatch(doc, patch, "Warn"),
        (error) => {
          assert.ok(error instanceof StatusError);
          assert.equal(error.code, code);
          if (message !== undefined) assert.equal(error.message, message);
          if (code === 422) assert.deepEqual(error.status.details, {});
          return true;
        },
      );
    }
    assert.equal(JSON.stringify(doc), before, "the document was written to");
  });
}

test("bounds: operations and growth by copies", () => {
  const many = JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: "test", path: "/b" })));
  assert.throws(() => applyJsonPatch({}, many, "Warn"), {
    code: 413,
    message:
      "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
  });
  const grow = JSON.stringify(
    Array.from({ length: 30 }, (_, i) => ({ op: "copy", from: "/a", path: `/a/${i}` })),
  );
  assert.throws(() => applyJsonPatch({ a: { x: "y".repeat(100) } }, grow, "Warn"), { code: 422 });
});

test("strict errors name the operation", () => {
  const patch = '[{"op":"add","op":"add","path":"/a","value":{"x":1,"x":2},"foo":1}]';
  const { strictErrors } = applyJsonPatch({}, patch, "Strict");
  assert.deepEqual(strictErrors, [
    'json patch duplicate field "[0].op"',
    'json patch duplicate field "[0].value.x"',
    'json patch unknown field "[0].foo"',
  ]);
  assert.deepEqual(applyJsonPatch({}, patch, "Ignore").strictErrors, []);
  assert.throws(() => applyJsonPatch({}, "{}", "Ignore"), {
    code: 400,
    message: "json: cannot unmarshal object into Go value of type jsonpatch.Patch",
  });
});

const name = fc.constantFrom("a", "b", "c/d", "e~f", "1", "__proto__x");
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: -5, max: 5 }),
    fc.constantFrom("", "s", "t"),
    fc.boolean(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(name, tie("value"), { maxKeys: 4 }),
  ),
})).value;
const object = fc
  .dictionary(name, value, { maxKeys: 5 })
  .map((o) => JSON.parse(JSON.stringify(o)) as JsonValue);

test("patches that two other implementations make give what was to come out", () => {
  fc.assert(
    fc.property(object, object, (from, to) => {
      for (const patch of [
        rfc6902.createPatch(from, to),
        fastJsonPatch.compare(from as object, to as object),
      ]) {
        const { document } = applyJsonPatch(from, JSON.stringify(patch), "Strict");
        assert.deepEqual(document, to);
      }
    }),
    { numRuns: 300 },
  );
});
