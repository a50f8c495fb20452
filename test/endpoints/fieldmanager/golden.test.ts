// The owners a real v1.36 server recorded, recomputed from its own answers: every created object,
// and every object's life through label, apply, status and scale.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { ManagedFieldsEntry } from "../../../src/apimachinery/meta/types.ts";
import { parseApiVersion } from "../../../src/apimachinery/runtime/gvk.ts";
import { schemaForKind } from "../../../src/apis/schemas.ts";
import { FieldSet, pathText } from "../../../src/endpoints/fieldmanager/field-set.ts";
import {
  createFieldManager,
  excludeFields,
  ScaleHandler,
} from "../../../src/endpoints/fieldmanager/index.ts";
import { heldForm } from "../../../src/endpoints/fieldmanager/struct-view.ts";

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

function managerFor({ apiVersion, kind }: KubeObject, subresource: string, clock = now) {
  const { group, version } = parseApiVersion(apiVersion) ?? { group: "", version: "" };
  const gvk = { group, version, kind };
  const schema = schemaForKind(gvk);
  assert.ok(schema, `${apiVersion} ${kind}`);
  const reset = kind === "CertificateSigningRequest" ? [["status"], ["spec"]] : [["status"]];
  const resetFields = new Map([
    [
      apiVersion,
      excludeFields(
        ...(subresource === "status" ? [["spec"]] : subresource === "scale" ? [] : reset),
      ),
    ],
  ]);
  return createFieldManager({ gvk, schema, subresource, resetFields, now: clock });
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

interface Step {
  readonly family: string;
  readonly body: KubeObject;
  readonly live: KubeObject;
  readonly want: KubeObject;
  readonly id: string;
}

/** The StatefulSet after its Scale was patched to 7 replicas. */
function scaled(parent: KubeObject, { apiVersion, kind }: KubeObject): KubeObject {
  const mappings = new Map([["apps/v1", ["spec", "replicas"]]]);
  const handler = new ScaleHandler(
    parent.metadata.managedFields as ManagedFieldsEntry[],
    "apps/v1",
    mappings,
  );
  const { managedFields: _dropped, ...metadata } = parent.metadata;
  const scale = { apiVersion, kind, spec: { replicas: 2 } };
  const live = { ...scale, metadata: { ...metadata, managedFields: handler.toSubresource() } };
  const next = { ...scale, metadata, spec: { replicas: 7 } };
  const manager = managerFor({ apiVersion, kind, metadata }, "scale");
  const updated = manager.update(live, next, "golden") as KubeObject;
  const managedFields = handler.toParent(updated.metadata.managedFields as ManagedFieldsEntry[]);
  return {
    ...parent,
    metadata: { ...metadata, managedFields: managedFields as Entry[] },
    spec: { ...(parent["spec"] as object), replicas: 7 },
  };
}

/** Every recorded write to an object, with the object before it. */
function lifeSteps(): Step[] {
  const states = new Map<string, KubeObject>();
  const steps: Step[] = [];
  for (const { id, family, method, path, body, answer } of exchanges("life.jsonl")) {
    const want = answer.body;
    if (family === "life-scale" && answer.code === 200) {
      const parent = states.get("StatefulSet/s");
      if (parent !== undefined) states.set("StatefulSet/s", scaled(parent, want));
      continue;
    }
    if (answer.code > 201 || !want?.metadata?.managedFields || method === "GET") continue;
    const key = `${want.kind}/${(want.metadata as { name?: string }).name}`;
    const live = states.get(key);
    states.set(key, want);
    if (live !== undefined && path.includes("/")) {
      const sent = body as { $latin1?: string };
      const decoded = sent?.$latin1 === undefined ? body : JSON.parse(sent.$latin1);
      steps.push({ id, family, live, want, body: decoded as KubeObject });
    }
  }
  return steps;
}

const steps = lifeSteps();
/** What the server sets after the merge, or changes with every write. */
const VOLATILE = { managedFields: 0, resourceVersion: 0, generation: 0 };

function bare(object: KubeObject): unknown {
  const metadata = Object.fromEntries(
    Object.entries(object.metadata).filter(([name]) => !Object.hasOwn(VOLATILE, name)),
  );
  const { group, version } = parseApiVersion(object.apiVersion) ?? { group: "", version: "" };
  const schema = schemaForKind({ group, version, kind: object.kind });
  assert.ok(schema);
  return heldForm(schema, { ...object, metadata });
}

for (const { id, family, live, want, body } of steps) {
  const times = (want.metadata.managedFields ?? []).map(({ time }) => time ?? "").sort();
  const at = () => new Date(times.at(-1) ?? "");
  const what = `${id} ${family} ${want.kind}`;
  if (family === "life-apply") {
    test(what, () => {
      const manager = managerFor(want, "", at);
      const { object, changed } = manager.apply(live, body, "applier", false);
      assert.equal(changed, true);
      assert.deepEqual(entriesOf(object as KubeObject), entriesOf(want));
      assert.deepEqual(bare(object as KubeObject), bare(want));
    });
  } else if (/label|put|finalizer|status|release/.test(family)) {
    test(what, () => {
      const subresource = family === "life-status" ? "status" : "";
      const { managedFields: _dropped, ...metadata } = want.metadata;
      const manager = managerFor(want, subresource, at);
      const updated = manager.update(live, { ...want, metadata }, "golden");
      assertSameOwners(updated as KubeObject, want, what);
    });
  }
}
