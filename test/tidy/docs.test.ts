import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { flagGroups } from "../../src/options/flags.ts";
import { unimplementedFlags } from "../../src/options/unimplemented.ts";
import { filesUnder, read, root } from "./source-files.ts";

const pages = [...filesUnder("docs", ".md"), ...["README.md", "CONTRIBUTING.md"]].filter((path) =>
  existsSync(join(root, path)),
);

test("links of the documents lead somewhere", () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test("files that the documents name exist", () => {
  const missing = pages.flatMap((page) =>
    [...read(page).matchAll(/`((?:src|test|scripts|native|bench|bin)\/[\w./-]+\.\w+)`/g)]
      .map(([, path = ""]) => path)
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`),
  );
  assert.deepEqual(missing, []);
});

const FLAGS = "docs/FLAGS.md";
test("docs/FLAGS.md and the tables agree", { skip: !existsSync(join(root, FLAGS)) }, () => {
  const rows = new Map(
    [...read(FLAGS).matchAll(/^\| `--([a-z0-9-]+)` \|.*\| (yes|no) \|/gm)].map(
      ([, name = "", works = ""]) => [name, works] as const,
    ),
  );
  for (const [, table] of flagGroups) {
    for (const name of Object.keys(table)) {
      assert.equal(rows.get(name), unimplementedFlags.has(name) ? "no" : "yes", `--${name}`);
    }
  }
});
