/** Whether a text is a schedule of robfig/cron, as ParseStandard reads it; with its error texts. */
import { quote } from "../../../../apimachinery/validation/field.ts";

/** Why a text is no schedule; the message is meant for the client. */
export class CronError extends Error {
  override readonly name = "CronError";
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS = ["yearly", "annually", "monthly", "weekly", "daily", "midnight", "hourly"];
const EVERY = "@every ";

/** Throws CronError when `text` is no schedule. */
export function checkSchedule(text: string): void {
  if (text === "") throw new CronError("empty spec string");
  const spec = withoutZone(text);
  if (spec.startsWith("@")) checkDescriptor(spec);
  else checkFields(spec);
}

function checkFields(spec: string): void {
  const fields = spec.split(
    /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u,
  );
  const words = fields.filter((field) => field !== "");
  if (words.length !== FIELDS.length) {
    const found = `found ${words.length}: [${words.join(" ")}]`;
    throw new CronError(`expected exactly ${FIELDS.length} fields, ${found}`);
  }
  for (const [i, bounds] of FIELDS.entries()) checkField(words[i] ?? "", bounds);
}

/** Cuts off a leading `TZ=` or `CRON_TZ=`, whose zone must be known. */
function withoutZone(text: string): string {
  if (!text.startsWith("TZ=") && !text.startsWith("CRON_TZ=")) return text;
  const end = text.indexOf(" ");
  const zone = text.slice(text.indexOf("=") + 1, end < 0 ? undefined : end);
  if (end < 0 || !isKnownZone(zone)) {
    throw new CronError(`provided bad location ${zone}: unknown time zone ${zone}`);
  }
  return text.slice(end).trim();
}

/** Whether time.LoadLocation finds the zone. */
export function isKnownZone(zone: string): boolean {
  if (zone === "" || zone === "UTC" || zone === "Local") return true;
  // Intl ignores case; files of the zone database do not.
  const looksRight = zone.split("/").every((part) => /^[A-Z]/.test(part) || part === "posixrules");
  if (!looksRight || /^[+-]/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

function checkDescriptor(spec: string): void {
  if (DESCRIPTORS.includes(spec.slice(1))) return;
  if (!spec.startsWith(EVERY)) throw new CronError(`unrecognized descriptor: ${spec}`);
  const duration = spec.slice(EVERY.length);
  const problem = durationProblem(duration);
  if (problem === undefined) return;
  throw new CronError(`failed to parse duration ${spec}: ${problem}`);
}

const UNITS = new Set(["ns", "us", "µs", "μs", "ms", "s", "m", "h"]);

/** What time.ParseDuration says of the text; undefined when it is a duration. */
function durationProblem(text: string): string | undefined {
  const wrong = `time: invalid duration ${quote(text)}`;
  let rest = text.replace(/^[+-]/, "");
  if (rest === "0") return undefined;
  if (rest === "") return wrong;
  while (rest !== "") {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) return wrong;
    rest = rest.slice(number.length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? "";
    if (unit === "") return `time: missing unit in duration ${quote(text)}`;
    if (!UNITS.has(unit)) {
      return `time: unknown unit ${quote(unit)} in duration ${quote(text)}`;
    }
    rest = rest.slice(unit.length);
  }
  return undefined;
}

function checkField(field: string, bounds: Bounds): void {
  for (const part of field.split(",").filter((one) => one !== "")) checkRange(part, bounds);
}

/** `number`, `number-number`, `*` or `?`, each perhaps with `/step`. */
function checkRange(text: string, bounds: Bounds): void {
  const [range = "", step, ...more] = text.split("/");
  const [low = "", high, ...tooMany] = range.split("-");
  const isStar = low === "*" || low === "?";
  let [first, last] = [bounds.min, bounds.max];
  if (!isStar) {
    first = intOrName(low, bounds);
    if (tooMany.length > 0) throw new CronError(`too many hyphens: ${text}`);
    last = high === undefined ? first : intOrName(high, bounds);
  }
  let every = 1;
  if (more.length > 0) throw new CronError(`too many slashes: ${text}`);
  if (step !== undefined) {
    every = natural(step);
    // `N/step` means from N to the end.
    if (high === undefined) last = bounds.max;
  }
  const { min, max } = bounds;
  if (first < min) {
    throw new CronError(`beginning of range (${first}) below minimum (${min}): ${text}`);
  }
  if (last > max) throw new CronError(`end of range (${last}) above maximum (${max}): ${text}`);
  if (first > last) {
    throw new CronError(`beginning of range (${first}) beyond end of range (${last}): ${text}`);
  }
  if (every === 0) throw new CronError(`step of range should be a positive number: ${text}`);
}

function intOrName(text: string, { min, names }: Bounds): number {
  const index = names.indexOf(text.toLowerCase());
  return index < 0 ? natural(text) : min + index;
}

/** strconv.Atoi, without negative numbers. */
function natural(text: string): number {
  const lead = `failed to parse int from ${text}: strconv.Atoi: parsing ${quote(text)}:`;
  if (!/^[+-]?\d+$/.test(text)) throw new CronError(`${lead} invalid syntax`);
  const value = BigInt(text.replace(/^\+/, ""));
  if (BigInt.asIntN(64, value) !== value) throw new CronError(`${lead} value out of range`);
  if (value < 0n) throw new CronError(`negative number (${value}) not allowed: ${text}`);
  return Number(value);
}
