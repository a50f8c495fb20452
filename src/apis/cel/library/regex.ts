/**
 * Regular expressions in RE2's syntax and bound to linear time, whatever the pattern.
 * Upstream: Go's regexp; apiserver/pkg/cel/library/regex.go.
 */
import { LRUCache } from "lru-cache";
import { RE2JS, RE2JSSyntaxException } from "re2js";
import { member, type Overload } from "../environment.ts";
import { INT, listOf, STRING } from "../types.ts";
import { ArrayList, CelError, type CelValue } from "../values.ts";
import { textArgument as text } from "./conversions.ts";

/** Compiling costs a hundred matches; patterns made at run time are the only ones to miss. */
const compiled = new LRUCache<string, RE2JS>({ max: 500 });

/** A compiled pattern, or the reason it is none. */
export function compilePattern(pattern: string): RE2JS | { readonly problem: string } {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  try {
    const fresh = RE2JS.compile(pattern);
    compiled.set(pattern, fresh);
    return fresh;
  } catch (thrown) {
    if (thrown instanceof RE2JSSyntaxException) return { problem: thrown.message };
    throw thrown;
  }
}

function patternOf(pattern: CelValue, problem: (text: string) => string): RE2JS {
  const found = compilePattern(text(pattern));
  if ("problem" in found) throw new CelError(problem(found.problem));
  return found;
}

/** Whether the pattern is found anywhere in the text. Throws CelError. */
export function matches(value: CelValue, pattern: CelValue): CelValue {
  return patternOf(pattern, (problem) => problem).test(text(value));
}

const illegal = (problem: string) => `Illegal regex: ${problem}`;

function find(value: CelValue, pattern: CelValue): CelValue {
  const matcher = patternOf(pattern, illegal).matcher(text(value));
  return matcher.find() ? (matcher.group() ?? "") : "";
}

function findAll(value: CelValue, pattern: CelValue, limit: CelValue = -1n): CelValue {
  const matcher = patternOf(pattern, illegal).matcher(text(value));
  const most = Number(limit);
  const found: string[] = [];
  while ((most < 0 || found.length < most) && matcher.find()) found.push(matcher.group() ?? "");
  return new ArrayList(found);
}

const LIST = listOf(STRING);

export const REGEX: readonly (readonly [string, readonly Overload[]])[] = [
  ["find", [member("string_find_string", [STRING, STRING], STRING, find)]],
  [
    "findAll",
    [
      member("string_find_all_string", [STRING, STRING], LIST, findAll),
      member("string_find_all_string_int", [STRING, STRING, INT], LIST, findAll),
    ],
  ],
];
