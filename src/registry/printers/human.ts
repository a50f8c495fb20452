/** Values as kubectl's columns show them. Upstream: apimachinery/pkg/util/duration, printers.go. */

/** `5d3h`, `12m`, `<invalid>`. Upstream: duration.HumanDuration. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return withRest(days, "d", hours % 24, "h");
  if (hours < 365 * 24 * 2) return `${days}d`;
  const years = Math.trunc(days / 365);
  if (hours < 365 * 24 * 8) return withRest(years, "y", days % 365, "d");
  return `${years}y`;
}

function withRest(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
}

/** Private characters around the instant, in milliseconds since 1970, whose age goes there. */
const AGE_MARK = /\uE000(-?\d+)\uE001/;

/** A clock for rows that are kept: cells get marks in place of ages, and agesAsOf fills them in. */
export class DeferredClock extends Date {
  #marks = 0;

  get marks(): number {
    return this.#marks;
  }
  mark(at: number): string {
    this.#marks++;
    return `\uE000${at}\uE001`;
  }
}

/**
 * The text around the `clock`'s marks, alternating with the instants of the marks. Undefined when
 * the text itself holds such characters: it can not be kept then.
 */
export function splitAtAges(text: string, clock: DeferredClock): readonly string[] | undefined {
  const parts = text.split(AGE_MARK);
  return parts.length === clock.marks * 2 + 1 ? parts : undefined;
}

/** The text of splitAtAges with ages as of `now`, as they stand in JSON. */
export function agesAsOf(parts: readonly string[], now: number): string {
  let text = parts[0] ?? "";
  for (let i = 1; i < parts.length; i += 2) {
    const age = humanDuration(now - Number(parts[i]));
    text += (age === "<invalid>" ? "\\u003cinvalid\\u003e" : age) + (parts[i + 1] ?? "");
  }
  return text;
}

/** Time since an RFC3339 instant; `<unknown>` for none. */
export function since(timestamp: string | null | undefined, now: Date): string {
  if (!timestamp) return "<unknown>"; // Events hold null where no time is known
  return sinceMs(Date.parse(timestamp), now);
}

/** Time since an instant in milliseconds since 1970. */
export function sinceMs(at: number, now: Date): string {
  return now instanceof DeferredClock ? now.mark(at) : humanDuration(now.getTime() - at);
}

/** `a=b,c=d` sorted by key; `<none>` for no labels. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  if (keys.length === 0) return "<none>";
  return keys.map((key) => `${key}=${labels?.[key] ?? ""}`).join(",");
}

/** The first `max` joined, and how many there are beyond. */
export function firstOf(items: readonly string[], max: number, separator = ","): string {
  if (items.length <= max) return items.join(separator);
  return `${items.slice(0, max).join(separator)} + ${items.length - max} more...`;
}

export const orNone = (text: string | undefined): string => (text ? text : "<none>");
export const orUnset = (text: string | undefined): string => (text ? text : "<unset>");
