// The rules of managed fields, one by one, on real kinds. Random sequences are in recorded.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../../src/apimachinery/api/errors.ts";
import { schemaForKind } from "../../../src/apis/schemas.ts";
import {
  checkAfterAdmission,
  createFieldManager,
  deduced,
  excludeFields,
  type FieldManagerOptions,
  ignoreManagedFieldsTimestamps,
  includeFields,
  managerOrUserAgent,
  ScaleHandler,
} from "../../../src/endpoints/fieldmanager/index.ts";
import { LAST_APPLIED } from "../../../src/endpoints/fieldmanager/last-applied.ts";
import type { JsonMap } from "../../../src/endpoints/fieldmanager/value.ts";

let clock = Date.parse("2026-01-01T00:00:00Z");
const now = () => new Date(clock);
const tick = () => {
  clock += 1000;
};

function managerOf(kind: string, more: Partial<FieldManagerOptions> = {}) {
  const gvk = { group: kind === "Deployment" ? "apps" : "", version: "v1", kind };
  const schema = schemaForKind(gvk);
  assert.ok(schema);
  return createFieldManager({ gvk, schema, subresource: "", now, ...more });
}

const configMaps = managerOf("ConfigMap");

function configMap(data: JsonMap, metadata: JsonMap = {}): JsonMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "ns", ...metadata },
    data,
  };
}

interface Entry {
  manager?: string;
  operation?: string;
  apiVersion?: string;
  time?: string;
  fieldsV1?: JsonMap;
  subresource?: string;
}
const metaOf = (object: JsonMap) => object["metadata"] as JsonMap;
const entriesOf = (object: JsonMap) => (metaOf(object)["managedFields"] ?? []) as Entry[];
const ownersOf = (object: JsonMap) =>
  entriesOf(object).map(({ manager, operation, fieldsV1 }) => [manager, operation, fieldsV1]);
const stored = (object: JsonMap): JsonMap => ({
  ...object,
  metadata: { ...metaOf(object), uid: "u" },
});
const created = (data: JsonMap, manager = "owner") =>
  stored(configMaps.update(undefined, configMap(data), manager));

test("a created object is owned, but for what nobody owns", () => {
  const object = configMaps.update(undefined, configMap({ a: "1" }, { labels: { x: "y" } }), "me");
  assert.deepEqual(entriesOf(object), [
    {
      manager: "me",
      operation: "Update",
      apiVersion: "v1",
      time: "2026-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:data": { ".": {}, "f:a": {} },
        "f:metadata": { "f:labels": { ".": {}, "f:x": {} } },
      },
    },
  ]);
  assert.deepEqual(Object.keys(entriesOf(object)[0] ?? {}), [
    "manager",
    "operation",
    "apiVersion",
    "time",
    "fieldsType",
    "fieldsV1",
  ]);
});

test("an update takes what it changes, and only then a new time", () => {
  const live = created({ a: "1", b: "2" });
  tick();
  const next = configMap({ a: "9", b: "2" }, { uid: "u" });
  const updated = configMaps.update(live, next, "other");
  assert.deepEqual(ownersOf(updated), [
    ["owner", "Update", { "f:data": { ".": {}, "f:b": {} } }],
    ["other", "Update", { "f:data": { "f:a": {} } }],
  ]);
  const [first, second] = entriesOf(updated);
  assert.ok((first?.time ?? "") < (second?.time ?? ""));
  tick();
  assert.deepEqual(entriesOf(configMaps.update(updated, next, "other")), entriesOf(updated));
});

test("neither the live nor the new object is written to", () => {
  const live = created({ a: "1" });
  const next = configMap({ a: "2" });
  const before = JSON.stringify([live, next]);
  configMaps.update(live, next, "other");
  configMaps.apply(live, configMap({ a: "3" }), "applier", true);
  assert.equal(JSON.stringify([live, next]), before);
});

test("conflicts name who owns what, and force takes it", () => {
  const live = created({ a: "1", b: "2" });
  const one = configMap({ a: "9" });
  assert.throws(
    () => configMaps.apply(live, one, "applier", false),
    (error) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.code, 409);
      assert.deepEqual(error.status, {
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: 'Apply failed with 1 conflict: conflict with "owner" using v1: .data.a',
        reason: "Conflict",
        details: {
          causes: [
            {
              reason: "FieldManagerConflict",
              message: 'conflict with "owner" using v1',
              field: ".data.a",
            },
          ],
        },
        code: 409,
      });
      return true;
    },
  );
  const applied = stored(
    configMaps.apply(live, configMap({ b: "2", c: "3" }), "first", false).object,
  );
  assert.throws(() => configMaps.apply(applied, configMap({ a: "9", c: "9" }), "second", false), {
    message:
      'Apply failed with 2 conflicts: conflicts with "first":\n- .data.c\n' +
      'conflicts with "owner" using v1:\n- .data.a',
  });
  const forced = configMaps.apply(live, one, "applier", true).object;
  assert.deepEqual(ownersOf(forced), [
    ["applier", "Apply", { "f:data": { "f:a": {} } }],
    ["owner", "Update", { "f:data": { ".": {}, "f:b": {} } }],
  ]);
  assert.deepEqual(forced["data"], { a: "9", b: "2" });
});

test("conflicts name subresources and print keys and values", () => {
  const pods = managerOf("Pod");
  const status = managerOf("Pod", { subresource: "status" });
  const pod = (spec: JsonMap, phase?: string): JsonMap => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns", finalizers: ["a/b"] },
    spec,
    ...(phase === undefined ? {} : { status: { phase } }),
  });
  const container = (image: string) => ({ name: "c", image, ports: [{ containerPort: 80 }] });
  let live = stored(pods.update(undefined, pod({ containers: [container("x")] }), "m"));
  live = status.update(live, { ...live, status: { phase: "Running" } }, "kubelet");
  const config = pod(
    { containers: [{ ...container("y"), ports: [{ containerPort: 80, hostIP: "h" }] }] },
    "Failed",
  );
  assert.throws(() => pods.apply(live, config, "applier", false), {
    message:
      'Apply failed with 2 conflicts: conflicts with "kubelet" with subresource "status" using v1:\n' +
      '- .status.phase\nconflicts with "m" using v1:\n- .spec.containers[name="c"].image',
  });
});

test("what is applied no more and owned by nobody else goes", () => {
  let live = stored(
    configMaps.apply(undefined, configMap({ a: "1", b: "2" }), "one", false).object,
  );
  live = configMaps.apply(live, configMap({ b: "2" }), "two", false).object;
  live = configMaps.apply(live, configMap({}), "one", false).object;
  assert.deepEqual(live["data"], { b: "2" });
  live = configMaps.apply(live, configMap({}), "two", false).object;
  assert.deepEqual(live["data"] ?? {}, {});
});

test("applying the same again changes nothing, not even times", () => {
  const first = stored(configMaps.apply(undefined, configMap({ a: "1" }), "one", false).object);
  tick();
  const { object, changed } = configMaps.apply(first, configMap({ a: "1" }), "one", false);
  assert.equal(changed, false);
  assert.deepEqual(object, first);
  assert.notEqual(object["data"], first["data"], "the result is the caller's to write to");
});

test("an object from before managed fields belongs to before-first-apply", () => {
  const old = stored(configMap({ a: "1" }));
  assert.deepEqual(entriesOf(configMaps.update(old, configMap({ a: "2" }, { uid: "u" }), "m")), []);
  const { object } = configMaps.apply(old, configMap({ b: "2" }), "applier", false);
  assert.deepEqual(ownersOf(object), [
    ["applier", "Apply", { "f:data": { "f:b": {} } }],
    ["before-first-apply", "Update", { "f:data": { ".": {}, "f:a": {} } }],
  ]);
});

test("clients may set, reset, or not know managed fields", () => {
  const live = created({ a: "1" });
  const withEntries = (managedFields: unknown) =>
    ownersOf(configMaps.update(live, configMap({ a: "1" }, { uid: "u", managedFields }), "m"));
  const kept = ownersOf(live);
  assert.deepEqual(withEntries(undefined), kept);
  assert.deepEqual(withEntries([{}]), []);
  assert.deepEqual(withEntries([]), []);
  const entry = { manager: "x", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1" };
  const fieldsV1 = { "f:data": { "f:a": {}, ".": {} } };
  assert.deepEqual(withEntries([{ ...entry, fieldsV1 }]), [
    ["x", "Update", { "f:data": { ".": {}, "f:a": {} } }],
  ]);
  // Malformed entries are as good as none.
  assert.deepEqual(withEntries([{ ...entry, fieldsV1: { data: {} } }]), kept);
  assert.deepEqual(withEntries([{ ...entry, operation: "Other" }]), kept);
  assert.deepEqual(withEntries([{ ...entry, fieldsType: "FieldsV9" }]), kept);
  assert.deepEqual(withEntries([{ ...entry, apiVersion: "" }]), kept);
  // Entries of versions nobody knows are dropped on the next write.
  assert.deepEqual(
    withEntries([
      { ...entry, apiVersion: "v9", fieldsV1 },
      { ...entry, fieldsV1 },
    ]),
    [["x", "Update", { "f:data": { ".": {}, "f:a": {} } }]],
  );
  // A subresource's writers cannot set them.
  const status = managerOf("ConfigMap", { subresource: "status" });
  const updated = status.update(live, configMap({ a: "1" }, { managedFields: [{}] }), "m");
  assert.deepEqual(ownersOf(updated), kept);
});

test("updaters beyond ten become ancient-changes", () => {
  let live = created({ k: "0" }, "m00");
  for (let i = 1; i < 13; i++) {
    tick();
    const data = { ...(live["data"] as JsonMap), [`k${i}`]: "1" };
    const manager = `m${String(i).padStart(2, "0")}`;
    live = stored(configMaps.update(live, { ...live, data }, manager));
  }
  const names = entriesOf(live).map(({ manager }) => manager);
  assert.deepEqual(names, [
    "ancient-changes",
    ...["04", "05", "06", "07", "08", "09", "10", "11", "12"].map((n) => `m${n}`),
  ]);
  assert.deepEqual(entriesOf(live)[0]?.fieldsV1, {
    "f:data": { ".": {}, "f:k": {}, "f:k1": {}, "f:k2": {}, "f:k3": {} },
  });
});

test("kubectl may take what its client-side apply last applied", () => {
  const annotations = (config: JsonMap) => ({ [LAST_APPLIED]: JSON.stringify(config) });
  const sent = configMap({ a: "1", b: "2" });
  const clientSide = configMap({ a: "1", b: "2" }, { annotations: annotations(sent) });
  const live = stored(configMaps.update(undefined, clientSide, "kubectl-client-side-apply"));
  const config = configMap({ a: "9", b: "2" });
  const { object } = configMaps.apply(live, config, "kubectl", false);
  assert.deepEqual(object["data"], { a: "9", b: "2" });
  const kept = (metaOf(object)["annotations"] as JsonMap)[LAST_APPLIED];
  assert.equal(
    kept,
    '{"apiVersion":"v1","data":{"a":"9","b":"2"},"kind":"ConfigMap","metadata":{"name":"c","namespace":"ns"}}\n',
  );
  // Another manager, or a field that somebody else changed since, still conflicts.
  assert.throws(() => configMaps.apply(live, config, "other", false), { code: 409 });
  const changed = stored(configMaps.update(live, { ...live, data: { a: "5", b: "2" } }, "editor"));
  assert.throws(() => configMaps.apply(changed, config, "kubectl", false), {
    message: 'Apply failed with 1 conflict: conflict with "editor" using v1: .data.a',
  });
  // The annotation goes when all annotations together would be too large.
  const large = configMap({ a: "x".repeat(300_000), b: "2" });
  const { object: dropped } = configMaps.apply(live, large, "kubectl", true);
  assert.equal((metaOf(dropped)["annotations"] as JsonMap)[LAST_APPLIED], undefined);
});

test("configurations that cannot be applied", () => {
  const live = created({ a: "1" });
  const rows: readonly (readonly [config: JsonMap, code: number, message: string])[] = [
    [{ kind: "ConfigMap" }, 400, "invalid object type: /, Kind=ConfigMap"],
    [{}, 400, "invalid object type: /, Kind="],
    [{ apiVersion: "v2", kind: "ConfigMap" }, 400, "invalid object type: /v2, Kind=ConfigMap"],
    [{ apiVersion: "a/b/c", kind: "X" }, 400, "invalid object type: /, Kind="],
    [configMap({}, { managedFields: [] }), 400, "metadata.managedFields must be nil"],
    [
      { ...configMap({}), bogus: 1 },
      500,
      "failed to create typed patch object (ns/c; /v1, Kind=ConfigMap): .bogus: field not declared in schema",
    ],
    [
      configMap({ a: 1 }),
      500,
      "failed to create typed patch object (ns/c; /v1, Kind=ConfigMap): .data.a: expected string, got &value.valueUnstructured{Value:1}",
    ],
    [
      { ...configMap({}), immutable: "x" },
      500,
      "failed to create typed patch object (ns/c; /v1, Kind=ConfigMap): .immutable: expected boolean, got &{x}",
    ],
    [
      { ...configMap({}), data: [1] },
      500,
      "failed to create typed patch object (ns/c; /v1, Kind=ConfigMap): .data: expected map, got &{[1]}",
    ],
    [
      configMap({}, { finalizers: ["a", "b", "a"] }),
      500,
      'failed to create typed patch object (ns/c; /v1, Kind=ConfigMap): .metadata.finalizers: duplicate entries for key [="a"]',
    ],
  ];
  for (const [config, code, message] of rows) {
    assert.throws(() => configMaps.apply(live, config, "applier", false), { code, message });
  }
});

test("lists: duplicate keys are refused when applied, and owned as a whole when updated", () => {
  const pods = managerOf("Pod");
  const pod = (env: JsonMap[]): JsonMap => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns" },
    spec: { containers: [{ name: "c", env }] },
  });
  const twice = pod([
    { name: "A", value: "1" },
    { name: "A", value: "2" },
  ]);
  assert.throws(() => pods.apply(undefined, twice, "applier", false), {
    message:
      "failed to create typed patch object (ns/p; /v1, Kind=Pod): " +
      '.spec.containers[name="c"].env: duplicate entries for key [name="A"]',
  });
  const live = pods.update(undefined, twice, "m");
  const { fieldsV1 = {} } = entriesOf(live)[0] ?? {};
  const containers = (fieldsV1["f:spec"] as JsonMap)["f:containers"] as JsonMap;
  const env = (containers['k:{"name":"c"}'] as JsonMap)["f:env"];
  assert.deepEqual(env, { ".": {}, 'k:{"name":"A"}': {} });
  // A name that Go always prints is "" where it is left out: validation refuses it, not the merge.
  const { object } = pods.apply(undefined, pod([{ value: "1" }]), "applier", false);
  assert.deepEqual((object["spec"] as JsonMap)["containers"], [
    { name: "c", env: [{ value: "1" }] },
  ]);
});

test("what the endpoint resets is not owned", () => {
  const resetFields = new Map([["apps/v1", excludeFields(["status"])]]);
  const deployments = managerOf("Deployment", { resetFields });
  const object: JsonMap = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "d" },
    spec: { replicas: 3 },
    status: { replicas: 3 },
  };
  assert.deepEqual(entriesOf(deployments.update(undefined, object, "m"))[0]?.fieldsV1, {
    "f:spec": { "f:replicas": {} },
  });
  const { object: applied } = deployments.apply(undefined, object, "m", false);
  assert.deepEqual(entriesOf(applied)[0]?.fieldsV1, { "f:spec": { "f:replicas": {} } });
  // pods/resize owns resources and nothing else.
  const resources = includeFields(["spec", "containers", "*", "resources"]);
  const pods = managerOf("Pod", {
    resetFields: new Map([["v1", resources]]),
    subresource: "resize",
  });
  const container = { name: "c", image: "x", resources: { limits: { cpu: "1" } } };
  const pod = { apiVersion: "v1", kind: "Pod", metadata: {}, spec: { containers: [container] } };
  assert.deepEqual(entriesOf(pods.update(undefined, pod, "m"))[0]?.fieldsV1, {
    "f:spec": {
      "f:containers": {
        'k:{"name":"c"}': {
          ".": {},
          "f:resources": { ".": {}, "f:limits": { ".": {}, "f:cpu": {} } },
        },
      },
    },
  });
});

test("entries of another version are judged in that version", () => {
  const gvk = { group: "autoscaling", version: "v2", kind: "HorizontalPodAutoscaler" };
  const schema = schemaForKind(gvk);
  const schemaV1 = schemaForKind({ ...gvk, version: "v1" });
  assert.ok(schema && schemaV1);
  const convert: NonNullable<FieldManagerOptions["convert"]> = (object, apiVersion) => {
    if (apiVersion !== "autoscaling/v1") return undefined;
    const { metrics: _dropped, ...spec } = object["spec"] as JsonMap;
    return { object: { ...object, apiVersion, spec }, schema: schemaV1 };
  };
  const hpas = createFieldManager({ gvk, schema, subresource: "", now, convert });
  const v1 = {
    manager: "old",
    operation: "Update",
    apiVersion: "autoscaling/v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:spec": { "f:maxReplicas": {}, "f:minReplicas": {} } },
  };
  const unknown = { ...v1, manager: "lost", apiVersion: "autoscaling/v2beta2" };
  const hpa = (maxReplicas: number): JsonMap => ({
    apiVersion: "autoscaling/v2",
    kind: gvk.kind,
    metadata: { name: "h", uid: "u", managedFields: [v1, unknown] },
    spec: { maxReplicas, minReplicas: 1, scaleTargetRef: { kind: "Deployment", name: "d" } },
  });
  const updated = hpas.update(hpa(3), hpa(5), "new");
  assert.deepEqual(ownersOf(updated), [
    ["old", "Update", { "f:spec": { "f:minReplicas": {} } }],
    ["new", "Update", { "f:spec": { "f:maxReplicas": {} } }],
  ]);
});

test("objects without a schema: maps are granular, lists are leaves", () => {
  const gvk = { group: "example.com", version: "v1", kind: "Thing" };
  const things = createFieldManager({ gvk, type: deduced, subresource: "", now });
  const thing = (spec: JsonMap): JsonMap => ({
    apiVersion: "example.com/v1",
    kind: "Thing",
    metadata: { name: "t" },
    spec,
  });
  const live = things.update(undefined, thing({ a: { b: 1, c: [1, 2] }, n: null }), "m");
  assert.deepEqual(entriesOf(live)[0]?.fieldsV1, {
    "f:spec": { ".": {}, "f:a": { ".": {}, "f:b": {}, "f:c": {} }, "f:n": {} },
  });
  const { object } = things.apply(live, thing({ a: { d: "x" } }), "applier", false);
  assert.deepEqual(object["spec"], { a: { b: 1, c: [1, 2], d: "x" }, n: null });
});

test("updateNoErrors drops the managed fields where update throws", () => {
  const pods = managerOf("Pod");
  const broken = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p" },
    spec: { containers: [{ name: "c" }], initContainers: [null] },
  };
  assert.throws(() => pods.update(undefined, broken, "m"), { code: 500 });
  assert.deepEqual(entriesOf(pods.updateNoErrors(undefined, broken, "m")), []);
});

test("a write that would only change times changes nothing", () => {
  const old = created({ a: "1" });
  const later = { ...entriesOf(old)[0], time: "2030-01-01T00:00:00Z" };
  const next = { ...old, metadata: { ...metaOf(old), managedFields: [later] } };
  assert.deepEqual(ignoreManagedFieldsTimestamps(next, old), old);
  const other = { ...next, data: { a: "2" } };
  assert.equal(ignoreManagedFieldsTimestamps(other, old), other);
  const unowned = { ...later, fieldsV1: {} };
  const fewer = { ...old, metadata: { ...metaOf(old), managedFields: [unowned] } };
  assert.equal(ignoreManagedFieldsTimestamps(fewer, old), fewer);
});

test("admission may not leave managed fields malformed", () => {
  const before = entriesOf(created({ a: "1" }));
  const broken = [{ ...before[0], fieldsV1: { data: {} } }];
  const { managedFields, warning } = checkAfterAdmission(before, broken);
  assert.equal(managedFields, before);
  assert.match(warning ?? "", /^\.metadata\.managedFields was in an invalid state after admission/);
  assert.deepEqual(checkAfterAdmission(before, [...before]), { managedFields: [...before] });
});

test("the manager of a request", () => {
  assert.equal(managerOrUserAgent("mine", "kubectl/v1"), "mine");
  assert.equal(managerOrUserAgent("", "kubectl/v1.36 (linux)"), "kubectl");
  assert.equal(managerOrUserAgent("", "a\u0007b\u200bc/1"), "abc");
  assert.equal(Buffer.byteLength(managerOrUserAgent("", "é".repeat(100))), 128);
  assert.equal(managerOrUserAgent("", ""), "");
  const unnamed = configMaps.update(undefined, configMap({ a: "1" }), "");
  assert.equal(entriesOf(unnamed)[0]?.manager, "unknown");
});

test("scale: replicas belong to whoever scaled last", () => {
  const mappings = new Map([["apps/v1", ["spec", "replicas"]]]);
  const entry = (manager: string, fieldsV1: JsonMap) => ({
    manager,
    operation: "Apply",
    apiVersion: "apps/v1",
    time: "2026-01-01T00:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1,
  });
  const parent = [
    entry("a", { "f:spec": { "f:replicas": {}, "f:selector": {} } }),
    entry("b", { "f:spec": { "f:selector": {} } }),
  ];
  const handler = new ScaleHandler(parent, "apps/v1", mappings);
  const scale = handler.toSubresource();
  assert.deepEqual(scale, [
    { ...entry("a", { "f:spec": { "f:replicas": {} } }), apiVersion: "autoscaling/v1" },
  ]);
  assert.deepEqual(handler.toParent(scale), parent);
  const taken = { ...entry("c", { "f:spec": { "f:replicas": {} } }), apiVersion: "autoscaling/v1" };
  const { time: _none, ...untimed } = entry("c", { "f:spec": { "f:replicas": {} } });
  assert.deepEqual(handler.toParent([taken]), [
    untimed,
    entry("a", { "f:spec": { "f:selector": {} } }),
    entry("b", { "f:spec": { "f:selector": {} } }),
  ]);
  assert.equal(new ScaleHandler(undefined, "apps/v1", mappings).toSubresource(), undefined);
});
