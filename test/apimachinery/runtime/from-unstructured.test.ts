import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../../src/apimachinery/runtime/decode-error.ts";
import { fromUnstructured } from "../../../src/apimachinery/runtime/from-unstructured.ts";
import type { JsonObject, JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { schemaForKind } from "../../../src/apis/schemas.ts";

const found = schemaForKind({ group: "apps", version: "v1", kind: "Deployment" });
assert.ok(found);
const schema = found;
const spec = (value: JsonValue): JsonObject => ({ spec: value });

test("integers wrap around as Go's conversions do", () => {
  const rows: readonly (readonly [JsonValue, JsonValue])[] = [
    [3, 3],
    [2147483648, -2147483648],
    [4294967297, 1],
    [-4294967297n, -1],
    [9223372036854775807n, -1],
    // Beyond 64 bits a float is converted, which gives the least integer.
    [2n ** 63n, 0],
    [1e300, 0],
  ];
  for (const [replicas, want] of rows) {
    assert.deepEqual(fromUnstructured(spec({ replicas }), schema), spec({ replicas: want }));
  }
});

test("what does not fit is told in the converter's words", () => {
  const rows: readonly (readonly [JsonValue, string])[] = [
    [spec({ replicas: 1.5 }), "cannot convert float64 to int32"],
    [spec({ replicas: "3" }), "unrecognized type: int32"],
    [spec({ template: [] }), "cannot restore struct from: slice"],
    [spec({ template: { spec: { containers: {} } } }), "cannot restore slice from map"],
    [{ metadata: { labels: [] } }, "cannot restore map from slice"],
    [{ metadata: { labels: { a: 1 } } }, "cannot convert int64 to string"],
    [{ metadata: { labels: { a: true } } }, "unrecognized type: string"],
    [spec({ paused: "x" }), "unrecognized type: bool"],
  ];
  for (const [document, message] of rows) {
    assert.throws(
      () => fromUnstructured(document, schema),
      (error) => {
        assert.ok(error instanceof DecodeError);
        assert.equal(error.message, message);
        return true;
      },
    );
  }
});

test("unknown members and nulls are kept", () => {
  const document = { bogus: { a: 1.5 }, spec: { replicas: null } };
  assert.deepEqual(fromUnstructured(document, schema), document);
});
