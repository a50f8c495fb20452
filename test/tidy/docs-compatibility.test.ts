// docs/COMPATIBILITY.md and README.md against the code, both ways.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { resourceTables } from "../../src/apis/resources.ts";
import { read, root } from "./source-files.ts";

const page = read("docs/COMPATIBILITY.md");
const readme = read("README.md");

/** The cells of every row below the table's head, which begins with `head`. */
function rows(text: string, head: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(head));
  assert.notEqual(start, -1, `no table "${head}"`);
  const after = lines.slice(start + 2);
  const end = after.findIndex((line) => !line.startsWith("|"));
  return after.slice(0, end).map((line) =>
    line
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}
const codeOf = (cell = "") => /^`(.+)`$/.exec(cell)?.[1] ?? cell;

test("the README's table of what works is the page's", () => {
  const states = (text: string) => rows(text, "| area |").map(([area, state]) => [area, state]);
  assert.deepEqual(states(readme), states(page));
});

test("plugins without an implementation are those of the page", () => {
  const source = read("src/admission/plugins/plugins.ts");
  const missing = [...source.matchAll(/\b(?:on|off)\("(\w+)"\)/g)].map(([, name = ""]) => name);
  const listed = rows(page, "| plugin |").map(([name]) => codeOf(name));
  assert.deepEqual(listed.toSorted(), missing.toSorted());
});

const TO_KUBELETS_AND_PODS = ["attach", "exec", "log", "portforward", "proxy"];
test("paths that answer 501 are those of the page", () => {
  const source = read("src/endpoints/subresources/subresources.ts");
  const refused = resourceTables().resources.flatMap(({ resource, subresources }) =>
    subresources
      .filter(({ name }) => TO_KUBELETS_AND_PODS.includes(name))
      .filter(({ name }) => !source.includes(`"${name}"`))
      .map(({ name }) => `${resource}/${name}`),
  );
  const listed = rows(page, "| path |").map(([path]) => codeOf(path));
  assert.deepEqual(listed.toSorted(), refused.toSorted());
});

test("every difference names what holds it", () => {
  const tables = page
    .split("\n")
    .filter((line) => /^\| difference \| reason \| held by \|$/.test(line));
  assert.ok(tables.length >= 4);
  for (const section of page.split(/^## /m).slice(1)) {
    if (!section.includes("| difference |")) continue;
    for (const [what = "", why = "", held = ""] of rows(section, "| difference |")) {
      assert.ok(what !== "" && why !== "", `a reason for "${what}"`);
      const files = [...held.matchAll(/`(test\/[^`]+)`/g)].map(([, path = ""]) => path);
      assert.ok(files.length > 0 || /^– \(.+\)/.test(held), `what holds "${what}"`);
      for (const file of files) assert.ok(existsSync(join(root, file)), `${what}: ${file}`);
    }
  }
});

test("files that docs/LIFECYCLE.md names exist", () => {
  const named = read("docs/LIFECYCLE.md").matchAll(
    /(?<![\w/<>.-])((?:[\w-]+\/)*[\w-]+\.(?:ts|cc|h))\b/g,
  );
  const missing = [...named]
    .map(([, path = ""]) => path)
    .filter((path) => !existsSync(join(root, "src", path)) && !existsSync(join(root, path)));
  assert.deepEqual(missing, []);
});

test("the README is short", () => {
  assert.ok(readme.split("\n").length < 120);
});
