/**
 * The parts of moments and durations. Upstream: cel-go common/types/timestamp.go, duration.go.
 */
import { type Implementation, member, type Overload } from "../environment.ts";
import { calendar } from "../time.ts";
import { DURATION, INT, STRING, TIMESTAMP } from "../types.ts";
import { CelDuration, CelTimestamp, type CelValue, noOverload } from "../values.ts";

function dayOfYear(date: Date): number {
  const start = Date.UTC(date.getUTCFullYear(), 0, 1);
  const years = new Date(start);
  years.setUTCFullYear(date.getUTCFullYear());
  return Math.floor((date.getTime() - years.getTime()) / 86_400_000);
}

/** Function, the middle of its overloads' names, the part it takes. */
const PARTS: readonly (readonly [string, string, (date: Date) => number])[] = [
  ["getFullYear", "year", (date) => date.getUTCFullYear()],
  ["getMonth", "month", (date) => date.getUTCMonth()],
  ["getDayOfYear", "day_of_year", dayOfYear],
  ["getDayOfMonth", "day_of_month", (date) => date.getUTCDate() - 1],
  ["getDate", "day_of_month_1_based", (date) => date.getUTCDate()],
  ["getDayOfWeek", "day_of_week", (date) => date.getUTCDay()],
  ["getHours", "hours", (date) => date.getUTCHours()],
  ["getMinutes", "minutes", (date) => date.getUTCMinutes()],
  ["getSeconds", "seconds", (date) => date.getUTCSeconds()],
  ["getMilliseconds", "milliseconds", (date) => date.getUTCMilliseconds()],
];

/** Nanoseconds in the unit of a function over durations. */
const UNITS: Readonly<Record<string, bigint>> = {
  getHours: 3_600_000_000_000n,
  getMinutes: 60_000_000_000n,
  getSeconds: 1_000_000_000n,
  getMilliseconds: 1_000_000n,
};

function ofMoment(part: (date: Date) => number): Implementation {
  return (moment: CelValue, zone?: CelValue) => {
    if (!(moment instanceof CelTimestamp)) throw noOverload();
    return BigInt(part(calendar(moment, typeof zone === "string" ? zone : undefined)));
  };
}

function ofDuration(unit: bigint): Implementation {
  return (duration: CelValue) => {
    if (!(duration instanceof CelDuration)) throw noOverload();
    return duration.nanos / unit;
  };
}

export const TIMES: readonly (readonly [string, readonly Overload[]])[] = PARTS.map(
  ([name, part, take]) => {
    const unit = UNITS[name];
    const overloads = [
      member(`timestamp_to_${part}`, [TIMESTAMP], INT, ofMoment(take)),
      member(`timestamp_to_${part}_with_tz`, [TIMESTAMP, STRING], INT, ofMoment(take)),
    ];
    if (unit !== undefined) {
      overloads.push(member(`duration_to_${part}`, [DURATION], INT, ofDuration(unit)));
    }
    return [name, overloads];
  },
);
