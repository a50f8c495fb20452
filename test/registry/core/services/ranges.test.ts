import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IpRange } from "../../../../src/registry/core/services/ip-range.ts";
import {
  PortBitmap,
  parseRangeText,
  rangeText,
} from "../../../../src/registry/core/services/port-bitmap.ts";

function range(text: string): IpRange {
  const parsed = IpRange.parse(text);
  assert.ok(parsed, text);
  return parsed;
}

test("a range gives every address but the network's and IPv4's broadcast, once", () => {
  const all = [...range("10.0.0.0/28").candidates()];
  assert.equal(all.length, 14);
  assert.equal(new Set(all).size, 14);
  assert.ok(!all.includes("10.0.0.0") && !all.includes("10.0.0.15"));
  assert.equal([...range("fd00::/124").candidates()].length, 15);
});

test("the lower band comes last", () => {
  const all = [...range("10.0.0.0/24").candidates(() => 0n)];
  assert.equal(all[0], "10.0.0.17");
  assert.deepEqual(
    all.slice(-16),
    Array.from({ length: 16 }, (_, i) => `10.0.0.${i + 1}`),
  );
});

test("a range of one address, of none, and no range", () => {
  assert.equal(IpRange.parse("10.0.0.0/32"), undefined);
  assert.equal(IpRange.parse("10.0.0.0/31"), undefined);
  assert.deepEqual([...range("10.0.0.0/30").candidates(() => 0n)], ["10.0.0.1", "10.0.0.2"]);
  assert.equal(IpRange.parse("x"), undefined);
});

test("a range contains what it gives", () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 30 }), fc.nat(), (bits, seed) => {
      const one = range(`10.0.0.0/${bits}`);
      const [first = ""] = one.candidates((bound) => BigInt(seed) % bound);
      return one.contains(first) && !one.contains("11.0.0.1") && !one.contains("fd00::1");
    }),
    { numRuns: 100 },
  );
});

test("the API server's own address is the first", () => {
  assert.equal(range("10.96.0.0/12").firstAddress, "10.96.0.1");
  assert.equal(range("fd00:10:96::/112").firstAddress, "fd00:10:96::1");
});

test("a large IPv6 range is not walked", () => {
  const [first] = range("fd00::/64").candidates(() => 5n);
  assert.ok(range("fd00::/64").contains(first ?? ""));
});

const ports = { first: 30000, last: 30099 };

test("a bitmap keeps its ports through bytes", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 30000, max: 30099 })), (taken) => {
      const bitmap = new PortBitmap(ports);
      for (const port of taken) assert.ok(bitmap.take(port));
      const restored = PortBitmap.restore(ports, ports, bitmap.bytes());
      assert.deepEqual(restored.used(), [...taken].sort());
    }),
    { numRuns: 100 },
  );
});

test("a bitmap's bytes are those of a big number", () => {
  const bitmap = new PortBitmap(ports);
  assert.deepEqual([...bitmap.bytes()], []);
  bitmap.take(30000);
  bitmap.take(30009);
  assert.deepEqual([...bitmap.bytes()], [0x02, 0x01]);
});

test("ports move with the range", () => {
  const bitmap = new PortBitmap(ports);
  bitmap.take(30001);
  bitmap.take(30090);
  const moved = PortBitmap.restore({ first: 30050, last: 30120 }, ports, bitmap.bytes());
  assert.deepEqual(moved.used(), [30090]);
});

test("a bitmap takes each port once and no other", () => {
  const bitmap = new PortBitmap(ports);
  assert.ok(bitmap.take(30005));
  assert.ok(!bitmap.take(30005));
  assert.ok(!bitmap.take(29999) && !bitmap.take(30100));
  bitmap.release(30005);
  assert.ok(bitmap.take(30005));
});

test("free ports come from the upper band until it is full", () => {
  const bitmap = new PortBitmap(ports);
  const taken = Array.from({ length: 100 }, () => bitmap.takeNext() ?? 0);
  assert.ok(taken.slice(0, 84).every((port) => port >= 30016));
  assert.ok(taken.slice(84).every((port) => port < 30016));
  assert.equal(bitmap.takeNext(), undefined);
});

test("the text of a range", () => {
  assert.equal(rangeText(ports), "30000-30099");
  assert.deepEqual(parseRangeText("30000-30099"), ports);
  assert.equal(parseRangeText("30000"), undefined);
});
