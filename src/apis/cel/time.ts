/**
 * Durations and moments as CEL reads, writes and takes them apart.
 * Upstream: cel-go common/types/duration.go and timestamp.go; Go's time.ParseDuration.
 */
import { DecodeError } from "../../apimachinery/runtime/decode-error.ts";
import { parseDuration as parseGoDuration } from "../../apimachinery/runtime/duration.ts";
import { CelDuration, CelError, CelTimestamp } from "./values.ts";

const INT64_MAX = 2n ** 63n - 1n;
const SECOND = 1_000_000_000n;
/** The first and the last second that RFC 3339 can write: years 1 and 9999. */
const FIRST_SECOND = -62_135_596_800n;
const LAST_SECOND = 253_402_300_799n;

/** Go's duration text: `1h15m30.5s`. Throws CelError. */
export function parseDuration(text: string): CelDuration {
  try {
    return new CelDuration(parseGoDuration(text));
  } catch (thrown) {
    throw thrown instanceof DecodeError ? new CelError(thrown.message) : thrown;
  }
}

/** Nanoseconds as a duration within int64. Throws CelError. */
export function durationOf(nanos: bigint): CelDuration {
  if (nanos > INT64_MAX || nanos < -INT64_MAX - 1n) throw new CelError("duration overflow");
  return new CelDuration(nanos);
}

/** Seconds as Go's FormatFloat writes them: `5400s`, `0.5s`. */
export function durationText({ nanos }: CelDuration): string {
  const negative = nanos < 0n;
  const size = negative ? -nanos : nanos;
  const fraction = (size % SECOND).toString().padStart(9, "0").replace(/0+$/, "");
  return `${negative ? "-" : ""}${size / SECOND}${fraction === "" ? "" : `.${fraction}`}s`;
}

const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?([Zz]|[-+]\d{2}:\d{2})$/;

/** RFC 3339 text. Throws CelError. */
export function parseTimestamp(text: string): CelTimestamp {
  const match = RFC3339.exec(text);
  const bad = () => new CelError(`parsing time ${JSON.stringify(text)}: not RFC 3339`);
  if (match === null) throw bad();
  const [, year, month, day, hour, minute, second, fraction = "", zone = "Z"] = match;
  const parts = [year, month, day, hour, minute, second].map(Number);
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0] = parts;
  if (h > 23 || mi > 59 || s > 59 || mo < 1 || mo > 12) throw bad();
  const date = new Date(0);
  date.setUTCFullYear(y, mo - 1, d);
  if (date.getUTCMonth() !== mo - 1 || date.getUTCDate() !== d) throw bad();
  const offset = zone.length === 1 ? 0 : zoneMinutes(zone);
  const seconds = BigInt(date.getTime() / 1000 + h * 3600 + mi * 60 + s - offset * 60);
  const nanos = BigInt(fraction.slice(0, 9).padEnd(9, "0"));
  return timestampOf(seconds * SECOND + nanos, offset);
}

function zoneMinutes(zone: string): number {
  const [hours = "0", minutes = "0"] = zone.slice(1).split(":");
  const size = Number(hours) * 60 + Number(minutes);
  return zone.startsWith("-") ? -size : size;
}

/** A moment between the years 1 and 9999. Throws CelError. */
export function timestampOf(nanos: bigint, offsetMinutes = 0): CelTimestamp {
  const seconds = floorDivide(nanos, SECOND);
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) throw new CelError("timestamp overflow");
  return new CelTimestamp(nanos, offsetMinutes);
}

export function floorDivide(value: bigint, by: bigint): bigint {
  const whole = value / by;
  return value % by < 0n ? whole - 1n : whole;
}

/** RFC 3339 with as many decimals as are needed, in the zone it was written with. */
export function timestampText({ nanos, offsetMinutes }: CelTimestamp): string {
  const seconds = floorDivide(nanos, SECOND);
  const rest = nanos - seconds * SECOND;
  const local = new Date((Number(seconds) + offsetMinutes * 60) * 1000);
  const text = local.toISOString().slice(0, 19);
  const fraction = rest.toString().padStart(9, "0").replace(/0+$/, "");
  return `${text}${fraction === "" ? "" : `.${fraction}`}${zoneText(offsetMinutes)}`;
}

function zoneText(minutes: number): string {
  if (minutes === 0) return "Z";
  const size = Math.abs(minutes);
  const two = (value: number) => value.toString().padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** The moment's calendar in a zone: `undefined` is UTC, a name of the zone database, or `+hh:mm`. */
export function calendar(moment: CelTimestamp, zone: string | undefined): Date {
  const ms = Number(floorDivide(moment.nanos, 1_000_000n));
  if (zone === undefined) return new Date(ms);
  const numeric = /^([-+]?)(\d+):(-?\d+)$/.exec(zone);
  if (numeric !== null) {
    const size = Number(numeric[2]) * 60 + Number(numeric[3]);
    return new Date(ms + (numeric[1] === "-" ? -size : size) * 60_000);
  }
  return new Date(ms + namedOffset(zone, ms));
}

function namedOffset(zone: string, ms: number): number {
  try {
    const parts = new Intl.DateTimeFormat("en-US", {
      timeZone: zone === "" ? "UTC" : zone,
      timeZoneName: "longOffset",
    }).formatToParts(ms);
    const text = parts.find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
    return text === "GMT" ? 0 : zoneMinutes(text.slice(3)) * 60_000;
  } catch {
    throw new CelError(`unknown time zone ${zone}`);
  }
}
