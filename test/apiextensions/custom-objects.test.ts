/** What a schema makes of custom resources: what stays, what is filled in, what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../../src/apimachinery/runtime/json.ts";
import { decodeJson } from "../../src/apimachinery/runtime/json-decode.ts";
import { errorText } from "../../src/apimachinery/validation/field.ts";
import { validateRules } from "../../src/apis/apiextensions/cel-rules.ts";
import { customObjects } from "../../src/apis/apiextensions/custom-object.ts";
import { validateListTypes } from "../../src/apis/apiextensions/list-values.ts";
import type { Schema } from "../../src/apis/apiextensions/schema.ts";
import { validateSchemaValue } from "../../src/apis/apiextensions/schema-values.ts";
import { parseJsonPath } from "../../src/registry/printers/json-path.ts";
import { customServed, customStored } from "../../src/storage/custom-codec.ts";
import type { StorageConfig } from "../../src/storage/interfaces.ts";

const spec: Schema = {
  type: "object",
  required: ["cron"],
  "x-kubernetes-validations": [
    { rule: "self.replicas <= 5", message: "too many" },
    { rule: "self.cron == oldSelf.cron" },
  ],
  properties: {
    cron: { type: "string", minLength: 2 },
    replicas: { type: "integer", default: 3, maximum: 10 },
    open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
    ports: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", properties: { name: { type: "string" } } },
    },
  },
};
const schema: Schema = { type: "object", properties: { spec } };
const v1 = customObjects({ apiVersion: "e.x/v1", kind: "Tab", schema });

const tab = (of: unknown) =>
  ({ apiVersion: "e.x/v1", kind: "Tab", metadata: { name: "a" }, spec: of }) as JsonObject;

test("unknown fields go, and strict decoding names them, duplicates first", () => {
  const text =
    '{"apiVersion":"e.x/v1","kind":"Tab","metadata":{"name":"a","foo":1},"spec":{"cron":"x","cron":"yy","bogus":1,"open":{"any":1}}}';
  const { object, strictErrors } = decodeJson(text, v1.struct, { strict: "Strict" });
  assert.deepEqual(object["spec"], { cron: "yy", open: { any: 1 } });
  assert.deepEqual(object["metadata"], { name: "a" });
  assert.deepEqual(strictErrors, [
    'duplicate field "spec.cron"',
    'unknown field "metadata.foo"',
    'unknown field "spec.bogus"',
  ]);
});

test("defaults are filled in; null without nullable counts as missing", () => {
  const object = tab({ cron: "x", replicas: null });
  v1.setDefaults(v1.coerce(object, undefined, false));
  assert.deepEqual(object["spec"], { cron: "x", replicas: 3 });
});

test("errors have upstream's words, and what was wrong before is let through", () => {
  const texts = (of: unknown, old?: unknown) =>
    validateSchemaValue(
      tab(of),
      schema,
      undefined,
      "",
      old === undefined ? undefined : tab(old),
    ).map(errorText);
  assert.deepEqual(texts({ replicas: "x" }), [
    "spec.cron: Required value",
    'spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"',
  ]);
  assert.deepEqual(texts({ cron: "x" }), [
    'spec.cron: Invalid value: "x": spec.cron in body should be at least 2 chars long',
  ]);
  assert.deepEqual(texts({ cron: "x", replicas: 4 }, { cron: "x", replicas: 3 }), []);
  const twice = validateListTypes(tab({ ports: [{ name: "a" }, { name: "a" }] }), schema);
  assert.deepEqual(twice.map(errorText), ['spec.ports[1]: Duplicate value: {"name":"a"}']);
});

test("rules run with their messages; those about old values only where there are some", () => {
  const texts = (of: unknown, old?: unknown) =>
    validateRules(tab(of), schema, old === undefined ? undefined : tab(old)).map(errorText);
  assert.deepEqual(texts({ cron: "aa", replicas: 7 }), ["spec: Invalid value: too many"]);
  assert.deepEqual(texts({ cron: "aa", replicas: 3 }, { cron: "bb", replicas: 3 }), [
    "spec: Invalid value: failed rule: self.cron == oldSelf.cron",
  ]);
});

test("patterns are RE2's, in linear time", () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ["^a\\-b$", "a-b", true],
    ["^a\\-b$", "zzz", false],
    ["(?i)^abc$", "ABC", true],
    ["(?i)^abc$", "zzz", false],
    ["^abc\\z", "zzz", false],
    ["^[[:alpha:]]+$", "123", false],
    ["^(a+)+$", `${"a".repeat(5000)}b`, false],
    ["(", "what is no pattern is not asked", true],
  ];
  for (const [pattern, value, fits] of rows) {
    const errors = validateSchemaValue(value, { type: "string", pattern }, undefined);
    assert.equal(errors.length === 0, fits, `${pattern} ${value.slice(0, 9)}`);
  }
});

test("a rule over a text that is no value of its type is an error like others", () => {
  const d: Schema = {
    type: "string",
    format: "duration",
    "x-kubernetes-validations": [{ rule: "self > duration('1s')" }],
  };
  const schema: Schema = { type: "object", properties: { d } };
  const [error, ...more] = validateRules({ d: "no duration" }, schema, undefined);
  assert.ok(error);
  assert.match(errorText(error), /^d: .*evaluating rule: self > duration/);
  assert.deepEqual(more, []);
});

test("an object of another version keeps what the version asked for has", () => {
  const other = JSON.stringify({ type: "object", properties: { spec: { type: "object" } } });
  const config: StorageConfig = {
    resource: "tabs.e.x",
    prefix: "/e.x/tabs/",
    namespaced: false,
    goName: "",
    apiVersion: "e.x/v2",
    kind: "Tab",
    mediaType: "json",
    fieldPaths: [],
    watchCache: true,
    custom: {
      cache: "tabs.e.x/v2#1",
      storedAs: "e.x/v1",
      schemas: { "e.x/v1": JSON.stringify(schema), "e.x/v2": other },
      webhook: undefined,
    },
  };
  const stored = Buffer.from(JSON.stringify(tab({ cron: "aa" })));
  const served = JSON.parse(Buffer.from(customServed(stored, config)).toString()) as JsonObject;
  assert.deepEqual([served["apiVersion"], served["spec"]], ["e.x/v2", {}]);
  const back = Buffer.from(customStored(Buffer.from(JSON.stringify(served)), config)).toString();
  assert.equal((JSON.parse(back) as JsonObject)["apiVersion"], "e.x/v1");
  assert.ok(back.endsWith("\n"));
});

test("columns find their values", () => {
  const object = { spec: { a: [1, 2], "x.y": 5 }, status: { c: [{ t: "R", s: "True" }] } };
  const found = (path: string) => parseJsonPath(path)?.(object);
  assert.deepEqual(found(".spec.a[1]"), [2]);
  assert.deepEqual(found(".spec.a[*]"), [1, 2]);
  assert.deepEqual(found(".spec['x.y']"), [5]);
  assert.deepEqual(found('.status.c[?(@.t=="R")].s'), ["True"]);
  assert.deepEqual(found(".spec.nope"), []);
  assert.equal(found("spec"), undefined);
});
