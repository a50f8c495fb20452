import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { FRAME_HEADER, frame } from "../../../src/storage/etcd3/grpc-status.ts";
import { WireReader, WireWriter } from "../../../src/storage/etcd3/wire.ts";
import { createStorageFactory } from "../../../src/storage/factory.ts";
import { KeySpace } from "../../../src/storage/keys.ts";
import { createModelBackend } from "../../../src/storage/model/memory-log.ts";
import { encryptionOf } from "../../../src/storage/value/encryption.ts";
import { parseEncryptionConfig } from "../../../src/storage/value/encryption-config.ts";
import { freshConfig, mostRecent, widget } from "../../conformance/objects.ts";

const folder = mkdtempSync(join(tmpdir(), "klystron-encryption-"));
after(() => rmSync(folder, { recursive: true }));

const secret = (size: number): string => randomBytes(size).toString("base64");
const keys = { a: secret(32), b: secret(16), box: secret(32) };
const config = (resources: string, ...providers: string[]): string =>
  [
    "kind: EncryptionConfiguration",
    "apiVersion: apiserver.config.k8s.io/v1",
    "resources:",
    `- resources: [${resources}]`,
    "  providers:",
    ...providers.map((provider) => `  - ${provider}`),
  ].join("\n");
const keyed = (kind: string, name: string, value: string): string =>
  `${kind}: {keys: [{name: ${name}, secret: ${value}}]}`;
let files = 0;
const write = (text: string): string => {
  const file = join(folder, `config-${files++}.yaml`);
  writeFileSync(file, text);
  return file;
};
const load = (text: string) => encryptionOf({ file: write(text), reload: false });
const value = Buffer.from("the value of a secret");

describe("providers", () => {
  for (const [kind, key] of [
    ["aescbc", keys.a],
    ["aescbc", keys.b],
    ["aesgcm", keys.a],
    ["aesgcm", keys.b],
    ["secretbox", keys.box],
  ] as const) {
    test(`${kind} with ${Buffer.from(key, "base64").length} bytes: prefix and both ways`, async () => {
      const { transformerFor } = await load(
        config("secrets", keyed(kind, "k1", key), "identity: {}"),
      );
      const transformer = transformerFor("secrets");
      const stored = await transformer.toStorage(value, "/registry/secrets/default/a");
      assert.ok(Buffer.from(stored).toString("latin1").startsWith(`k8s:enc:${kind}:v1:k1:`));
      assert.ok(!Buffer.from(stored).includes(value));
      const opened = await transformer.fromStorage(stored, "/registry/secrets/default/a");
      assert.deepEqual([Buffer.from(opened.value), opened.stale], [value, false]);
      const plain = await transformer.fromStorage(value, "/registry/secrets/default/a");
      assert.deepEqual([Buffer.from(plain.value), plain.stale], [value, true]);
    });
  }

  test("aesgcm binds the value to its key's path", async () => {
    const { transformerFor } = await load(config("secrets", keyed("aesgcm", "k1", keys.a)));
    const stored = await transformerFor("secrets").toStorage(value, "/registry/secrets/default/a");
    assert.throws(
      () => transformerFor("secrets").fromStorage(stored, "/registry/secrets/default/b"),
      /message authentication failed/,
    );
  });

  test("a rotated key reads as stale; a removed one does not read", async () => {
    const old = await load(config("secrets", keyed("aescbc", "old", keys.a)));
    const stored = await old.transformerFor("secrets").toStorage(value, "/a");
    const both = `aescbc: {keys: [{name: new, secret: ${keys.b}}, {name: old, secret: ${keys.a}}]}`;
    const rotated = await load(config("secrets", both));
    assert.equal((await rotated.transformerFor("secrets").fromStorage(stored, "/a")).stale, true);
    const twice = await load(
      config("secrets", keyed("aescbc", "new", keys.b), keyed("aescbc", "old", keys.a)),
    );
    assert.equal((await twice.transformerFor("secrets").fromStorage(stored, "/a")).stale, true);
    const gone = await load(config("secrets", keyed("aescbc", "new", keys.b)));
    assert.throws(
      () => gone.transformerFor("secrets").fromStorage(stored, "/a"),
      /no matching key was found for the provided AES transformer/,
    );
    const box = await load(config("secrets", keyed("secretbox", "s", keys.box)));
    assert.throws(
      () => box.transformerFor("secrets").fromStorage(stored, "/a"),
      /no matching prefix found/,
    );
    const identity = await load(config("secrets", "identity: {}", keyed("aescbc", "old", keys.a)));
    assert.equal((await identity.transformerFor("secrets").fromStorage(stored, "/a")).stale, true);
  });
});

test("the first entry that names a resource counts, wildcards included", async () => {
  const entries = ["secrets", "'*.apps'", "'*.'", "'*.*'"];
  const text = [
    "kind: EncryptionConfiguration",
    "apiVersion: apiserver.config.k8s.io/v1",
    "resources:",
    ...entries.flatMap((entry, i) => [
      `- resources: [${entry}]`,
      `  providers: [{aesgcm: {keys: [{name: k${i}, secret: ${keys.a}}]}}]`,
    ]),
  ].join("\n");
  const { transformerFor } = await load(text);
  const keyOf = async (resource: string): Promise<string | undefined> => {
    const stored = await transformerFor(resource).toStorage(value, "/a");
    return Buffer.from(stored).toString("latin1").split(":")[4];
  };
  const seen = [];
  for (const r of ["secrets", "deployments.apps", "pods", "widgets.example.com"]) {
    seen.push(await keyOf(r));
  }
  assert.deepEqual(seen, ["k0", "k1", "k2", "k3"]);
});

test("bad configurations are refused, without a word about the secret", () => {
  const cases: [string, RegExp][] = [
    ["kind: Pod", /not an EncryptionConfiguration/],
    [config("'*'", "identity: {}"), /use '\*\.' to encrypt all the resources from core/],
    [config("Secrets", "identity: {}"), /should not contain capital letters/],
    [config("secrets, '*.'", "identity: {}"), /overlapping resources/],
    [config("secrets", "{}"), /does not contain any of the expected providers/],
    [config("secrets", keyed("aescbc", "k", secret(20))), /got 20, expected one of \[16 24 32\]/],
    [config("secrets", keyed("aescbc", "k", "'???'")), /must be base64 encoded/],
    [config("secrets", "kms: {apiVersion: v2, name: a, endpoint: 'http://x'}"), /only unix/],
    [config("secrets", "kms: {apiVersion: v2, name: a, cachesize: 3}"), /not supported in v2/],
  ];
  for (const [text, message] of cases) {
    assert.throws(
      () => parseEncryptionConfig(text),
      (error) => {
        assert.match(String(error), message);
        assert.doesNotMatch(String(error), /\?\?\?/);
        return true;
      },
    );
  }
});

test("a changed file takes effect, a broken one does not", async () => {
  const file = write(config("secrets", keyed("aesgcm", "one", keys.a)));
  const encryption = await encryptionOf({ file, reload: true, intervalMs: 20 });
  const transformer = encryption.transformerFor("secrets");
  const keyName = async (): Promise<string | undefined> =>
    Buffer.from(await transformer.toStorage(value, "/a"))
      .toString("latin1")
      .split(":")[4];
  assert.equal(await keyName(), "one");
  writeFileSync(file, "nonsense: [");
  await new Promise((go) => setTimeout(go, 60));
  assert.equal(await keyName(), "one");
  writeFileSync(file, config("secrets", keyed("aesgcm", "two", keys.b)));
  for (let i = 0; i < 50 && (await keyName()) !== "two"; i++) {
    await new Promise((go) => setTimeout(go, 20));
  }
  assert.equal(await keyName(), "two");
  encryption.close();
});

test("an update that changes nothing rewrites what an old key wrote, and only that", async () => {
  const backend = createModelBackend();
  const resource = freshConfig();
  const name = resource.resource;
  const key = new KeySpace("/registry", resource).keyOf("default/a");
  const update = async (text: string): Promise<string> => {
    const encryption = (await load(text)).transformerFor;
    const factory = createStorageFactory(backend, { encryption });
    const storage = factory.for(resource);
    if ((await storage.get("default/a", mostRecent)) === undefined) {
      await storage.create("default/a", widget("default/a"));
    }
    await storage.guaranteedUpdate("default/a", {}, () => ({ json: widget("default/a") }));
    await factory.close();
    const { kvs } = await backend.range({ start: key, end: `${key}\0` });
    return `${
      Buffer.from(kvs[0]?.value ?? [])
        .toString("latin1")
        .split(":")[4]
    } ${kvs[0]?.version}`;
  };
  const one = `{name: one, secret: ${keys.a}}`;
  const two = `{name: two, secret: ${keys.b}}`;
  assert.equal(await update(config(name, `aescbc: {keys: [${one}]}`)), "one 1");
  assert.equal(await update(config(name, `aescbc: {keys: [${two}, ${one}]}`)), "two 2");
  assert.equal(await update(config(name, `aescbc: {keys: [${two}, ${one}]}`)), "two 2");
});

test("kms v2: a seed per key id, one Decrypt per foreign seed", async () => {
  const plugin = await startPlugin(join(folder, "kms.sock"));
  const text = config(
    "secrets",
    `kms: {apiVersion: v2, name: plug, endpoint: 'unix://${plugin.socket}', timeout: 2s}`,
  );
  const writer = await load(text);
  const stored = await writer.transformerFor("secrets").toStorage(value, "/a");
  const again = await writer.transformerFor("secrets").toStorage(value, "/b");
  assert.ok(Buffer.from(stored).toString("latin1").startsWith("k8s:enc:kms:v2:plug:"));
  const reader = await load(text);
  for (const [bytes, path] of [
    [stored, "/a"],
    [again, "/b"],
  ] as const) {
    const opened = await reader.transformerFor("secrets").fromStorage(bytes, path);
    assert.deepEqual([Buffer.from(opened.value), opened.stale], [value, false]);
  }
  assert.deepEqual(plugin.calls, { Status: 2, Encrypt: 2, Decrypt: 1 });
  plugin.keyId = "key-2";
  const rotated = await load(text);
  const opened = await rotated.transformerFor("secrets").fromStorage(stored, "/a");
  assert.equal(opened.stale, true);
  for (const encryption of [writer, reader, rotated]) encryption.close();
  await plugin.close();
});

test("a plugin that does not answer is waited for, but not by a new configuration", async () => {
  const socket = join(folder, "late.sock");
  const kms = `kms: {apiVersion: v2, name: late, endpoint: 'unix://${socket}', timeout: 1s}`;
  const early = await load(config("secrets", kms));
  assert.ok(early.hasPlugins);
  assert.match(String(early.problems()[0]?.error), /late\.sock/);
  assert.equal(early.problems()[0]?.name, "kms-provider-0");
  const sealed = Promise.resolve(early.transformerFor("secrets").toStorage(value, "/a"));
  await assert.rejects(sealed, /got unexpected nil transformer/);
  early.close();
  const file = write(config("secrets", "identity: {}"));
  const reloading = await encryptionOf({ file, reload: true, intervalMs: 20 });
  writeFileSync(file, config("secrets", kms));
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual(await reloading.transformerFor("secrets").toStorage(value, "/a"), value);
  assert.deepEqual([reloading.hasPlugins, reloading.problems()], [false, []]);
  reloading.close();
});

test("kms v1: behind its gate; a key of its own for every value", async () => {
  const plugin = await startPlugin(join(folder, "kms1.sock"));
  const text = config(
    "secrets",
    `kms: {name: plug, endpoint: 'unix://${plugin.socket}', cachesize: 1}`,
  );
  await assert.rejects(load(text), /Set --feature-gates=KMSv1=true/);
  const gated = () => encryptionOf({ file: write(text), reload: false, kmsV1: true });
  const writer = await gated();
  assert.deepEqual(writer.problems(), []);
  const stored = await writer.transformerFor("secrets").toStorage(value, "/a");
  const prefix = "k8s:enc:kms:v1:plug:";
  assert.ok(Buffer.from(stored).toString("latin1").startsWith(`${prefix}\0\x20`));
  const reader = (await gated()).transformerFor("secrets");
  for (let i = 0; i < 3; i++) {
    const opened = await reader.fromStorage(stored, "/a");
    assert.deepEqual([Buffer.from(opened.value), opened.stale], [value, false]);
  }
  assert.deepEqual(plugin.calls, { Encrypt: 3, Decrypt: 3 });
  await assert.rejects(Promise.resolve(reader.fromStorage(stored, "/b")), /authentication failed/);
  const cut = Buffer.concat([Buffer.from(prefix), Buffer.from([0, 9, 1])]);
  await assert.rejects(Promise.resolve(reader.fromStorage(cut, "/a")), /length longer than/);
  writer.close();
  await plugin.close();
});

/** A KMS plugin whose encryption is exclusive-or with 0x5a. */
async function startPlugin(socket: string) {
  const calls: Record<string, number> = {};
  const plugin = { socket, keyId: "key-1", calls, close: async () => {} };
  const flip = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((b) => b ^ 0x5a));
  const server = http2.createServer();
  server.on("stream", (stream, headers) => {
    const [, service = "", method = ""] = String(headers[":path"]).split("/");
    const input = service.startsWith("v1beta1.") ? 2 : 1;
    calls[method] = (calls[method] ?? 0) + 1;
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const reader = new WireReader(Buffer.concat(chunks).subarray(FRAME_HEADER));
      let first: Uint8Array = Buffer.alloc(0);
      for (let field = reader.field(); field !== 0; field = reader.field()) {
        if (field === input) first = reader.bytes();
        else reader.skip();
      }
      const out = new WireWriter(256, FRAME_HEADER);
      if (method === "Status") out.string(1, "v2").string(2, "ok").string(3, plugin.keyId);
      else if (method === "Encrypt") out.bytes(1, flip(first)).string(2, plugin.keyId);
      else out.bytes(1, flip(first));
      stream.respond(
        { ":status": 200, "content-type": "application/grpc" },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(frame(out.finish()));
    });
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => sessions.add(session));
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  plugin.close = async () => {
    for (const session of sessions) session.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return plugin;
}
