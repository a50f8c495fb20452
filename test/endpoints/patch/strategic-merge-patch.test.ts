// The directives one by one, the answers to patches without meaning, and a slow model of the
// two-way merge that kubectl makes. What upstream answers to random patches is in recorded.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { schemaForKind } from "../../../src/apis/schemas.ts";
import { applyStrategicMergePatch } from "../../../src/endpoints/patch/strategic-merge-patch/index.ts";

type Json = unknown;
type JsonMap = Record<string, Json>;

function schemaOf(group: string, kind: string) {
  const schema = schemaForKind({ group, version: "v1", kind });
  assert.ok(schema);
  return schema;
}
const pod = schemaOf("", "Pod");
const deployment = schemaOf("apps", "Deployment");

const apply = (doc: JsonMap, patch: Json, schema = pod) =>
  applyStrategicMergePatch(doc as never, JSON.stringify(patch), schema, "Warn").document;

const containers = (...list: JsonMap[]) => ({ spec: { containers: list } });
const live = containers({ name: "a", image: "1", args: ["x"] }, { name: "b", image: "2" });

const cases: readonly (readonly [what: string, doc: JsonMap, patch: Json, want: JsonMap])[] = [
  [
    "null removes",
    { metadata: { labels: { a: "1", b: "2" } } },
    { metadata: { labels: { a: null } } },
    { metadata: { labels: { b: "2" } } },
  ],
  [
    "nulls of new maps go",
    {},
    { metadata: { labels: { a: null, b: "1" } } },
    { metadata: { labels: { b: "1" } } },
  ],
  [
    "items merge by key",
    live,
    containers({ name: "b", image: "9" }),
    containers({ name: "a", image: "1", args: ["x"] }, { name: "b", image: "9" }),
  ],
  [
    "new items come first",
    live,
    containers({ name: "c" }),
    containers({ name: "c" }, { name: "a", image: "1", args: ["x"] }, { name: "b", image: "2" }),
  ],
  [
    "atomic lists are replaced",
    live,
    containers({ name: "a", args: ["y", "z"] }),
    containers({ name: "a", image: "1", args: ["y", "z"] }, { name: "b", image: "2" }),
  ],
  [
    "$patch: delete takes an item",
    live,
    containers({ name: "a", $patch: "delete" }),
    containers({ name: "b", image: "2" }),
  ],
  [
    "$patch: replace takes the list's place",
    live,
    { spec: { containers: [{ name: "z" }, { $patch: "replace" }] } },
    containers({ name: "z" }),
  ],
  [
    "$patch: replace takes a map's place",
    { metadata: { labels: { a: "1" } } },
    { metadata: { labels: { $patch: "replace", b: "2" } } },
    { metadata: { labels: { b: "2" } } },
  ],
  [
    "$patch: delete empties a map",
    { metadata: { labels: { a: "1" }, name: "x" } },
    { metadata: { labels: { $patch: "delete" } } },
    { metadata: { labels: {}, name: "x" } },
  ],
  [
    "a directive on nothing leaves nothing",
    {},
    { metadata: { $patch: "delete" }, spec: { nodeName: "n" } },
    { spec: { nodeName: "n" } },
  ],
  [
    "$setElementOrder orders",
    live,
    { spec: { "$setElementOrder/containers": [{ name: "b" }, { name: "a" }] } },
    containers({ name: "b", image: "2" }, { name: "a", image: "1", args: ["x"] }),
  ],
  [
    "$setElementOrder keeps what only the server has in its place",
    containers({ name: "injected" }, { name: "a" }, { name: "b" }),
    {
      spec: {
        "$setElementOrder/containers": [{ name: "b" }, { name: "c" }, { name: "a" }],
        containers: [{ name: "c" }],
      },
    },
    containers({ name: "injected" }, { name: "b" }, { name: "c" }, { name: "a" }),
  ],
  [
    "primitive lists merge",
    { metadata: { finalizers: ["a", "b"] } },
    { metadata: { finalizers: ["c", "b"] } },
    { metadata: { finalizers: ["c", "a", "b"] } },
  ],
  [
    "$deleteFromPrimitiveList",
    { metadata: { finalizers: ["a", "b", "c"] } },
    { metadata: { "$deleteFromPrimitiveList/finalizers": ["b", "x"] } },
    { metadata: { finalizers: ["a", "c"] } },
  ],
  [
    "$retainKeys keeps one member of a union",
    { spec: { volumes: [{ name: "v", emptyDir: {} }] } },
    {
      spec: {
        volumes: [{ name: "v", $retainKeys: ["name", "secret"], secret: { secretName: "s" } }],
      },
    },
    { spec: { volumes: [{ name: "v", secret: { secretName: "s" } }] } },
  ],
  [
    "a value of another kind takes the place",
    { spec: { nodeName: "n" } },
    { spec: { nodeName: { a: null, b: 1 } } },
    { spec: { nodeName: { b: 1 } } },
  ],
  ["an empty patch changes nothing", live, {}, live],
  [
    "names are only names",
    { metadata: { labels: { toString: "1" } } },
    { metadata: { labels: { constructor: "2" } } },
    { metadata: { labels: { toString: "1", constructor: "2" } } },
  ],
];

for (const [what, doc, patch, want] of cases) {
  test(what, () => {
    const before = JSON.stringify(doc);
    assert.deepEqual(apply(doc, patch), want);
    assert.equal(JSON.stringify(doc), before, "the object was written to");
  });
}

test("strategy: $retainKeys of a struct", () => {
  const doc = { spec: { strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } } } };
  const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
  assert.deepEqual(apply(doc, patch, deployment), { spec: { strategy: { type: "Recreate" } } });
});

test("patches without meaning", () => {
  const GENERIC = "the server rejected our request due to an error in our request";
  const rows: readonly (readonly [doc: JsonMap, patch: Json, code: number, message: string])[] = [
    [{}, { $patch: "nope" }, 500, "unknown patch type: nope in map: map[$patch:nope]"],
    [{}, { $patch: 1 }, 500, "unknown patch type: %!s(int64=1) in map: map[$patch:1]"],
    [
      live,
      containers({ image: "x" }),
      500,
      "map: map[image:x] does not contain declared merge key: name",
    ],
    [
      live,
      containers({ name: "a", $patch: "merge" }),
      500,
      "merging lists cannot yet be specified in the patch",
    ],
    [
      live,
      { spec: { containers: ["a"] } },
      500,
      "list element types are not identical: [[map[args:[x] image:1 name:a] map[image:2 name:b]] [a]]",
    ],
    [
      live,
      { spec: { containers: [["a"]] } },
      500,
      "list element types are not identical: [[map[args:[x] image:1 name:a] map[image:2 name:b]] [[a]]]",
    ],
    [{ spec: { containers: [[1]] } }, { spec: { containers: [[1]] } }, 422, GENERIC],
    [live, { spec: { $retainKeys: "x" } }, 400, "invalid patch format of retainKeys"],
    [
      live,
      { spec: { $retainKeys: ["containers"], nodeName: "n" } },
      400,
      "invalid patch format of retainKeys",
    ],
    [
      live,
      { spec: { "$setElementOrder/containers": "x" } },
      500,
      "expected a []interface {}, but received a string",
    ],
    [live, { spec: { $setElementOrder: [] } }, 400, "invalid patch format of setElementOrder list"],
    [
      live,
      { spec: { $deleteFromPrimitiveList: ["a"] } },
      400,
      "invalid patch format of primitive list",
    ],
    [
      live,
      { spec: { "$setElementOrder/containers": [{ name: "b" }], containers: [{ name: "a" }] } },
      500,
      "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
    ],
    [
      { nope: { a: 1 } },
      { nope: { a: 2 } },
      500,
      'unable to find api field in struct Pod for the json field "nope"',
    ],
    [
      { metadata: { labels: { a: { b: 1 } } } },
      { metadata: { labels: { a: { b: 2 } } } },
      500,
      "merging an object in json but data type is not struct, instead is: map",
    ],
  ];
  for (const [doc, patch, code, message] of rows) {
    assert.throws(() => apply(doc, patch), { code, message }, JSON.stringify(patch));
  }
  const raw = (body: string) => applyStrategicMergePatch({}, body, pod, "Warn");
  assert.throws(() => raw("[]"), {
    code: 400,
    message: "json: cannot unmarshal array into Go value of type map[string]interface {}",
  });
  assert.throws(() => raw("{"), { code: 400, message: "unexpected end of JSON input" });
  assert.deepEqual(raw("null").document, {});
  assert.deepEqual(raw('{"kind":"a","kind":"b"}').strictErrors, ['duplicate field "kind"']);
});

/** kubectl's two-way merge of merge lists by name and of maps, the long way round. */
function diff(from: JsonMap, to: JsonMap): JsonMap {
  const patch: JsonMap = {};
  for (const name of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [a, b] = [from[name], to[name]];
    if (JSON.stringify(a) === JSON.stringify(b)) continue;
    if (b === undefined) patch[name] = null;
    else if (Array.isArray(a) && Array.isArray(b)) diffLists(patch, name, a, b);
    else if (isMap(a) && isMap(b)) patch[name] = diff(a, b);
    else patch[name] = b;
  }
  return patch;
}
const isMap = (value: Json): value is JsonMap =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function diffLists(patch: JsonMap, name: string, from: Json[], to: Json[]): void {
  if (name === "finalizers") {
    const added = to.filter((item) => !from.includes(item));
    const removed = from.filter((item) => !to.includes(item));
    if (added.length > 0) patch[name] = added;
    if (removed.length > 0) patch[`$deleteFromPrimitiveList/${name}`] = removed;
    if (to.length > 0) patch[`$setElementOrder/${name}`] = to;
    else if (added.length === 0 && removed.length === from.length) patch[name] = [];
    return;
  }
  if (!["containers", "env", "volumes"].includes(name)) {
    patch[name] = to;
    return;
  }
  const byName = new Map((from as JsonMap[]).map((item) => [item["name"], item]));
  const items: JsonMap[] = [];
  for (const item of to as JsonMap[]) {
    const old = byName.get(item["name"]);
    byName.delete(item["name"]);
    const changes = old === undefined ? item : diff(old, item);
    if (old === undefined || Object.keys(changes).length > 0) {
      items.push({ ...changes, name: item["name"] });
    }
  }
  for (const gone of byName.keys()) items.push({ name: gone, $patch: "delete" });
  if (items.length > 0) patch[name] = items;
  if (to.length > 0) {
    patch[`$setElementOrder/${name}`] = (to as JsonMap[]).map((item) => ({ name: item["name"] }));
  }
}

const text = fc.constantFrom("a", "b", "c", "d");
const byName = <T extends JsonMap>(item: fc.Arbitrary<T>, minLength = 0) =>
  fc.uniqueArray(item, { minLength, maxLength: 4, selector: (value) => value["name"] });
const env = fc.record({ name: text, value: text }, { requiredKeys: ["name"] });
const container = fc.record(
  { name: text, image: text, args: fc.array(text, { maxLength: 2 }), env: byName(env, 1) },
  { requiredKeys: ["name"] },
);
const podLike = fc
  .record(
    {
      metadata: fc.record(
        {
          labels: fc.dictionary(text, text, { maxKeys: 3 }),
          finalizers: fc.uniqueArray(text, { minLength: 1, maxLength: 4 }),
        },
        { requiredKeys: [] },
      ),
      spec: fc.record(
        { containers: byName(container, 1), nodeName: text },
        { requiredKeys: ["containers"] },
      ),
    },
    { requiredKeys: ["metadata", "spec"] },
  )
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonMap);

test("the patch from one object to another leads there", () => {
  fc.assert(
    fc.property(podLike, podLike, (from, to) => {
      assert.deepEqual(apply(from, diff(from, to)), to);
    }),
    { numRuns: 500 },
  );
});

test("a patch leaves alone what others did to the object meanwhile", () => {
  fc.assert(
    fc.property(podLike, podLike, (from, to) => {
      const spec = from["spec"] as { containers: JsonMap[] };
      const metadata = from["metadata"] as JsonMap;
      const injected = { name: "injected", image: "side" };
      const current = {
        ...from,
        metadata: { ...metadata, labels: { ...(metadata["labels"] as JsonMap), zz: "1" } },
        spec: { ...spec, nodeName: "elsewhere", containers: [...spec.containers, injected] },
      };
      const patched = apply(current, diff(from, to)) as unknown as {
        metadata: { labels?: JsonMap };
        spec: { containers: JsonMap[] };
      };
      const own = patched.spec.containers.filter(({ name }) => name !== "injected");
      assert.deepEqual(own, (to["spec"] as { containers: JsonMap[] }).containers);
      assert.deepEqual(
        patched.spec.containers.find(({ name }) => name === "injected"),
        injected,
      );
      const labels = (to["metadata"] as { labels?: JsonMap }).labels;
      // A patch that removes all labels removes the others' as well.
      if (labels !== undefined) assert.equal(patched.metadata.labels?.["zz"], "1");
    }),
    { numRuns: 500 },
  );
});
