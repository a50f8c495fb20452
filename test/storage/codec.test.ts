import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { structOf } from "../../src/apis/schemas.ts";
import { setResourceVersion } from "../../src/storage/codec.ts";
import { asRevision, type StorageConfig } from "../../src/storage/interfaces.ts";
import { createRuntimeCodec } from "../../src/storage/runtime-codec.ts";

const go = { goName: "k8s.io/api/core/v1.Pod" };
const custom = { goName: "" };
const set = (text: string, revision: number | undefined, config = go): string =>
  Buffer.from(
    setResourceVersion(
      Buffer.from(text),
      revision === undefined ? undefined : asRevision(revision),
      config,
    ),
  ).toString();

test("resourceVersion goes where Go writes it", () => {
  const table: [string, string, string][] = [
    ["{}", '{"resourceVersion":"7"}', '{"resourceVersion":"7"}'],
    ['{"name":"a"}', '{"name":"a","resourceVersion":"7"}', '{"name":"a","resourceVersion":"7"}'],
    [
      '{"name":"a","uid":"u","generation":1}',
      '{"name":"a","uid":"u","resourceVersion":"7","generation":1}',
      '{"name":"a","resourceVersion":"7","uid":"u","generation":1}',
    ],
    [
      '{"generation":1}',
      '{"resourceVersion":"7","generation":1}',
      '{"generation":1,"resourceVersion":"7"}',
    ],
    [
      '{"labels":{"resourceVersion":"x","q":"\\"}"}}',
      '{"resourceVersion":"7","labels":{"resourceVersion":"x","q":"\\"}"}}',
      '{"labels":{"resourceVersion":"x","q":"\\"}"},"resourceVersion":"7"}',
    ],
  ];
  for (const [metadata, typed, sorted] of table) {
    const object = (m: string): string => `{"kind":"Pod","metadata":${m},"spec":{"a":[1,{}]}}`;
    assert.equal(set(object(metadata), 7), object(typed));
    assert.equal(set(object(metadata), 7, custom), object(sorted));
  }
});

test("setting and removing change nothing else, for any JSON", () => {
  const property = fc.property(
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.dictionary(fc.string(), fc.jsonValue()),
    fc.constantFrom(go, custom),
    (metadata, rest, config) => {
      delete metadata["resourceVersion"];
      const text = JSON.stringify({ ...rest, metadata });
      const with7 = set(text, 7, config);
      assert.deepEqual(JSON.parse(with7), {
        ...JSON.parse(text),
        metadata: { ...JSON.parse(JSON.stringify(metadata)), resourceVersion: "7" },
      });
      assert.equal(set(with7, undefined, config), text);
      assert.equal(set(with7, 12345, config), set(text, 12345, config));
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test("JSON without metadata, or cut off, is an error and no crash", () => {
  for (const text of [
    "",
    "{",
    "{}",
    '{"metadata":',
    '{"metadata":{',
    '{"metadata":{"name":"a',
    "[]",
  ]) {
    assert.throws(() => set(text, 7), SyntaxError, text);
  }
});

const pods: StorageConfig = {
  resource: "pods",
  prefix: "/pods/",
  namespaced: true,
  goName: "k8s.io/api/core/v1.Pod",
  apiVersion: "v1",
  kind: "Pod",
  mediaType: "protobuf",
  fieldPaths: [],
  watchCache: true,
};
const pod = Buffer.from(
  '{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a","namespace":"default","uid":"u",' +
    '"generation":1,"labels":{"app":"x"}},"spec":{"containers":[{"name":"c","image":"i",' +
    '"resources":{"limits":{"cpu":"100m"}}}],"restartPolicy":"Always"},"status":{"phase":"Running"}}',
);

test("built-in types are stored as protobuf in an envelope and come back as they were", () => {
  const codec = createRuntimeCodec(structOf);
  const stored = codec.toStored(setResourceVersion(pod, asRevision(9), pods), pods);
  assert.equal(Buffer.from(stored).toString("latin1", 0, 4), "k8s\0");
  assert.ok(!Buffer.from(stored).includes("resourceVersion"));
  const served = codec.toServed(stored, asRevision(12), pods);
  assert.equal(
    Buffer.from(served).toString(),
    Buffer.from(setResourceVersion(pod, asRevision(12), pods)).toString(),
  );
  const fromJson = codec.toServed(pod, asRevision(12), pods);
  assert.deepEqual(fromJson, served);
});

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const skip = !existsSync(join(root, "build", "Release", "klystron.node"));

test("the native codec gives the runtime codec's bytes", { skip }, async () => {
  const { nativeCodec } = await import("../../src/storage/native-codec.ts");
  const runtime = createRuntimeCodec(structOf);
  for (const config of [pods, { ...pods, mediaType: "json" as const }]) {
    const stored = nativeCodec.toStored(pod, config);
    assert.equal(
      Buffer.from(stored).toString("hex"),
      Buffer.from(runtime.toStored(pod, config)).toString("hex"),
    );
    assert.equal(
      Buffer.from(nativeCodec.toServed(stored, asRevision(5), config)).toString(),
      Buffer.from(runtime.toServed(stored, asRevision(5), config)).toString(),
    );
  }
  assert.throws(() => nativeCodec.toServed(Buffer.from("k8s\0junk"), asRevision(5), pods));
});
