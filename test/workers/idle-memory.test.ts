import assert from "node:assert/strict";
import { test } from "node:test";
import { IdleCollector } from "../../src/workers/idle-memory.ts";

const MB = 1024 * 1024;

function ownerOf(state: { busy: number; size: number }) {
  const calls: string[] = [];
  const collector = new IdleCollector({
    busy: () => state.busy,
    size: () => state.size,
    pressure: (isHigh) => void calls.push(isHigh ? "collect" : "usual"),
    release: () => void calls.push("release"),
  });
  const looks = (count: number) => {
    calls.length = 0;
    for (let i = 0; i < count; i++) collector.look();
    return [...calls];
  };
  return looks;
}

test("the first idle look collects, the next one releases", () => {
  const state = { busy: 0.5, size: 50 * MB };
  const looks = ownerOf(state);
  assert.deepEqual(looks(3), []);
  state.busy = 0.01;
  assert.deepEqual(looks(1), ["collect"]);
  state.busy = 0.5;
  assert.deepEqual(looks(1), ["usual", "release"]);
});

test("without growth or work there is no other collection, with it not before its time", () => {
  const state = { busy: 0, size: 50 * MB };
  const looks = ownerOf(state);
  assert.deepEqual(looks(2), ["collect", "usual", "release"]);
  state.size += 3 * MB;
  assert.deepEqual(looks(100), []);
  state.size += 2 * MB;
  assert.deepEqual(looks(2), ["collect", "usual", "release"]);
  state.size += 5 * MB;
  assert.deepEqual(looks(4), []);
  assert.deepEqual(looks(3), ["collect", "usual", "release"]);
});

test("after work an owner that has not grown is collected: it may hold less than before", () => {
  const state = { busy: 0, size: 50 * MB };
  const looks = ownerOf(state);
  assert.deepEqual(looks(20), ["collect", "usual", "release"]);
  state.busy = 0.6;
  assert.deepEqual(looks(1), []);
  state.busy = 0;
  assert.deepEqual(looks(20), ["collect", "usual", "release"]);
  state.busy = 0.001;
  assert.deepEqual(looks(400), []);
});

test("a busy owner is left alone, however much it grows", () => {
  const state = { busy: 0.06, size: 50 * MB };
  const looks = ownerOf(state);
  state.size = 5_000 * MB;
  assert.deepEqual(looks(100), []);
});
