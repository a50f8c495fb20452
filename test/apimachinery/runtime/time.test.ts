import { strict as assert } from "node:assert";
import { describe, test } from "node:test";
import fc from "fast-check";
import { formatDuration, parseDuration } from "../../../src/apimachinery/runtime/duration.ts";
import { goString } from "../../../src/apimachinery/runtime/go-string.ts";
import { scaledValue } from "../../../src/apimachinery/runtime/int-or-string.ts";
import {
  formatMicroTime,
  formatTime,
  isZeroInstant,
  parseMicroTime,
  parseTime,
} from "../../../src/apimachinery/runtime/time.ts";
import { structOf } from "../../../src/apis/schemas.ts";

describe("times", () => {
  test("are printed in UTC, to the second or the microsecond", () => {
    assert.equal(formatTime(parseTime("2026-01-02T03:04:05.9+02:00")), "2026-01-02T01:04:05Z");
    const micro = "2026-01-02T03:04:05.000006Z";
    assert.equal(formatMicroTime(parseMicroTime(micro)), micro);
    assert(isZeroInstant(parseTime("0001-01-01T00:00:00Z")));
  });

  const layout = '"2006-01-02T15:04:05Z07:00"';
  const cases: readonly (readonly [text: string, message: string])[] = [
    ["2026", `parsing time "2026" as ${layout}: cannot parse "" as "-"`],
    ["2026-1-02", `parsing time "2026-1-02" as ${layout}: cannot parse "1-02" as "01"`],
    [
      "2026-01-02T03:04:05",
      `parsing time "2026-01-02T03:04:05" as ${layout}: cannot parse "" as "Z07:00"`,
    ],
    ["2026-13-01T00:00:00Z", 'parsing time "2026-13-01T00:00:00Z": month out of range'],
    ["2025-02-29T00:00:00Z", 'parsing time "2025-02-29T00:00:00Z": day out of range'],
    ["2026-01-02T03:04:05Zx", 'parsing time "2026-01-02T03:04:05Zx": extra text: "x"'],
  ];
  for (const [text, message] of cases) {
    test(text, () => assert.throws(() => parseTime(text), { message }));
  }

  test("any instant of four-digit years round-trips", () => {
    fc.assert(
      fc.property(fc.integer({ min: -62135596800, max: 253402300799 }), (seconds) => {
        assert.equal(parseTime(formatTime({ seconds, nanos: 0 })).seconds, seconds);
      }),
    );
  });
});

describe("durations", () => {
  const cases: readonly (readonly [text: string, shown: string])[] = [
    ["1h", "1h0m0s"],
    ["1.5h", "1h30m0s"],
    ["90s", "1m30s"],
    ["100ms", "100ms"],
    ["1us", "1µs"],
    ["-1m", "-1m0s"],
    ["0", "0s"],
  ];
  for (const [text, shown] of cases) {
    test(text, () => assert.equal(formatDuration(parseDuration(text)), shown));
  }

  test("errors", () => {
    assert.throws(() => parseDuration(""), { message: 'time: invalid duration ""' });
    assert.throws(() => parseDuration("5"), { message: 'time: missing unit in duration "5"' });
    assert.throws(() => parseDuration("5x"), {
      message: 'time: unknown unit "x" in duration "5x"',
    });
  });

  test("every int64 round-trips", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }), (nanos) => {
        assert.equal(parseDuration(formatDuration(nanos)), nanos);
      }),
    );
  });
});

test("percentages scale and round", () => {
  assert.equal(scaledValue("25%", { total: 10, roundUp: true }), 3);
  assert.equal(scaledValue("25%", { total: 10, roundUp: false }), 2);
  assert.equal(scaledValue(7, { total: 10, roundUp: false }), 7);
  assert.equal(scaledValue("x", { total: 10, roundUp: false }), undefined);
});

describe("values in Invalid errors", () => {
  const cases: readonly (readonly [goName: string, value: object, shown: string])[] = [
    [
      "k8s.io/api/apps/v1.StatefulSetUpdateStrategy",
      { type: "x", rollingUpdate: { partition: 1 } },
      '{"Type":"x","RollingUpdate":{"Partition":1,"MaxUnavailable":null}}',
    ],
    ["k8s.io/apimachinery/pkg/apis/meta/v1.LabelSelector", {}, "{}"],
    [
      "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1.ValidationRule",
      { rule: "self.a < 10", message: "small" },
      '{"Rule":"self.a \\u003c 10","Message":"small","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}',
    ],
  ];
  for (const [goName, value, shown] of cases) {
    test(shown, () => assert.equal(goString({ ...value }, structOf(goName)), shown));
  }
});
