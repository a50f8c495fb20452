import { strict as assert } from "node:assert";
import { test } from "node:test";
import { randomSuffix } from "../../src/apimachinery/rand.ts";

test("suffixes have their length, letters of names only, and are none twice", () => {
  const made = Array.from({ length: 2000 }, () => randomSuffix(10));
  for (const one of made) assert.match(one, /^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  assert.equal(new Set(made).size, made.length);
});
