/** What a forbidden update changed, for people to read: a diff of upstream's internal structs. */
import { indentJson } from "../../../../apimachinery/runtime/json-encode.ts";
import { unifiedDiff } from "../../../../apimachinery/validation/unified-diff.ts";
import { goInternalJson } from "../../../validation/go-internal.ts";

/** The lines that differ between two values of a struct. */
export function specDifference(old: object, now: object, goName: string): string {
  const shown = (value: object) => indentJson(goInternalJson(value, goName), " ");
  return unifiedDiff(shown(old), shown(now));
}
