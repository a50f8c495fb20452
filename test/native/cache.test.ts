/** The cache's promises to readers; numbers in names are rules of docs/SHARED-MEMORY.md. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ListOptions, ResourceId } from "../../src/native/binding.ts";
import { EncodingCode, NativeError, native } from "../../src/native/binding.ts";
import { brief, customConfig, getText, podConfig, readEvents, storedPod } from "./helpers.ts";

const buffer = Buffer.alloc(1 << 20);

function filled(keys: readonly string[], config = podConfig()): ResourceId {
  const id = native.openResource(config);
  native.beginFill(id);
  for (const [i, key] of keys.entries()) {
    const labels = { app: i % 2 === 0 ? "even" : "odd", n: String(i) };
    assert.equal(native.fillPut(id, key, 10 + i, storedPod(key, { labels, node: `node-${i}` })), 0);
  }
  assert.equal(native.commitFill(id, 100), 0);
  return id;
}

function listDocument(
  id: ResourceId,
  options: ListOptions,
  encoding: EncodingCode = 0,
  token = "",
) {
  const info = native.listOpen(id, options);
  if (typeof info === "number") throw new Error(`listOpen: ${info}`);
  const length = native.listDocument(info.id, encoding, "PodList", "v1", token);
  const parts: Buffer[] = [];
  const target = Buffer.alloc(97);
  for (;;) {
    const n = native.listRead(info.id, target);
    if (n === 0) break;
    parts.push(Buffer.from(target.subarray(0, n)));
  }
  native.listClose(info.id);
  const bytes = Buffer.concat(parts);
  assert.equal(bytes.length, length, "the length is known beforehand");
  return { info, text: bytes.toString("utf8"), bytes };
}
function listedNames(id: ResourceId, options: ListOptions): string[] {
  const { text, info } = listDocument(id, options);
  const list = JSON.parse(text) as { items: { metadata: { name: string } }[] };
  assert.equal(list.items.length, info.count);
  return list.items.map((item) => item.metadata.name);
}

test("get: Go's JSON with resourceVersion behind uid", () => {
  const id = filled(["default/a"]);
  assert.equal(
    getText(id, "default/a"),
    '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"default","uid":"uid-a",' +
      '"resourceVersion":"10","creationTimestamp":"2026-01-01T00:00:00Z","labels":{"app":"even",' +
      '"n":"0"}},"spec":{"containers":[{"name":"c","image":"i\\u003c1\\u003e","resources":{}}],' +
      '"nodeName":"node-0"},"status":{"phase":"Running"}}',
  );
  assert.equal(native.lastRevision(), 10);
  assert.equal(getText(id, "default/b"), 0);
  assert.equal(native.get(id, "default/a", EncodingCode.json, Buffer.alloc(5)), -316 - 100);
});

test("get: metadata and protobuf forms", () => {
  const id = filled(["default/a"]);
  const partial = JSON.parse(String(getText(id, "default/a", EncodingCode["metadata-json"])));
  assert.equal(partial.kind, "PartialObjectMetadata");
  assert.equal(partial.apiVersion, "meta.k8s.io/v1");
  assert.equal(partial.metadata.resourceVersion, "10");
  const n = native.get(id, "default/a", EncodingCode.protobuf, buffer);
  const pb = Buffer.from(buffer.subarray(0, n));
  const goName = "k8s.io/api/core/v1.Pod";
  const m = native.protoToJson(goName, "Pod", "v1", "", pb, buffer);
  assert.equal(buffer.toString("utf8", 0, m), getText(id, "default/a"));
});

test("list: the document as kube-apiserver writes it", () => {
  const id = filled(["default/a", "default/b", "other/a"]);
  const { text, info } = listDocument(id, { limit: 2 }, 0, "tok");
  assert.match(
    text,
    /^\{"kind":"PodList","apiVersion":"v1","metadata":\{"resourceVersion":"100","continue":"tok","remainingItemCount":1\},"items":\[\{"metadata":\{"name":"a",.*\]\}\n$/,
  );
  assert.equal(info.nextKey, "default/b\0");
  assert.equal(info.remaining, 1);
  const rest = listDocument(id, { limit: 2, startKey: "default/b\0", revision: 100 });
  assert.equal(rest.info.count, 1);
  assert.equal(rest.info.nextKey, undefined);
  const empty = listDocument(id, { namespace: "none" });
  assert.equal(
    empty.text,
    '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"100"},"items":[]}\n',
  );
  const partial = JSON.parse(listDocument(id, {}, EncodingCode["metadata-json"]).text);
  assert.equal(partial.kind, "PartialObjectMetadataList");
  assert.equal(partial.items.length, 3);
  for (const encoding of [EncodingCode.protobuf, EncodingCode["metadata-protobuf"]]) {
    const { bytes } = listDocument(id, {}, encoding);
    const goName =
      encoding === EncodingCode.protobuf
        ? "k8s.io/api/core/v1.PodList"
        : "k8s.io/apimachinery/pkg/apis/meta/v1.PartialObjectMetadataList";
    const n = native.protoToJson(goName, "L", "v1", "", bytes, buffer);
    const list = JSON.parse(buffer.toString("utf8", 0, n));
    assert.equal(list.items.length, 3);
    assert.equal(list.metadata.resourceVersion, "100");
  }
});

test("list: protobuf forms are made in steps when asked", () => {
  const id = filled(["d/a", "d/b", "d/c"]);
  const info = native.listOpen(id, {});
  if (typeof info === "number") throw new Error(String(info));
  assert.equal(native.listPrepare(info.id, EncodingCode.json, 1), 0);
  // By bytes, however few and large the objects are: here one at a time, and then the rest.
  assert.equal(native.listPrepare(info.id, EncodingCode.protobuf, 1), 2);
  assert.equal(native.listPrepare(info.id, EncodingCode.protobuf, 1), 1);
  assert.equal(native.listPrepare(info.id, EncodingCode.protobuf, 1_000_000), 0);
  assert.ok(native.listDocument(info.id, EncodingCode.protobuf, "PodList", "v1", "") > 0);
  native.listClose(info.id);
});

test("list: selectors by index and by scan", () => {
  const keys = Array.from({ length: 200 }, (_, i) => `ns${i % 3}/p${String(i).padStart(3, "0")}`);
  const id = filled(keys);
  const label = (key: string, operator: "In" | "NotIn" | "Exists" | "Gt", ...values: string[]) => [
    { key, operator, values },
  ];
  assert.equal(listedNames(id, {}).length, 200);
  assert.equal(listedNames(id, { namespace: "ns1" }).length, 67);
  assert.deepEqual(listedNames(id, { labels: label("n", "In", "5", "7", "zz") }), ["p007", "p005"]);
  assert.equal(
    listedNames(id, { labels: label("app", "In", "even"), namespace: "ns0" }).length,
    34,
  );
  assert.equal(listedNames(id, { labels: label("app", "NotIn", "even") }).length, 100);
  assert.equal(listedNames(id, { labels: label("n", "Gt", "189") }).length, 10);
  assert.equal(listedNames(id, { labels: label("none", "Exists") }).length, 0);
  const node = { field: "spec.nodeName", operator: "=" as const, value: "node-9" };
  assert.deepEqual(listedNames(id, { fields: [node] }), ["p009"]);
  assert.equal(listedNames(id, { fields: [{ ...node, operator: "!=" }] }).length, 199);
  const name = { field: "metadata.name", operator: "=" as const, value: "p010" };
  assert.deepEqual(listedNames(id, { fields: [name] }), ["p010"]);
  assert.deepEqual(listedNames(id, { name: "p010", namespace: "ns1" }), ["p010"]);
  assert.deepEqual(listedNames(id, { name: "p010", namespace: "ns2" }), []);
  const seen: string[] = [];
  let startKey: string | undefined;
  do {
    const page = listDocument(id, {
      labels: label("app", "In", "odd"),
      limit: 7,
      ...(startKey === undefined ? {} : { startKey, revision: 100 }),
    });
    const list = JSON.parse(page.text) as { items: { metadata: { name: string } }[] };
    seen.push(...list.items.map((item) => item.metadata.name));
    startKey = page.info.nextKey;
  } while (startKey !== undefined);
  assert.equal(new Set(seen).size, 100);
});

test("R3: a list at an older revision is the state of that revision", () => {
  const id = filled(["d/a", "d/b"]);
  native.applyPut(id, "d/c", 101, storedPod("d/c"), false);
  native.applyDelete(id, "d/a", 102, false);
  native.applyPut(id, "d/b", 103, storedPod("d/b", { note: "x" }), false);
  assert.deepEqual(listedNames(id, {}), ["b", "c"]);
  assert.deepEqual(listedNames(id, { revision: 102 }), ["b", "c"]);
  assert.deepEqual(listedNames(id, { revision: 101 }), ["a", "b", "c"]);
  assert.deepEqual(listedNames(id, { revision: 100 }), ["a", "b"]);
  assert.deepEqual(listedNames(id, { revision: 101 }), ["a", "b", "c"]);
  assert.equal(native.listOpen(id, { revision: 99 }), NativeError.expired);
  assert.equal(native.listOpen(id, { revision: 104 }), NativeError.tooNew);
});

test("watch: selectors turn changes into ADDED and DELETED", () => {
  const id = filled(["d/a"]);
  const watch = native.watchOpen(id, {
    from: "now",
    encoding: 0,
    bookmarks: true,
    labels: [{ key: "app", operator: "In", values: ["x"] }],
  });
  const put = (revision: number, app: string) =>
    native.applyPut(id, "d/a", revision, storedPod("d/a", { labels: { app } }), false);
  put(101, "x");
  put(102, "x");
  put(103, "y");
  put(104, "y");
  put(105, "x");
  native.applyDelete(id, "d/a", 106, false);
  const events = readEvents(watch as never);
  assert.deepEqual(brief(events), [
    "ADDED d/a 101",
    "MODIFIED d/a 102",
    "DELETED d/a 103",
    "ADDED d/a 105",
    "DELETED d/a 106",
  ]);
  assert.equal(native.watchRevision(watch as never), 106);
  native.applyProgress(id, 200);
  native.watchBookmark(watch as never);
  assert.equal(native.watchRead(watch as never, buffer) > 0, true);
  assert.match(
    buffer.toString("utf8", 0, 200),
    /^\{"type":"BOOKMARK","object":\{"kind":"Pod","apiVersion":"v1","metadata":\{"resourceVersion":"200"\},"spec":\{"containers":null\},"status":\{\}\}\}\n/,
  );
  native.watchClose(watch as never);
});

test("watch: initial events, their end, then changes; protobuf frames", () => {
  const id = filled(["d/a", "d/b", "e/a"]);
  const open = (encoding: EncodingCode) =>
    native.watchOpen(id, { from: "initial", encoding, bookmarks: true, namespace: "d" }) as never;
  const watch = open(0);
  const proto = open(1);
  native.applyPut(id, "d/c", 101, storedPod("d/c"), false);
  native.applyPut(id, "e/c", 102, storedPod("e/c"), false);
  const events = readEvents(watch);
  const want = ["ADDED d/a 10", "ADDED d/b 11", "BOOKMARK Pod 100", "ADDED d/c 101"];
  assert.deepEqual(brief(events), want);
  if (typeof events === "number") throw new Error("ended");
  const notes = events[2]?.object.metadata.annotations;
  assert.deepEqual(notes, { "k8s.io/initial-events-end": "true" });
  const n = native.watchRead(proto, buffer);
  const frames: string[] = [];
  for (let at = 0; at < n; ) {
    const size = buffer.readUInt32BE(at);
    const frame = Buffer.from(buffer.subarray(at + 4, at + 4 + size));
    at += 4 + size;
    const type = frame.toString("latin1", 2, 2 + (frame[1] ?? 0));
    const object = frame.subarray(frame.indexOf("k8s\0", 0, "latin1"));
    const out = Buffer.alloc(4096);
    const m = native.protoToJson("k8s.io/api/core/v1.Pod", "Pod", "v1", "", object, out);
    const pod = JSON.parse(out.toString("utf8", 0, m));
    frames.push(`${type} ${pod.metadata.resourceVersion}`);
  }
  assert.deepEqual(frames, ["ADDED 10", "ADDED 11", "BOOKMARK 100", "ADDED 101"]);
});

test("watch: continues after a revision; lapped and dropped watches end", () => {
  const id = filled(["d/a"], podConfig({ maxEvents: 4 }));
  for (let r = 101; r <= 104; r++) native.applyPut(id, "d/a", r, storedPod("d/a"), false);
  const after = (revision: number) =>
    native.watchOpen(id, { from: "after", revision, encoding: 0, bookmarks: false }) as never;
  const watch = after(102);
  const old = after(100);
  assert.deepEqual(brief(readEvents(watch)), ["MODIFIED d/a 103", "MODIFIED d/a 104"]);
  for (let r = 105; r <= 110; r++) native.applyPut(id, "d/a", r, storedPod("d/a"), false);
  assert.equal(readEvents(old), NativeError.expired);
  assert.equal(native.watchError(old), "too old resource version: 100 (106)");
  assert.equal(native.stats(id)?.ringEvents, 4);
  const current = native.watchOpen(id, { from: "now", encoding: 0, bookmarks: false }) as never;
  native.dropResource(id);
  assert.equal(readEvents(current), NativeError.notFound);
});

test("R4: a re-list becomes events, and events of one revision appear together", () => {
  const id = filled(["d/a", "d/b", "d/c"]);
  const watch = native.watchOpen(id, { from: "now", encoding: 0, bookmarks: false }) as never;
  native.beginFill(id);
  native.fillPut(id, "d/a", 10, storedPod("d/a"));
  native.fillPut(id, "d/c", 150, storedPod("d/c"));
  native.fillPut(id, "d/d", 140, storedPod("d/d"));
  assert.equal(native.commitFill(id, 160), 3);
  const want = ["ADDED d/d 140", "MODIFIED d/c 150", "DELETED d/b 160"];
  assert.deepEqual(brief(readEvents(watch)), want);
  native.applyPut(id, "d/x", 170, storedPod("d/x"), true);
  assert.deepEqual(readEvents(watch), []);
  assert.equal(native.revision(id), 160);
  native.applyDelete(id, "d/a", 170, false);
  assert.deepEqual(brief(readEvents(watch)), ["ADDED d/x 170", "DELETED d/a 170"]);
});

test("custom resources: stored form, members by alphabet", () => {
  const id = native.openResource(customConfig());
  native.beginFill(id);
  const stored =
    '{"apiVersion":"example.com/v1","kind":"Widget","metadata":{"name":"w","namespace":"d",' +
    '"uid":"u"},"spec":{"big":12345678901234567890123}}\n';
  native.fillPut(id, "d/w", 7, Buffer.from(stored));
  native.commitFill(id, 9);
  const got = stored.trim().replace('"uid"', '"resourceVersion":"7","uid"');
  assert.equal(getText(id, "d/w"), got);
  const { text } = listDocument(id, {});
  assert.equal(
    text,
    `{"apiVersion":"v1","items":[${got}],"kind":"PodList","metadata":{"continue":"","resourceVersion":"9"}}\n`,
  );
  assert.equal(getText(id, "d/w", EncodingCode.protobuf), NativeError.noProtobuf);
  const partial = String(getText(id, "d/w", EncodingCode["metadata-json"]));
  assert.match(
    partial,
    /"metadata":\{"name":"w","namespace":"d","uid":"u","resourceVersion":"7"\}\}$/,
  );
});

test("bad stored values are refused and remove the key", () => {
  const id = filled(["d/a"]);
  const bad = storedPod("d/a").subarray(0, 60);
  assert.equal(native.applyPut(id, "d/a", 101, bad, false), NativeError.badValue);
  assert.equal(getText(id, "d/a"), 0);
});

test("M1: records free their bytes", () => {
  const id = filled(["d/a"], podConfig({ maxEvents: 1 }));
  const before = native.stats(id);
  for (let r = 101; r < 600; r++) native.applyPut(id, "d/a", r, storedPod("d/a"), false);
  const after = native.stats(id);
  assert.ok(before !== undefined && after !== undefined);
  assert.ok(after.recordBytes <= 3 * before.recordBytes, `${after.recordBytes}`);
});
