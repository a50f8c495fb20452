// Sequences of random updates and applies, with what upstream's packages answered to each step:
// the merged object, every owner's set, conflicts and errors. See fixtures/README.md.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { decodeJson } from "../../../src/apimachinery/runtime/json-decode.ts";
import type { StructSchema } from "../../../src/apimachinery/runtime/type-schema.ts";
import { schemaForKind } from "../../../src/apis/schemas.ts";
import { FieldSet } from "../../../src/endpoints/fieldmanager/field-set.ts";
import {
  createFieldManager,
  deduced,
  excludeFields,
} from "../../../src/endpoints/fieldmanager/index.ts";
import type { MergeType } from "../../../src/endpoints/fieldmanager/merge-type.ts";
import { canonicalJson } from "../../../src/endpoints/fieldmanager/path-element.ts";
import { structView } from "../../../src/endpoints/fieldmanager/struct-view.ts";
import { validateTyped } from "../../../src/endpoints/fieldmanager/typed-value.ts";
import {
  applyConfig,
  Conflicts,
  type Managers,
  type TypedObject,
  updateManagers,
} from "../../../src/endpoints/fieldmanager/updater.ts";
import type { JsonMap } from "../../../src/endpoints/fieldmanager/value.ts";
import { rootType } from "./root-type.ts";

interface Operation {
  readonly verb: "update" | "apply";
  readonly manager: string;
  readonly force: boolean;
  readonly object: JsonMap;
  readonly subresource: string;
}
interface Answer {
  readonly object?: JsonMap | null;
  readonly managers?: Record<string, { applied: boolean; set: JsonMap }>;
  readonly conflicts?: string;
  readonly error?: string;
}
interface Sequence {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly ops: readonly Operation[];
  readonly want: readonly Answer[];
}

function sequences(name: string): Sequence[] {
  const file = new URL(`fixtures/${name}.jsonl.gz`, import.meta.url);
  const lines = gunzipSync(readFileSync(file)).toString("utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Sequence);
}

const plain = (value: unknown) => canonicalJson(JSON.parse(JSON.stringify(value)));

/** Runs a sequence below the pipeline: one version, managers by plain names. */
function replayMerge(type: MergeType, { ops, want }: Sequence, line: number): void {
  const options = { convert: (object: TypedObject) => object, ignoreFilters: new Map() };
  let live: TypedObject = { apiVersion: "v1", type, value: {} };
  let managers: Managers = new Map();
  const run = ({ verb, object, manager, force }: Operation): Answer => {
    const typed: TypedObject = { apiVersion: "v1", type, value: object };
    try {
      validateTyped(type, object, verb === "update");
      if (verb === "update") {
        managers = updateManagers(options, live, typed, managers, manager);
        live = typed;
      } else {
        const applied = applyConfig(options, live, typed, managers, manager, force);
        managers = applied.managers;
        live = applied.object ?? live;
      }
    } catch (error) {
      if (!(error instanceof Conflicts)) return { error: (error as Error).message };
      return { conflicts: FieldSet.ofPaths(...error.conflicts.map((c) => c.path)).toString() };
    }
    const owners = [...managers].map(([name, { applied, set }]) => {
      return [name, { applied, set: set.toFieldsV1() }] as const;
    });
    return { object: live.value, managers: Object.fromEntries(owners) };
  };
  for (const [step, operation] of ops.entries()) {
    const answer = want[step] ?? {};
    const expected = answer.object === null ? { ...answer, object: {} } : answer;
    assert.equal(plain(run(operation)), plain(expected), `line ${line}, step ${step}`);
    if (answer.error !== undefined) return;
  }
}

for (const [name, type] of [
  ["merge", rootType],
  ["merge-deduced", deduced],
] as const) {
  test(`${name}: objects, owners, conflicts and errors are upstream's`, () => {
    for (const [i, sequence] of sequences(name).entries()) replayMerge(type, sequence, i + 1);
  });
}

const decode = (object: unknown, schema: StructSchema) =>
  decodeJson(JSON.stringify(object), schema, { strict: "Ignore" }).object as JsonMap;

function entriesOf(object: JsonMap): string[] {
  const { managedFields = [] } = object["metadata"] as { managedFields?: JsonMap[] };
  return managedFields
    .map((entry) => canonicalJson({ ...entry, time: entry["time"] === undefined ? "" : "T" }))
    .sort();
}

function ownObject(object: JsonMap, schema: StructSchema): string {
  const { managedFields: _dropped, ...metadata } = object["metadata"] as JsonMap;
  const masked = { ...object, metadata: { ...metadata, uid: "u" } };
  return plain(structView(schema, decode(masked, schema)));
}

/** Conflicts of one message in one order: upstream's map of managers has none. */
const sortedLines = (message: string) => message.split(/\n|: /).sort().join("\n");

function replayManagers({ group, version, kind, ops, want }: Sequence, line: number): void {
  const gvk = { group, version, kind };
  const schema = schemaForKind(gvk);
  assert.ok(schema);
  const apiVersion = group === "" ? version : `${group}/${version}`;
  let live: JsonMap | undefined;
  for (const [step, { verb, object, manager, force, subresource }] of ops.entries()) {
    const what = `line ${line}, step ${step}: ${kind} ${verb}`;
    const reset = subresource === "" ? "status" : "spec";
    const resetFields = new Map([[apiVersion, excludeFields([reset])]]);
    const toTyped = (merged: JsonMap) => decode(merged, schema);
    const fields = createFieldManager({ gvk, schema, subresource, resetFields, toTyped });
    const expected = want[step] ?? {};
    let result: JsonMap;
    try {
      const next = decode(object, schema);
      const sent = (object["metadata"] as JsonMap)["managedFields"];
      // The decoder leaves empty lists out, and here [] asks for a reset.
      if (Array.isArray(sent) && sent.length === 0) {
        (next["metadata"] as JsonMap)["managedFields"] = [];
      }
      result =
        verb === "update"
          ? fields.update(live, next, manager)
          : fields.apply(live, object, manager, force).object;
    } catch (error) {
      const message = (error as Error).message;
      assert.equal(sortedLines(message), sortedLines(expected.error ?? "no error"), what);
      continue;
    }
    assert.equal(expected.error, undefined, what);
    const answer = expected.object as JsonMap;
    assert.equal(ownObject(result, schema), ownObject(answer, schema), what);
    assert.deepEqual(entriesOf(result), entriesOf(answer), what);
    const metadata = { ...(result["metadata"] as JsonMap), uid: "u" };
    live = decode({ ...result, metadata }, schema);
  }
}

for (const name of ["managers", "managers-long"]) {
  test(`${name}: objects, entries, conflicts and errors are upstream's`, () => {
    for (const [i, sequence] of sequences(name).entries()) replayManagers(sequence, i + 1);
  });
}
