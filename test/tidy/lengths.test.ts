import assert from "node:assert/strict";
import { test } from "node:test";
import { filesUnder, isGenerated, read } from "./source-files.ts";

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 500;
const TEST_LINES_MAX = 800;

const sources = [...filesUnder("src", ".ts"), ...filesUnder("bench", ".ts")].filter(
  (path) => !isGenerated(path),
);
const tests = filesUnder("test", ".ts").filter((path) => !path.includes("/fixtures/"));

/** A file that is one table of data may be as long as its data. */
function isTable(text: string): boolean {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const data = lines.filter((line) => /^\s+(["[{}\]]|[A-Za-z-]+:|\/\/)/.test(line));
  return data.length > lines.length * 0.85;
}

test("files are short enough to be read in one go", () => {
  const long = [
    ...sources.map((path) => [path, FILE_LINES_MAX] as const),
    ...tests.map((path) => [path, TEST_LINES_MAX] as const),
  ].flatMap(([path, most]) => {
    const text = read(path);
    const lines = text.split("\n").length;
    return lines > most && !isTable(text) ? [`${path}: ${lines} lines, at most ${most}`] : [];
  });
  assert.deepEqual(long, []);
});

// The formatter decides indentation, so a function's end is the first line as far left as its start.
const START =
  /^(\s*)(?:export )?(?:async )?(?:function\*?\s+\w+|(?:static |override |private |protected |get |set |async |\*)*[#\w]+\(.*\).*\{$|(?:export )?const \w+ = (?:async )?(?:\(.*\)|\w+)(?:: [^=]+)? => \{$)/;

test("functions are short", () => {
  const long = sources.flatMap((path) => {
    const lines = read(path).split("\n");
    return lines.flatMap((line, start) => {
      const indent = START.exec(line)?.[1];
      if (indent === undefined || /^\s*(if|for|while|switch|return|catch)\b/.test(line)) return [];
      const end = lines.findIndex((other, at) => at > start && other.startsWith(`${indent}}`));
      const length = end - start + 1;
      return length > FUNCTION_LINES_MAX ? [`${path}:${start + 1}: ${length} lines`] : [];
    });
  });
  assert.deepEqual(long, []);
});
