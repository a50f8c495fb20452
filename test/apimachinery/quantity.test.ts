import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  addQuantity,
  canonicalQuantity,
  compareQuantity,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityValue,
  subtractQuantity,
} from "../../src/apimachinery/quantity.ts";

describe("canonical form", () => {
  const cases: readonly (readonly [text: string, canonical: string])[] = [
    ["0", "0"],
    ["+1", "+1"],
    ["1.0", "1"],
    ["0.1", "100m"],
    ["1000m", "1"],
    ["1500m", "1500m"],
    ["1024Mi", "1Gi"],
    ["1536Mi", "1536Mi"],
    ["0.5Gi", "512Mi"],
    ["1.5Gi", "1536Mi"],
    ["0.3Ki", "307200m"],
    ["100000", "100k"],
    ["12e6", "12e6"],
    ["1E3", "1E3"],
    ["0.0000000001", "1n"],
    ["-0.0000000001", "-1n"],
    ["100Ei", "9223372036854775807"],
    [".5", "500m"],
    ["-1Gi", "-1Gi"],
  ];
  for (const [text, canonical] of cases) {
    test(text, () => assert.equal(canonicalQuantity(text), canonical));
  }
});

describe("errors", () => {
  const format =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
  const cases: readonly (readonly [text: string, message: string])[] = [
    ["", format],
    ["x", format],
    ["1 Gi", format],
    ["1i", "unable to parse quantity's suffix"],
    ["1e", "unable to parse quantity's suffix"],
    [".", "unable to parse numeric part of quantity"],
    ["1".repeat(5000), format],
  ];
  for (const [text, message] of cases) {
    test(JSON.stringify(text.slice(0, 20)), () => {
      assert.throws(() => parseQuantity(text), { name: "QuantityError", message });
    });
  }

  test("a long bad text takes no long time", () => {
    for (const text of [`${"0".repeat(4000)}!`, `${"1".repeat(4000)}!`, `1${"e".repeat(4000)}`]) {
      assert.throws(() => parseQuantity(text), QuantityError);
    }
  });
});

test("values round up, away from zero", () => {
  const values = ["100m", "1500m", "-1500m", "1Gi", "1n"].map(parseQuantity);
  assert.deepEqual(values.map(quantityValue), [1n, 2n, -2n, 1073741824n, 1n]);
  assert.deepEqual(values.map(quantityMilliValue), [100n, 1500n, -1500n, 1073741824000n, 1n]);
});

describe("properties", () => {
  const suffix = fc.constantFrom(
    "",
    "n",
    "u",
    "m",
    "k",
    "M",
    "G",
    "T",
    "Ki",
    "Mi",
    "Gi",
    "e3",
    "E-2",
  );
  const text = fc
    .tuple(fc.integer({ min: -100_000, max: 100_000 }), fc.option(fc.nat(999)), suffix)
    .map(
      ([integer, decimals, unit]) => `${integer}${decimals === null ? "" : `.${decimals}`}${unit}`,
    );

  test("the canonical form has the same value and is a fixed point", () => {
    fc.assert(
      fc.property(text, (quantity) => {
        const canonical = canonicalQuantity(quantity);
        assert.equal(compareQuantity(parseQuantity(quantity), parseQuantity(canonical)), 0);
        assert.equal(canonicalQuantity(canonical), canonical);
      }),
      { numRuns: 1000 },
    );
  });

  test("a + b - b is a", () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [x, y] = [parseQuantity(a), parseQuantity(b)];
        const back = subtractQuantity(addQuantity(x, y), y);
        assert.equal(compareQuantity(back, x), 0);
        assert.equal(compareQuantity(parseQuantity(formatQuantity(back)), x), 0);
      }),
    );
  });

  test("no text does anything but parse or throw QuantityError", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."+-.0123456789eEinumkKMGTPx ") }), (any) => {
        try {
          canonicalQuantity(any);
        } catch (error) {
          assert(error instanceof QuantityError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
