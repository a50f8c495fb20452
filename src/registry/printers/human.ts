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

/** Time since an RFC3339 instant; `<unknown>` for none. */
export function since(timestamp: string | null | undefined, now: Date): string {
  if (!timestamp) return "<unknown>"; // Events hold null where no time is known
  return humanDuration(now.getTime() - Date.parse(timestamp));
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
