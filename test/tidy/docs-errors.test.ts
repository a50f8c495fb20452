// docs/ERRORS.md against the tables of errors, both ways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { httpCodeOf } from "../../src/apimachinery/api/errors.ts";
import { read } from "./source-files.ts";

const page = read("docs/ERRORS.md");
/** Rows of the section `title`, as the first two cells without their backticks. */
function pairs(title: string): [string, string][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(title)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| `"));
  return rows.map((row) => {
    const [, first = "", second = ""] = row
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", ""));
    return [first, second];
  });
}

test("reasons and their codes", () => {
  const coded = Object.entries(httpCodeOf).map(([reason, code]) => [reason, String(code)]);
  const listed = pairs("Reasons").map(([reason, code]) => [
    reason === "(empty)" ? "" : reason,
    code,
  ]);
  assert.deepEqual(listed.toSorted(), coded.toSorted());
});

test("what storage reports", () => {
  const source = read("src/storage/errors.ts").split("export class")[0] ?? "";
  const codes = [...source.matchAll(/readonly code: "(\w+)"/g)].map(([, code = ""]) => code);
  const listed = pairs("Storage").map(([code]) => code);
  assert.deepEqual(listed.toSorted(), codes.toSorted());
});
