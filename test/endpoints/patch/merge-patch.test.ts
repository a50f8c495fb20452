// The first rows are RFC 7386's appendix A, as far as the document is an object.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonObject, JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { applyMergePatch } from "../../../src/endpoints/patch/merge-patch.ts";

const cases: readonly (readonly [doc: JsonObject, patch: string, want: JsonValue])[] = [
  [{ a: "b" }, '{"a":"c"}', { a: "c" }],
  [{ a: "b" }, '{"b":"c"}', { a: "b", b: "c" }],
  [{ a: "b" }, '{"a":null}', {}],
  [{ a: "b", b: "c" }, '{"a":null}', { b: "c" }],
  [{ a: ["b"] }, '{"a":"c"}', { a: "c" }],
  [{ a: "c" }, '{"a":["b"]}', { a: ["b"] }],
  [{ a: { b: "c" } }, '{"a":{"b":"d","c":null}}', { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, '{"a":[1]}', { a: [1] }],
  [{ e: null }, '{"a":1}', { e: null, a: 1 }],
  [{}, '{"a":{"bb":{"ccc":null}}}', { a: { bb: {} } }],
  // Null items stay; null members of items go where the list is new, and stay where it replaces one.
  [{}, '{"a":[null,{"b":null}]}', { a: [null, {}] }],
  [{ a: {} }, '{"a":[null,{"b":null}]}', { a: [null, { b: null }] }],
  [{ a: 1 }, '{"a":{"b":null,"c":1}}', { a: { c: 1 } }],
  [{ a: null }, '{"a":{"b":null}}', { a: {} }],
];

for (const [doc, patch, want] of cases) {
  test(`${JSON.stringify(doc)} + ${patch}`, () => {
    const before = JSON.stringify(doc);
    assert.deepEqual(applyMergePatch(doc, patch, "Warn").document, want);
    assert.deepEqual(applyMergePatch(doc, patch, "Ignore").document, want);
    assert.equal(JSON.stringify(doc), before);
  });
}

test("what is no merge patch", () => {
  const decoding = (kind: string) =>
    `error decoding patch: json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`;
  const rows = [
    ["[]", decoding("array")],
    ["1", decoding("number")],
    ['"x"', decoding("string")],
    ["true", decoding("bool")],
    ["null", "Invalid JSON Patch"],
    ["{", "error decoding patch: unexpected end of JSON input"],
  ] as const;
  for (const [patch, message] of rows) {
    assert.throws(() => applyMergePatch({}, patch, "Warn"), { code: 400, message });
  }
  for (const patch of ["1", "null", "{"]) {
    const message = "Invalid JSON Patch";
    assert.throws(() => applyMergePatch({}, patch, "Ignore"), { code: 400, message });
  }
});

test("duplicates are strict errors", () => {
  const { strictErrors, document } = applyMergePatch({}, '{"a":{"b":1,"b":2},"a":3}', "Strict");
  assert.deepEqual(strictErrors, ['duplicate field "a.b"', 'duplicate field "a"']);
  assert.deepEqual(document, { a: 3 });
});

/** RFC 7386, section 2, word for word. */
function rfc7386(target: JsonValue, patch: JsonValue): JsonValue {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const out: JsonObject = isObject ? { ...(target as JsonObject) } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else out[name] = rfc7386(out[name] ?? null, value ?? null);
  }
  return out;
}

const name = fc.constantFrom("a", "b", "c");
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.integer({ min: 0, max: 3 }),
    fc.constant(null),
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3 }),
  ),
})).value;
const object = fc.dictionary(name, value, { maxKeys: 3 }).map((o) => ({ ...o }) as JsonObject);

test("agrees with the RFC wherever no list holds objects", () => {
  fc.assert(
    fc.property(object, object, (doc, patch) => {
      const { document } = applyMergePatch(doc, JSON.stringify(patch), "Strict");
      assert.deepEqual(document, rfc7386(doc, patch));
    }),
    { numRuns: 500 },
  );
});
