/**
 * What a forbidden update changed, for people to read. Upstream prints a diff of its internal
 * structs, whose text is not stable; this names the changed fields and shows both values.
 */
import { semanticDeepEqual } from "../../../../apimachinery/validation/equality.ts";
import { goJson } from "../../../../apimachinery/validation/field.ts";
import { structOf } from "../../../schemas.ts";

const VALUE_MAX = 2000;

/** One line with `-` and one with `+` for each field of the struct that differs. */
export function specDifference(old: object, now: object, goName: string): string {
  const before = old as Readonly<Record<string, unknown>>;
  const after = now as Readonly<Record<string, unknown>>;
  const lines: string[] = [];
  for (const field of structOf(goName).fields) {
    const [left, right] = [before[field.json], after[field.json]];
    if (semanticDeepEqual(left, right, field.type)) continue;
    lines.push(`-  ${field.go}: ${shown(left)}`, `+  ${field.go}: ${shown(right)}`);
  }
  return `${lines.join("\n")}\n`;
}

function shown(value: unknown): string {
  if (value === undefined) return "nil";
  const text = goJson(value);
  return text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX)}...` : text;
}
