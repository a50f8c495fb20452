/**
 * Writes docs/FLAGS.md from the tables in src/options; test/tidy compares the two.
 *   node --import tsx scripts/generate-flags.mjs
 */
import { writeFileSync } from "node:fs";
import { flagGroups } from "../src/options/flags.ts";
import { removedFlags } from "../src/options/removed-flags.ts";
import { unimplementedFlags } from "../src/options/unimplemented.ts";

const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const lines = [
  "# Flags",
  "",
  "Every flag of kube-apiserver v1.36 is accepted, with its name, type, default and syntax:",
  "`--flag=value`, `--flag value`, bare booleans, comma lists, repeats, `_` for `-`.",
  "*Works: no* means that the flag is read, has no effect yet, and says so in a warning at start.",
  "Written by `scripts/generate-flags.mjs` from the tables in `src/options/groups`.",
];
for (const [name, table] of flagGroups) {
  lines.push(
    "",
    `## ${name}`,
    "",
    "| flag | type | default | meaning | works |",
    "|---|---|---|---|---|",
  );
  for (const [flag, spec] of Object.entries(table)) {
    const fallback = spec.format(spec.fallback);
    const type = spec.type === "" ? "bool" : spec.type;
    const deprecated = spec.deprecated === undefined ? "" : " (deprecated)";
    const works = unimplementedFlags.has(flag) ? "no" : "yes";
    lines.push(
      `| \`--${flag}\` | ${cell(type)} | ${cell(fallback)} | ${cell(spec.usage)}${deprecated} | ${works} |`,
    );
  }
}
lines.push(
  "",
  "## Removed upstream, still accepted",
  "",
  "They print a warning and do nothing; ports may only be 0.",
  "",
  Object.keys(removedFlags)
    .sort()
    .map((flag) => `\`--${flag}\``)
    .join(", "),
  "",
);
writeFileSync(new URL("../docs/FLAGS.md", import.meta.url), lines.join("\n"));
