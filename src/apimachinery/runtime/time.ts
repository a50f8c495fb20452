/**
 * metav1.Time and metav1.MicroTime: parsed as Go's time.Parse does, printed in UTC. A time is a
 * string in the JSON form of its API type; Go's zero time is absence.
 */
import { DecodeError } from "./decode-error.ts";
import { goQuote } from "./go-text.ts";

const RFC3339 = "2006-01-02T15:04:05Z07:00";
const RFC3339_MICRO = "2006-01-02T15:04:05.000000Z07:00";

/** Seconds from Go's zero time (year 1) to 1970. */
const ZERO_TIME_SECONDS = -62135596800;

/** An instant: seconds since 1970 and nanoseconds within the second. */
export interface Instant {
  readonly seconds: number;
  readonly nanos: number;
}

/** True for Go's `time.Time{}`, which JSON prints as null. */
export function isZeroInstant(instant: Instant): boolean {
  return instant.seconds === ZERO_TIME_SECONDS && instant.nanos === 0;
}

interface Parse {
  readonly layout: string;
  readonly value: string;
  rest: string;
}

function mismatch(parse: Parse, element: string, rest = parse.rest): DecodeError {
  const { value, layout } = parse;
  return new DecodeError(
    "type",
    `parsing time ${goQuote(value)} as ${goQuote(layout)}: cannot parse ${goQuote(rest)} as ${goQuote(element)}`,
  );
}

function outOfRange(parse: Parse, what: string): DecodeError {
  return new DecodeError("type", `parsing time ${goQuote(parse.value)}: ${what} out of range`);
}

/** Fixed digits; `strict` false takes one digit where Go does (the hour). */
function digits(parse: Parse, count: number, element: string, strict = true): number {
  const match = (strict ? FIXED[count] : /^\d\d?/)?.exec(parse.rest);
  if (match === null || match === undefined) throw mismatch(parse, element);
  parse.rest = parse.rest.slice(match[0].length);
  return Number(match[0]);
}
const FIXED: Readonly<Record<number, RegExp>> = { 2: /^\d{2}/, 4: /^\d{4}/ };

function literal(parse: Parse, text: string): void {
  if (!parse.rest.startsWith(text)) throw mismatch(parse, text);
  parse.rest = parse.rest.slice(text.length);
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** A fraction of a second: any number of digits in RFC3339, exactly six in the micro layout. */
function fraction(parse: Parse, exactDigits: number | undefined): number {
  if (exactDigits === undefined) {
    const match = /^[.,]\d+/.exec(parse.rest);
    if (match === null) return 0;
    parse.rest = parse.rest.slice(match[0].length);
    return Number(match[0].slice(1, 10).padEnd(9, "0"));
  }
  const match = /^[.,]\d{6}/.exec(parse.rest);
  if (match === null) throw mismatch(parse, `.${"0".repeat(exactDigits)}`);
  parse.rest = parse.rest.slice(match[0].length);
  return Number(match[0].slice(1)) * 1000;
}

/** Seconds east of UTC. */
function zone(parse: Parse): number {
  if (parse.rest.startsWith("Z")) {
    parse.rest = parse.rest.slice(1);
    return 0;
  }
  const match = /^([+-])(\d\d):(\d\d)/.exec(parse.rest);
  if (match === null) throw mismatch(parse, "Z07:00");
  parse.rest = parse.rest.slice(match[0].length);
  const hours = Number(match[2]);
  const minutes = Number(match[3]);
  if (hours > 24) throw outOfRange(parse, "time zone offset hour");
  if (minutes > 60) throw outOfRange(parse, "time zone offset minute");
  return (match[1] === "-" ? -1 : 1) * (hours * 3600 + minutes * 60);
}

function parseLayout(value: string, layout: string, exactDigits: number | undefined): Instant {
  const parse: Parse = { layout, value, rest: value };
  const year = digits(parse, 4, "2006");
  literal(parse, "-");
  const month = digits(parse, 2, "01");
  if (month < 1 || month > 12) throw outOfRange(parse, "month");
  literal(parse, "-");
  const day = digits(parse, 2, "02");
  literal(parse, "T");
  const hour = digits(parse, 2, "15", false);
  if (hour >= 24) throw outOfRange(parse, "hour");
  literal(parse, ":");
  const minute = digits(parse, 2, "04");
  if (minute >= 60) throw outOfRange(parse, "minute");
  literal(parse, ":");
  const second = digits(parse, 2, "05");
  if (second >= 60) throw outOfRange(parse, "second");
  const nanos = fraction(parse, exactDigits);
  const offset = zone(parse);
  if (parse.rest !== "") {
    const extra = `parsing time ${goQuote(value)}: extra text: ${goQuote(parse.rest)}`;
    throw new DecodeError("type", extra);
  }
  if (day < 1 || day > daysIn(year, month)) throw outOfRange(parse, "day");
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, 0);
  return { seconds: date.getTime() / 1000 - offset, nanos };
}

/** Parses metav1.Time's JSON text (RFC 3339). Throws DecodeError with Go's text. */
export function parseTime(value: string): Instant {
  return parseLayout(value, RFC3339, undefined);
}

/** Parses metav1.MicroTime's JSON text: exactly six digits of a second. */
export function parseMicroTime(value: string): Instant {
  return parseLayout(value, RFC3339_MICRO, 6);
}

/** `2026-01-02T03:04:05Z`, as metav1.Time prints: whole seconds, UTC. */
export function formatTime(instant: Instant): string {
  const date = new Date(instant.seconds * 1000);
  const year = String(date.getUTCFullYear()).padStart(4, "0");
  return `${year}${date.toISOString().slice(-20, -5)}Z`;
}

/** `2026-01-02T03:04:05.000000Z`, as metav1.MicroTime prints. */
export function formatMicroTime(instant: Instant): string {
  const micros = String(Math.floor(instant.nanos / 1000)).padStart(6, "0");
  return `${formatTime(instant).slice(0, -1)}.${micros}Z`;
}
