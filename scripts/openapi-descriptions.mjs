/**
 * Writes the texts of API types, fields and parameters into a build folder, for the OpenAPI
 * documents and `kubectl explain`. They come from the doc comments of two development packages, as
 * far as they are installed, and are never committed: @kubernetes/client-node has every type of
 * v1.36, but no text beside a reference and no line breaks; kubernetes-models has those.
 * Usage: node scripts/openapi-descriptions.mjs FILE
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const packages = join(root, "node_modules");
const client = join(packages, "@kubernetes", "client-node", "dist", "gen");
const models = join(client, "models");
const target = process.argv[2];

if (target === undefined || !existsSync(models)) {
  console.log("openapi-descriptions: nothing to do: no target file, or no @kubernetes/client-node");
  process.exit(0);
}

const COMMENT = "/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\s*";
const ENTITIES = { quot: '"', lt: "<", gt: ">", amp: "&" };

/** `\&#39;`, `&#x60;` and `&quot;` back to their characters. */
const unescaped = (text) =>
  text
    .replace(/\\?&#(x?)([0-9a-f]+);/gi, (_, hex, digits) =>
      String.fromCharCode(Number.parseInt(digits, hex === "" ? 10 : 16)),
    )
    .replace(/\\?&(quot|lt|gt|amp);/g, (_, name) => ENTITIES[name])
    .replace(/\\(['"*/])/g, "$1");

const clean = (comment) =>
  unescaped(
    comment
      .split("\n")
      .map((line) => line.replace(/^\s*\* ?/, ""))
      .join("\n")
      .trim(),
  );

/**
 * Lines were joined by spaces: one stands for a paragraph's break when doubled, and what is beyond
 * indents the line. Inside a list, a dash begins a line.
 */
const broken = (text) => {
  const lines = text.replace(/((?:- )?\S+)( {2,})(?=(\S))/g, (all, before, { length }, after) => {
    if (length === 2 && /^\w+$/.test(before) && /[a-z]/.test(after)) return all;
    const indent = " ".repeat(length % 2 === 0 ? length - 2 : length - 1);
    return `${before}${length % 2 === 0 ? "\n\n" : "\n"}${indent}`;
  });
  return lines.replace(/(\n {2}[^\n]*[.]) - (?=`)/g, "$1\n- ");
};

/** The texts of one declaration: "" for the type, JSON names for its fields. */
function textsOf(source, declaration, field) {
  const texts = {};
  const type = new RegExp(COMMENT + declaration).exec(source);
  if (type !== null && clean(type[1]) !== "") texts[""] = clean(type[1]);
  for (const found of source.matchAll(new RegExp(COMMENT + field, "g"))) {
    const key = found[2].replace(/^_/, "");
    texts[key.startsWith("x_") ? key.replace(/_/g, "-") : key] ??= clean(found[1]);
  }
  return texts;
}

const title = (text) => text.slice(0, 1).toUpperCase() + text.slice(1);

/** kubernetes-models by the name it exports a definition under. */
function otherModels() {
  const found = new Map();
  for (const name of ["kubernetes-models", "@kubernetes-models/apimachinery"]) {
    const folder = join(packages, name);
    if (!existsSync(folder)) continue;
    for (const file of readdirSync(folder, { recursive: true })) {
      if (!file.endsWith(".d.ts") || file.includes("node_modules")) continue;
      const source = readFileSync(join(folder, file), "utf8");
      const exported = / as (IIoK8s\w+)/.exec(source);
      if (exported === null) continue;
      const texts = textsOf(source, "export (?:interface|type)", '"([^"]+)"\\??:');
      found.set(exported[1], texts);
    }
  }
  return found;
}

/** A text with the spaces that an older wording of it has between the same two words. */
function likeLines(text, older) {
  const spaces = new Map();
  for (const [, a, space, b] of older.matchAll(/(\S+)(\s+)(?=(\S+))/g)) {
    const known = spaces.get(`${a} ${b}`);
    spaces.set(`${a} ${b}`, known === undefined || known === space ? space : null);
  }
  return text.replace(/(\S+)(\s+)(?=(\S+))/g, (_, a, space, b) => {
    return a + (spaces.get(`${a} ${b}`) ?? space);
  });
}

const others = otherModels();
const letters = (text) => text.replace(/[^A-Za-z0-9]/g, "");
/** Types with a form of their own, which no table of structs holds, by their short names. */
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const CRD = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
const OWN_FORM = Object.fromEntries(
  [
    ...["Time", "MicroTime", "FieldsV1", "Patch"].map((name) => `${META}.${name}`),
    ...["", "SchemaPropsOrArray", "SchemaPropsOrBool"].map((name) => `${CRD}.JSON${name}`),
    "io.k8s.apimachinery.pkg.runtime.RawExtension",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "io.k8s.apimachinery.pkg.version.Info",
  ].map((definition) => [definition.split(".").at(-1), definition]),
);
const descriptions = {};

/** The client package puts the text of such a type in place of the field's own. */
function ofType(text) {
  const definition = OWN_FORM[/^(\w+) (?:is|represents) (?!the )/.exec(text)?.[1]];
  if (definition !== undefined) descriptions[definition] ??= { "": text };
  return definition !== undefined;
}

/** Whether a text begins with a field's Go name, or with its JSON name as code. */
const beginsWith = (text, key) =>
  key !== "" && (text.startsWith(`${title(key)} `) || text.startsWith(`\`${key}\` `));

/** Both packages' texts of a definition: the first knows the words, the second their lines. */
function merged(definition, texts) {
  const other = others.get(`I${definition.split(".").map(title).join("")}`) ?? {};
  const result = {};
  // Some groups' texts begin with the field's JSON name now, and did not: what has no new text follows.
  const isRenamed = Object.keys(other).some(
    (key) => texts[key]?.startsWith(`${key} `) && beginsWith(other[key], key),
  );
  for (const key of new Set([...Object.keys(texts), ...Object.keys(other)])) {
    const [words, lines] = [texts[key], other[key]];
    const replaced = words === undefined || (key !== "" && ofType(words));
    if (words === undefined && isRenamed && beginsWith(lines, key)) {
      result[key] = key + lines.replace(/^`\w+`|^\w+/, "");
    } else if (lines !== undefined && (replaced || letters(words) === letters(lines)))
      result[key] = lines;
    else if (words !== undefined && !replaced) result[key] = likeLines(broken(words), lines ?? "");
  }
  return result;
}

const tables = join(root, "src", "apis", "generated", "types.generated.json");
const { types } = JSON.parse(readFileSync(tables, "utf8"));
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
  const own = file === undefined ? "" : readFileSync(file, "utf8");
  const texts = merged(definition, textsOf(own, "export declare class", "'([^']+)'\\??:"));
  if (Object.keys(texts).length > 0) descriptions[definition] = texts;
}
for (const definition of Object.values(OWN_FORM)) {
  const texts = merged(definition, {});
  if (Object.keys(texts).length > 0) descriptions[definition] = texts;
}

/**
 * Texts of parameters: by name, by `patch/name` where patches differ, and by the options of connect
 * subresources, `PodExec/container`.
 */
function parameterTexts() {
  const texts = {};
  const source = readFileSync(join(client, "types", "ObjectParamAPI.d.ts"), "utf8");
  const options =
    /Api(?:Connect|Read)\w*?((?:Pod|Service|Node)(?:Exec|Attach|Portforward|Proxy|Log))Request$/;
  for (const [, name, body] of source.matchAll(/export interface (\w+)Request \{([\s\S]*?)\n\}/g)) {
    if (name.startsWith("CustomObjects")) continue;
    const connect = options.exec(`${name}Request`)?.[1];
    for (const [, comment, field] of body.matchAll(new RegExp(`${COMMENT}(\\w+)\\??:`, "g"))) {
      const text = broken(clean(comment.split(/\n[^\n]*Defaults to: undefined/)[0]));
      const key = field.replace(/^_/, "");
      if (text === "" || key === "body" || text.startsWith("name of the ")) continue;
      if (/ApiPatch/.test(name) && key === "fieldManager") texts["patch/fieldManager"] = text;
      else if (connect !== undefined && key !== "namespace") texts[`${connect}/${key}`] ??= text;
      else texts[key] ??= text;
    }
  }
  return texts;
}
descriptions["parameters"] = parameterTexts();

mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, JSON.stringify(descriptions));
console.log(`openapi-descriptions: ${Object.keys(descriptions).length} types in ${target}`);
