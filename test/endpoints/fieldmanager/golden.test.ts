// The owners a real v1.36 server recorded, recomputed from its own answers: every created object,
// and every object's life through label, apply, status and scale.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parseApiVersion } from "../../../src/apimachinery/runtime/gvk.ts";
import { schemaForKind } from "../../../src/apis/schemas.ts";
import { FieldSet, pathText } from "../../../src/endpoints/fieldmanager/field-set.ts";
import { createFieldManager, excludeFields } from "../../../src/endpoints/fieldmanager/index.ts";

interface Entry {
  manager: string;
  operation: string;
  subresource?: string;
  time?: string;
}
interface Metadata {
  uid?: string;
  managedFields?: Entry[];
}
interface KubeObject {
  [name: string]: unknown;
  apiVersion: string;
  kind: string;
  metadata: Metadata;
}
interface Exchange {
  id: string;
  family: string;
  method: string;
  path: string;
  body: unknown;
  contentType?: string;
  answer: { code: number; body: KubeObject };
}

const GOLDEN = "../shared/golden";

function exchanges(file: string): Exchange[] {
  const path = `${GOLDEN}/${file}`;
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Exchange);
}

const now = () => new Date("2026-11-22T00:00:00Z");

function managerFor({ apiVersion, kind }: KubeObject, subresource: string) {
  const { group, version } = parseApiVersion(apiVersion) ?? { group: "", version: "" };
  const gvk = { group, version, kind };
  const schema = schemaForKind(gvk);
  assert.ok(schema, `${apiVersion} ${kind}`);
  const reset = kind === "CertificateSigningRequest" ? [["status"], ["spec"]] : [["status"]];
  const resetFields = new Map([
    [apiVersion, excludeFields(...(subresource === "status" ? [["spec"]] : reset))],
  ]);
  return createFieldManager({ gvk, schema, subresource, resetFields, now });
}

function entriesOf(object: KubeObject): unknown[] {
  return (object.metadata.managedFields ?? []).map(({ time: _time, ...entry }) => entry);
}

/** What admission and strategies set after the owners are decided, by kind. */
const SET_LATER: Readonly<Record<string, RegExp>> = {
  Pod: /^\.spec\.(preemptionPolicy|priority|serviceAccount|serviceAccountName|tolerations)$/,
  Job: /^\.spec\.(selector|template\.metadata\.labels)/,
  Service: /^\.spec\.(clusterIPs?|ipFamilies|ipFamilyPolicy|ports\[[^\]]+\]\.nodePort)$/,
  Namespace: /^\.spec\.finalizers$/,
  Node: /^\.spec\.taints$/,
  PersistentVolume: /^\.metadata\.finalizers/,
  PersistentVolumeClaim: /^\.metadata\.finalizers/,
  TokenRequest: /^\.spec\.audiences$/,
};
/** Lists that were sent empty and are stored, and answered, as null. */
const SENT_EMPTY = /^(\.spec\.limits|\.ports|\.rules|\.spec\.devices\.requests)$/;

/** Fails unless both own the same, but for what was set later or sent empty. */
function assertSameOwners(got: KubeObject, want: KubeObject, what: string): void {
  const gotEntries = entriesOf(got) as { fieldsV1: Record<string, unknown> }[];
  const wantEntries = entriesOf(want) as { fieldsV1: Record<string, unknown> }[];
  assert.equal(gotEntries.length, wantEntries.length, what);
  for (const [i, { fieldsV1: wantFields, ...wantRest }] of wantEntries.entries()) {
    const { fieldsV1: gotFields = {}, ...gotRest } = gotEntries[i] ?? {};
    assert.deepEqual(gotRest, wantRest, what);
    const ours = FieldSet.decode(gotFields);
    const theirs = FieldSet.decode(wantFields);
    if (ours.equals(theirs)) {
      assert.equal(JSON.stringify(gotFields), JSON.stringify(wantFields), `${what}: order`);
    }
    ours.difference(theirs).visit((path) => {
      assert.match(pathText(path), SET_LATER[want.kind] ?? /^$/, `${what}: extra`);
    });
    theirs.difference(ours).visit((path) => {
      assert.match(pathText(path), SENT_EMPTY, `${what}: missing`);
    });
  }
}

const created = [...exchanges("exchanges.jsonl"), ...exchanges("life.jsonl")].filter(
  ({ method, answer }) => method === "POST" && answer.code === 201,
);

test("owners of created objects", { skip: created.length === 0 }, () => {
  let compared = 0;
  for (const { id, answer } of created) {
    const object = answer.body;
    const entries = object.metadata?.managedFields ?? [];
    const [only] = entries;
    if (entries.length !== 1 || only === undefined) continue;
    const { managedFields: _dropped, ...metadata } = object.metadata;
    const next = { ...object, metadata };
    const { subresource = "" } = only;
    const updated = managerFor(object, subresource).update(undefined, next, only.manager);
    assertSameOwners(updated as KubeObject, object, `${id} ${object.kind}`);
    compared += 1;
  }
  assert.ok(compared > 300, String(compared));
});
