/** The validators must find what they are for: each gets a history with its fault planted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type History,
  type ReadRecord,
  type SeenEvent,
  validateAtomic,
  validateComplete,
  validateOrdered,
  validateReads,
  validateRealTime,
  validateReliable,
  validateUnique,
  validators,
  type WriteRecord,
} from "./history.ts";
import { embeddedScenarios } from "./scenarios.ts";
import { seeded } from "./traffic.ts";

const write = (revision: number, more: Partial<WriteRecord> = {}): WriteRecord => ({
  key: "a",
  value: `v${revision}`,
  expected: revision === 2 ? 0 : revision - 1,
  start: revision * 10,
  end: revision * 10 + 5,
  outcome: "ok",
  revision,
  ...more,
});
const event = (revision: number, more: Partial<SeenEvent> = {}): SeenEvent => ({
  revision,
  key: "a",
  value: `v${revision}`,
  create: 2,
  ...more,
});
const read = (mod: number, start: number, more: Partial<ReadRecord> = {}): ReadRecord => ({
  key: "a",
  start,
  end: start + 1,
  mod,
  value: mod === 0 ? undefined : `v${mod}`,
  ...more,
});
/** Three good writes of one key, seen by two watchers and two readers. */
function good(): History {
  return {
    writes: [write(2), write(3), write(4)],
    reads: [read(0, 1), read(2, 27), read(4, 60)],
    watches: [
      { name: "reference", after: 1, events: [event(2), event(3), event(4)] },
      { name: "late", after: 2, events: [event(3), event(4)] },
    ],
  };
}

test("a good history passes all of them", () => {
  for (const validate of validators) validate(good());
});

const planted: [string, (history: History) => void, (history: History) => void][] = [
  ["one revision twice", validateUnique, (h) => h.writes.push(write(4, { key: "b" }))],
  [
    "an older revision later",
    validateRealTime,
    (h) => h.writes.push(write(3, { start: 99, end: 100 })),
  ],
  ["events out of order", validateOrdered, (h) => h.watches[1]?.events.reverse()],
  ["an event twice", validateOrdered, (h) => h.watches[1]?.events.push(event(4))],
  ["an acknowledged write lost", validateReliable, (h) => h.watches[0]?.events.pop()],
  ["an event from nowhere", validateReliable, (h) => h.watches[0]?.events.push(event(9))],
  [
    "another value than written",
    validateReliable,
    (h) => {
      h.watches[0]?.events.splice(1, 1, event(3, { value: "other" }));
    },
  ],
  [
    "a guard that did not hold",
    validateAtomic,
    (h) => h.writes.splice(2, 1, write(4, { expected: 2 })),
  ],
  ["a gap in a late watch", validateComplete, (h) => h.watches[1]?.events.shift()],
  ["a stale read", validateReads, (h) => h.reads.push(read(3, 80))],
  ["a read of nothing though there is something", validateReads, (h) => h.reads.push(read(0, 80))],
  ["a read of the future", validateReads, (h) => h.reads.push(read(4, 1))],
];
for (const [name, validate, plant] of planted) {
  test(`found: ${name}`, () => {
    const history = good();
    plant(history);
    assert.throws(() => validate(history), assert.AssertionError);
  });
}

test("embedded store: kill -9 loses nothing acknowledged (short run)", async () => {
  const run = { seconds: 2, random: seeded(5), port: 0 };
  const report = await embeddedScenarios["embedded: kill -9 of the process"]?.(run);
  assert.ok((report?.writes ?? 0) > 100, JSON.stringify(report));
});
