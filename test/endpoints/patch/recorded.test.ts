// Random patches with what upstream's packages made of them. See fixtures/README.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { StatusError } from "../../../src/apimachinery/api/errors.ts";
import type { JsonObject, JsonValue } from "../../../src/apimachinery/runtime/json.ts";
import { schemaForKind } from "../../../src/apis/schemas.ts";
import { canonicalJson } from "../../../src/endpoints/fieldmanager/path-element.ts";
import { applyJsonPatch } from "../../../src/endpoints/patch/json-patch.ts";
import { applyMergePatch } from "../../../src/endpoints/patch/merge-patch.ts";
import { applyStrategicMergePatch } from "../../../src/endpoints/patch/strategic-merge-patch/index.ts";

interface Recorded {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly doc: JsonObject;
  readonly patch: string;
  readonly want: { readonly doc?: JsonValue; readonly error?: string };
}

function recorded(name: string): Recorded[] {
  const file = new URL(`fixtures/${name}.jsonl.gz`, import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Recorded);
}

function applyStrategic({ group, version, kind, doc, patch }: Recorded): JsonValue {
  const schema = schemaForKind({ group, version, kind });
  assert.ok(schema);
  return applyStrategicMergePatch(doc, patch, schema, "Ignore").document;
}

const kinds = {
  strategic: applyStrategic,
  // Patches that kubectl's three-way merge made, and what they made of the live object.
  "three-way": applyStrategic,
  json: ({ doc, patch }: Recorded) => applyJsonPatch(doc, patch, "Ignore").document,
  merge: ({ doc, patch }: Recorded) => applyMergePatch(doc, patch, "Ignore").document,
};

for (const [name, apply] of Object.entries(kinds)) {
  test(`${name} patches give upstream's documents and errors`, () => {
    for (const [i, row] of recorded(name).entries()) {
      const before = canonicalJson(row.doc);
      const what = `line ${i + 1}`;
      let got: JsonValue | undefined;
      try {
        got = apply(row);
      } catch (error) {
        assert.ok(error instanceof StatusError, `${what}: ${(error as Error).stack}`);
        const message = row.want.error ?? "no error";
        // What a patch does not apply for is not told, and so are lists of lists.
        const isGeneric = error.code === 422 && row.want.error !== undefined;
        if (!isGeneric) assert.equal(error.message, message, what);
        continue;
      }
      assert.equal(row.want.error, undefined, what);
      assert.equal(canonicalJson(got), canonicalJson(row.want.doc), what);
      assert.equal(canonicalJson(row.doc), before, `${what}: the document was written to`);
    }
  });
}
