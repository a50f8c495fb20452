/**
 * Derives the committed tables and types in src/apis from the facts of the Kubernetes v1.36 API.
 * Input: ../shared (facts/, reference/resources.md, golden/). Without it there is nothing to do:
 * the outputs are committed, and the project builds from them alone.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { columnsFromGolden } from "./generate/columns.mjs";
import { resourcesFromMarkdown } from "./generate/resources.mjs";
import { compileTypes } from "./generate/types-table.mjs";
import { typeScriptFiles } from "./generate/typescript.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const shared = join(root, "..", "shared");

if (!existsSync(join(shared, "facts", "k8s-1.36-types.json"))) {
  console.log("generate: ../shared/facts is absent; the committed outputs stay as they are");
  process.exit(0);
}

const write = (path, text) => {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  if (existsSync(full) && readFileSync(full, "utf8") === text) return;
  writeFileSync(full, text);
  console.log(`generate: ${path} (${text.length} bytes)`);
};
const readJson = (path) => JSON.parse(readFileSync(join(shared, path), "utf8"));

/** JSON with one entry a line below the top two levels: small, and readable in a diff. */
const tableText = (table) => {
  const parts = Object.entries(table).map(([key, value]) => {
    const isList = Array.isArray(value);
    const lines = isList
      ? value.map((v) => JSON.stringify(v))
      : Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}`);
    const [open, close] = isList ? ["[", "]"] : ["{", "}"];
    return `${JSON.stringify(key)}: ${open}\n${lines.join(",\n")}\n${close}`;
  });
  return `{\n${parts.join(",\n")}\n}\n`;
};

const types = compileTypes(
  readJson("facts/k8s-1.36-types.json"),
  readJson("facts/openapi-v2-1.36.json"),
);
write("src/apis/generated/types.generated.json", tableText(types.table));
const typeFiles = [...typeScriptFiles(types)];
for (const [path, text] of typeFiles) write(path, text);
// The formatter has the last word on order and line breaks.
const biome = join(root, "node_modules", ".bin", "biome");
spawnSync(biome, ["check", "--write", ...typeFiles.map(([path]) => path)], { cwd: root });

const markdown = readFileSync(join(shared, "reference", "resources.md"), "utf8");
const resources = resourcesFromMarkdown(markdown, readJson("facts/discovery/aggregated_v2.json"));
const golden = ["golden/life.jsonl", "golden/exchanges.jsonl"]
  .map((path) => join(shared, path))
  .filter((path) => existsSync(path));
write("src/apis/generated/columns.generated.json", tableText(columnsFromGolden(resources, golden)));
write("src/apis/generated/resources.generated.json", tableText(resources));
