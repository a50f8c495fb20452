/**
 * Writes the texts of API types and fields into a build folder, for the OpenAPI documents and
 * `kubectl explain`. They come from the doc comments of @kubernetes/client-node, when that package
 * is installed; they are never committed. Usage: node scripts/openapi-descriptions.mjs FILE
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const models = join(root, "node_modules", "@kubernetes", "client-node", "dist", "gen", "models");
const target = process.argv[2];

if (target === undefined || !existsSync(models)) {
  console.log("openapi-descriptions: nothing to do: no target file, or no @kubernetes/client-node");
  process.exit(0);
}

const clean = (comment) =>
  comment
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, ""))
    .join("\n")
    .trim()
    .replace(/\\(['"])/g, "$1");

/** The texts of one model: "" for the type, JSON names for its fields. */
function textsOf(source) {
  const texts = {};
  const type = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export declare class/.exec(source);
  if (type !== null && clean(type[1]) !== "") texts[""] = clean(type[1]);
  for (const field of source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*'([^']+)'\??:/g)) {
    texts[field[2].replace(/^_/, "")] = clean(field[1]);
  }
  return texts;
}

const title = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);
const tables = join(root, "src", "apis", "generated", "types.generated.json");
const { types } = JSON.parse(readFileSync(tables, "utf8"));
const descriptions = {};
for (const [goName, text] of Object.entries(types)) {
  const definition = text.startsWith("=") ? text.split("|")[1] : text.split("\n")[0].split("|")[0];
  if (!definition) continue;
  const [group, version, kind] = [...goName.split("/").slice(-2), ""];
  const dot = version.indexOf(".");
  const v = title(version.slice(0, dot));
  const name = version.slice(dot + 1) || kind;
  // A name that several groups have carries its group: CoreV1Event, EventsV1Event.
  const file = [`${title(group)}${v}${name}`, `${v}${name}`]
    .map((model) => join(models, `${model}.d.ts`))
    .find((path) => existsSync(path));
  if (file !== undefined) descriptions[definition] = textsOf(readFileSync(file, "utf8"));
}
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, JSON.stringify(descriptions));
console.log(`openapi-descriptions: ${Object.keys(descriptions).length} types in ${target}`);
