/** Arguments that make no sense give an answer, never a crash. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NativeError, native } from "../../src/native/binding.ts";

const JUNK: unknown[] = [
  undefined,
  null,
  -1,
  1e300,
  Number.NaN,
  4294967295,
  "",
  "x".repeat(5000),
  {},
  { labels: [{}], fields: [null, 3], limit: "x", startKey: 7, revision: -3 },
  [],
  Buffer.alloc(0),
  Buffer.from("k8s\0\xff"),
  true,
];
/** What would end the test rather than fail. */
const SKIPPED = new Set(["onPumpEnd", "onAdvance", "onReadable"]);

test("every function stands any arguments", () => {
  const functions = Object.entries(native as unknown as Record<string, unknown>).filter(
    ([name, value]) => typeof value === "function" && !SKIPPED.has(name),
  ) as [string, (...args: unknown[]) => unknown][];
  assert.ok(functions.length > 30);
  let state = 12345;
  const pick = () => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return JUNK[(state >> 8) % JUNK.length];
  };
  for (const [, plain] of functions) {
    const call = (...args: unknown[]) => {
      try {
        plain(...args);
      } catch (error) {
        assert.ok(error instanceof TypeError, String(error));
      }
    };
    call();
    for (let i = 0; i < 200; i++) call(pick(), pick(), pick(), pick(), pick(), pick(), pick());
  }
  const id = native.openResource({
    name: "arguments-test",
    apiVersion: "v1",
    kind: "Pod",
    goName: "k8s.io/api/core/v1.Pod",
    namespaced: true,
    fieldPaths: ["spec.nodeName"],
  });
  assert.equal(native.get(id, "a/b", 0, Buffer.alloc(10)), NativeError.notReady);
  for (const [name, call] of functions) {
    if (name === "dropResource") continue;
    for (let i = 0; i < 200; i++) {
      try {
        call(id, pick(), pick(), pick(), pick(), pick(), pick());
      } catch (error) {
        assert.ok(error instanceof TypeError, String(error));
      }
    }
  }
  native.dropResource(id);
  assert.equal(native.get(id, "a/b", 0, Buffer.alloc(10)) < 0, true);
});
