/**
 * The text of what a JSON or merge patch made, as Go prints it. evanphx/json-patch parses objects
 * only where a patch goes: those print their members sorted, all others are kept as they were.
 */
import type { JsonValue } from "../../apimachinery/runtime/json.ts";

/** The document's JSON; bigints are kept, and `isSorted` says which objects have been parsed. */
export function patchedText(value: unknown, isSorted: (object: object) => boolean): string {
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) {
    return `[${value.map((item) => patchedText(item, isSorted)).join(",")}]`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (isSorted(value)) members.sort(([a], [b]) => (a < b ? -1 : 1));
  const texts = members.map(
    ([key, member]) => `${JSON.stringify(key)}:${patchedText(member, isSorted)}`,
  );
  return `{${texts.join(",")}}`;
}

/** Every object and list in a value, and itself. */
export function containersOf(value: JsonValue, found: Set<object> = new Set()): Set<object> {
  if (typeof value !== "object" || value === null) return found;
  found.add(value);
  for (const member of Object.values(value)) containersOf(member ?? null, found);
  return found;
}
