/**
 * YAML bodies, read as sigs.k8s.io/yaml reads them and turned into JSON text: one document, YAML 1.1
 * booleans and octals, timestamps stay strings, aliases are bounded.
 */
import type * as Yaml from "yaml";
import { DecodeError } from "./decode-error.ts";
import { goQuote } from "./go-text.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { encodeJsonValue } from "./json-encode.ts";
import { setOwn, textOf } from "./json-reader.ts";
import { yamlLibrary } from "./yaml-library.ts";
import { plainJson } from "./yaml-plain.ts";

/** Nodes an alias bomb may grow to; goyaml stops at a ratio, this at a count. */
const ALIASES_MAX = 1000;

/** JSON text of a YAML body, and the texts of duplicate keys, which only strict decoding tells. */
export interface YamlAsJson {
  readonly json: string;
  readonly strictErrors: readonly string[];
}

/** Throws DecodeError `syntax` with goyaml's text where that is known. */
export function yamlToJson(body: Uint8Array | string): YamlAsJson {
  const text = typeof body === "string" ? body : textOf(body);
  const plain = plainJson(text);
  if (plain !== undefined) return { json: plain, strictErrors: [] };
  const yaml = yamlLibrary();
  const lines = new yaml.LineCounter();
  const document = yaml.parseAllDocuments(text, {
    version: "1.1",
    merge: true,
    intAsBigInt: true,
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    customTags: withoutTimes,
    logLevel: "silent",
  })[0];
  if (document === undefined) return { json: "null", strictErrors: [] };
  const error = document.errors[0];
  if (error !== undefined) throw syntaxError(error, lines);
  try {
    const value = fromJs(document.toJS({ mapAsMap: true, maxAliasCount: ALIASES_MAX }));
    return { json: encodeJsonValue(value), strictErrors: duplicates(yaml, document, lines) };
  } catch (failure) {
    if (failure instanceof DecodeError) throw failure;
    throw new DecodeError("syntax", "yaml: document contains excessive aliasing");
  }
}

/** Timestamps and base 60 numbers are strings to Kubernetes. */
function withoutTimes(tags: Yaml.Tags): Yaml.Tags {
  const kept: Yaml.Tags = [];
  for (const tag of tags) {
    if (typeof tag === "string") {
      kept.push(tag);
      continue;
    }
    const isTime = tag.tag === "tag:yaml.org,2002:timestamp";
    if (isTime || ("format" in tag && tag.format === "TIME")) continue;
    kept.push(withFloats(tag));
  }
  return kept;
}

/** The package takes a lone dot, which is a key of SSA's sets, and `e1` for numbers; goyaml does not. */
function withFloats(tag: Yaml.CollectionTag | Yaml.ScalarTag) {
  if (!("test" in tag) || tag.test === undefined) return tag;
  if (tag.test.test(".")) return { ...tag, test: FLOAT } as Yaml.ScalarTag;
  return tag.test.test("e1") ? ({ ...tag, test: EXPONENT } as Yaml.ScalarTag) : tag;
}
const FLOAT = /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*|[-+]\.[0-9][0-9_]*|\.[0-9]+)$/;
const EXPONENT = /^(?:[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?|[-+]\.[0-9][0-9_]*|\.[0-9]+)[eE][-+]?[0-9]+$/;

const MESSAGES: Readonly<Record<string, string>> = {
  BAD_INDENT: "did not find expected node content",
  MISSING_CHAR: "did not find expected node content",
  BLOCK_AS_IMPLICIT_KEY: "mapping values are not allowed in this context",
  BLOCK_IN_FLOW: "did not find expected node content",
  TAB_AS_INDENT: "found character that cannot start any token",
  UNEXPECTED_TOKEN: "did not find expected node content",
  BAD_ALIAS: "did not find expected alphabetic or numeric character",
  BAD_DQ_ESCAPE: "found unknown escape character",
  IMPOSSIBLE: "did not find expected key",
};

function syntaxError(error: Yaml.YAMLError, lines: Yaml.LineCounter): DecodeError {
  const { line } = lines.linePos(error.pos[0]);
  const said = MESSAGES[error.code] ?? "could not find expected ':'";
  return new DecodeError("syntax", `yaml: line ${Math.max(line, 1)}: ${said}`);
}

function fromJs(value: unknown): JsonValue {
  if (value instanceof Map) {
    const object: JsonObject = {};
    for (const [key, member] of value)
      setOwn<JsonValue | undefined>(object, keyText(key), fromJs(member));
    return object;
  }
  if (Array.isArray(value)) return value.map(fromJs);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (value instanceof Set) return fromJs(new Map([...value].map((key) => [key, null])));
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new DecodeError(
      "syntax",
      `json: unsupported value: ${value > 0 ? "+Inf" : value < 0 ? "-Inf" : "NaN"}`,
    );
  }
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "bigint")
    return value;
  return typeof value === "number" ? value : null;
}

function keyText(key: unknown): string {
  if (typeof key === "string") return key;
  if (typeof key === "number" || typeof key === "bigint" || typeof key === "boolean")
    return String(key);
  const kind =
    key === null
      ? "<nil>"
      : Array.isArray(key)
        ? "[]interface {}"
        : "map[interface {}]interface {}";
  throw new DecodeError("syntax", `unsupported map key of type: ${kind}`);
}

/** goyaml's strict errors come as one text, a line for each key that is set twice. */
function duplicates(yaml: typeof Yaml, document: Yaml.Document, lines: Yaml.LineCounter): string[] {
  const found: string[] = [];
  yaml.visit(document, {
    Map(_key, map) {
      const seen = new Set<string>();
      for (const pair of map.items) {
        if (!yaml.isScalar(pair.key)) continue;
        const key = String(pair.key.value);
        const { line } = lines.linePos(pair.key.range?.[0] ?? 0);
        if (seen.has(key)) found.push(`  line ${line}: key ${goQuote(key)} already set in map`);
        seen.add(key);
      }
    },
  });
  return found.length === 0 ? [] : [`yaml: unmarshal errors:\n${found.join("\n")}`];
}
