/** Whole objects in every encoding: the project's own fixtures, and the facts' when they are there. */
import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { decodeJson } from "../../../src/apimachinery/runtime/json-decode.ts";
import { encodeJson, indentJson } from "../../../src/apimachinery/runtime/json-encode.ts";
import { decodeProtobuf, encodeProtobuf } from "../../../src/apimachinery/runtime/protobuf.ts";
import { decodeYaml, encodeYaml } from "../../../src/apimachinery/runtime/yaml.ts";
import { schemaForKind, structOf } from "../../../src/apis/schemas.ts";
import { sharedPath } from "./shared.ts";

interface Fixture {
  readonly gvk: { readonly group: string; readonly version: string; readonly kind: string };
  readonly json: string;
  readonly protobuf: string;
}

describe("own fixtures", () => {
  const folder = fileURLToPath(new URL("../../fixtures/codec/", import.meta.url));
  for (const file of readdirSync(folder)) {
    test(file, () => {
      const { gvk, json, protobuf } = JSON.parse(readFileSync(folder + file, "utf8")) as Fixture;
      const schema = schemaForKind(gvk);
      assert(schema !== undefined);
      const { object, strictErrors } = decodeJson(json, schema, { strict: "Strict" });
      assert.deepEqual(strictErrors, []);
      assert.equal(encodeJson(object, schema), json);
      const bytes = encodeProtobuf(object, schema, gvk);
      assert.equal(bytes.toString("base64"), protobuf);
      assert.deepEqual(decodeProtobuf(bytes, schema).object, object);
      const yaml = encodeYaml(object as JsonValue);
      assert.deepEqual(decodeYaml(yaml, schema, { strict: "Strict" }), {
        object,
        strictErrors: [],
      });
    });
  }
});

const fixtures = sharedPath("facts/codec-fixtures");
describe("facts' fixtures", { skip: fixtures === undefined }, () => {
  if (fixtures === undefined) return;
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith(".json"))) {
    test(file, () => {
      const path = `${fixtures}/${file.slice(0, -".json".length)}`;
      const text = readFileSync(`${path}.json`, "utf8").trimEnd();
      const { apiVersion, kind } = JSON.parse(text) as { apiVersion?: string; kind?: string };
      const [version = "", group = ""] = (apiVersion ?? "").split("/").reverse();
      const schema =
        kind === undefined
          ? structOf("k8s.io/apimachinery/pkg/apis/meta/v1.WatchEvent")
          : schemaForKind({ group, version, kind });
      assert(schema !== undefined, "a schema for the kind");
      const { object, strictErrors } = decodeJson(text, schema, { strict: "Strict" });
      assert.deepEqual(strictErrors, []);
      assert.equal(indentJson(encodeJson(object, schema)), text);
      const yaml = readFileSync(`${path}.yaml`, "utf8");
      assert.equal(encodeYaml(JSON.parse(encodeJson(object, schema)) as JsonValue), yaml);
      assert.deepEqual(decodeYaml(yaml, schema, { strict: "Strict" }).object, object);
      if (kind === undefined) return;
      const bytes = readFileSync(`${path}.pb`);
      assert.deepEqual(encodeProtobuf(object, schema, { group, version, kind }), bytes);
      assert.equal(indentJson(encodeJson(decodeProtobuf(bytes, schema).object, schema)), text);
    });
  }
});
