import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { registrations } from "../../src/registry/registrations.ts";
import { compareCreates, RECORDINGS } from "./registry-answers.ts";

const skip = existsSync(RECORDINGS) ? false : "no recordings here";

test("recorded creates are judged as by a real kube-apiserver", { skip }, async () => {
  // Reviews are answered without the registry.
  const stored = registrations.filter(({ resource }) => !resource.endsWith("reviews"));
  const known = new Set(stored.map(({ resource }) => resource));
  const wrong: string[] = [];
  let count = 0;
  for await (const { exchange, sameCauses } of compareCreates(known, RECORDINGS)) {
    count++;
    if (!sameCauses) wrong.push(`${exchange.id} ${exchange.family} ${exchange.path}`);
  }
  assert.notEqual(count, 0);
  assert.deepEqual(wrong, []);
});
