import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { Etcd3 } from "etcd3";
import { isStorageError } from "../../../src/storage/errors.ts";
import { EtcdAdmin } from "../../../src/storage/etcd3/admin.ts";
import { createEtcdBackend, hasSoundProgress } from "../../../src/storage/etcd3/backend.ts";
import { createStorageFactory } from "../../../src/storage/factory.ts";
import { asRevision } from "../../../src/storage/interfaces.ts";
import { collect, write } from "../../conformance/backend.ts";
import { freshConfig } from "../../conformance/objects.ts";
import { findEtcd, TestEtcd } from "../../tools/etcd.ts";

const skip = findEtcd() === undefined;

test("progress is trusted from the versions on that upstream trusts", () => {
  const sound = ["3.4.31", "3.5.13", "3.5.30", "3.6.0", "3.6.0-rc.1", "4.0.0"];
  const unsound = ["3.3.10", "3.4.23", "3.4.30", "3.5.0", "3.5.12"];
  for (const version of sound) assert.ok(hasSoundProgress(version), version);
  for (const version of unsound) assert.ok(!hasSoundProgress(version), version);
});

test("no endpoint answers: Unreachable within the time given, and named", async () => {
  const backend = createEtcdBackend({ endpoints: ["http://127.0.0.1:21299"] });
  const start = Date.now();
  await assert.rejects(backend.health(400), (error) => {
    assert.ok(isStorageError(error, "Unreachable"));
    assert.match(String(error), /127\.0\.0\.1:21299/);
    return true;
  });
  assert.ok(Date.now() - start < 3000);
  await backend.close();
});

test("an endpoint that accepts and never answers does not hang a call", async () => {
  const silent = createServer(() => {}).listen(21298, "127.0.0.1");
  const backend = createEtcdBackend({ endpoints: ["http://127.0.0.1:21298"] });
  await assert.rejects(backend.health(300), (error) => isStorageError(error, "Unreachable"));
  await backend.close();
  silent.close();
});

describe("against etcd", { skip }, () => {
  test("a dead and a silent endpoint before a good one are passed over", async () => {
    const etcd = new TestEtcd({ port: 21230 });
    await etcd.start();
    const silent = createServer((socket) => socket.on("error", () => {})).listen(
      21297,
      "127.0.0.1",
    );
    const endpoints = ["http://127.0.0.1:21299", "http://127.0.0.1:21297", etcd.endpoint];
    const backend = createEtcdBackend({ endpoints });
    await write(backend, "/failover", "1");
    await backend.close();
    silent.close();
    await etcd.stop();
  });

  test("a write given up while etcd is away is not made when it is back", async () => {
    const etcd = new TestEtcd({ port: 21238 });
    await etcd.start();
    const backend = createEtcdBackend({ endpoints: [etcd.endpoint] });
    const storage = createStorageFactory(backend);
    const config = freshConfig();
    const widgets = storage.for(config);
    const json = Buffer.from('{"kind":"Widget","metadata":{"name":"w"}}');
    await widgets.create("d/kept", json);
    await etcd.kill();
    const stop = new AbortController();
    const { signal } = stop;
    const writes = [
      widgets.create("d/w", json, undefined, signal),
      widgets.guaranteedUpdate("d/kept", { signal }, () => "delete"),
      widgets.delete("d/kept", () => {}, signal),
    ];
    const refused = Promise.all(
      writes.map((one) => assert.rejects(one, (error) => isStorageError(error, "Timeout"))),
    );
    setTimeout(() => stop.abort(), 100);
    await refused;
    await assert.rejects(widgets.create("d/late", json, undefined, signal));
    await etcd.start();
    const { kvs } = await backend.range({ start: "/registry/", end: "/registry0" });
    assert.deepEqual(
      kvs.map(({ key }) => key),
      [`/registry${config.prefix}d/kept`],
    );
    await storage.close();
    await backend.close();
    await etcd.stop();
  });

  test("a catch-up watch goes on where it was after kill -9 of etcd", async () => {
    const etcd = new TestEtcd({ port: 21232 });
    await etcd.start();
    const backend = createEtcdBackend({ endpoints: [etcd.endpoint] });
    const count = 4000;
    const first = await write(backend, "/c/first", "x");
    const value = "x".repeat(2000);
    await Promise.all(Array.from({ length: count }, (_, i) => write(backend, `/c/${i}`, value)));
    let killed = false;
    const restarted: Promise<void>[] = [];
    const events = await collect(backend, "/c/", first + 1, (seen) => {
      if (!killed) {
        killed = true;
        restarted.push(etcd.kill().then(() => etcd.start()));
      }
      return seen.length >= count;
    });
    await Promise.all(restarted);
    const revisions = events.map((e) => e.revision);
    assert.deepEqual(
      revisions,
      Array.from({ length: count }, (_, i) => first + 1 + i),
    );
    await backend.close();
    await etcd.stop();
  });

  test("a big transaction comes in fragments and is one message", async () => {
    const etcd = new TestEtcd({ port: 21234, args: ["--max-request-bytes=8000000"] });
    await etcd.start();
    const oracle = new Etcd3({ hosts: etcd.endpoint });
    const backend = createEtcdBackend({ endpoints: [etcd.endpoint] });
    const start = await backend.currentRevision();
    const value = Buffer.alloc(300_000, 120);
    const puts = Array.from({ length: 20 }, (_, i) => oracle.put(`/f/${i}`).value(value));
    await oracle
      .if("/none", "Mod", "==", 0)
      .then(...puts)
      .commit();
    let messages = 0;
    const events = await collect(backend, "/f/", start + 1, (seen) => {
      messages++;
      return seen.length >= 20;
    });
    assert.equal(messages, 1);
    assert.equal(new Set(events.map((e) => e.revision)).size, 1);
    oracle.close();
    await backend.close();
    await etcd.stop();
  });

  test("with auth: a token is fetched, renewed when refused; a wrong password is Refused", async () => {
    const etcd = new TestEtcd({ port: 21236 });
    await etcd.start();
    const oracle = new Etcd3({ hosts: etcd.endpoint });
    await oracle
      .role("root")
      .create()
      .catch(() => {});
    const root = await oracle.user("root").create("secret");
    await root.addRole("root");
    await oracle.auth.authEnable();
    oracle.close();
    const user = { name: "root", password: "secret" };
    const backend = createEtcdBackend({ endpoints: [etcd.endpoint], user });
    const first = await write(backend, "/auth/a", "1");
    // Simple tokens live in the server's memory: a restart makes ours invalid.
    await etcd.kill();
    await etcd.start();
    const second = await write(backend, "/auth/a", "2", first);
    const events = await collect(backend, "/auth/", first, (seen) => seen.length >= 2);
    assert.equal(events[1]?.revision, second);
    const wrong = { name: "root", password: "no" };
    const other = createEtcdBackend({ endpoints: [etcd.endpoint], user: wrong });
    await assert.rejects(other.currentRevision(), (error) => {
      assert.ok(isStorageError(error, "Refused"));
      assert.match(String(error), /authentication failed/);
      return true;
    });
    await other.close();
    await backend.close();
    await etcd.stop();
  });

  test("mTLS: with the client certificate yes, without no; files are read per connection", async () => {
    const folder = mkdtempSync(join(tmpdir(), "klystron-tls-"));
    makeCertificates(folder);
    const at = (name: string): string => join(folder, name);
    const args = [
      `--cert-file=${at("server.pem")}`,
      `--key-file=${at("server.key")}`,
      `--trusted-ca-file=${at("ca.pem")}`,
      "--client-cert-auth",
    ];
    const etcd = new TestEtcd({ port: 21238, scheme: "https", args });
    await etcd.start();
    const endpoints = [etcd.endpoint];
    const files = { caFile: at("ca.pem"), certFile: at("client.pem"), keyFile: at("client.key") };
    const backend = createEtcdBackend({ endpoints, ...files });
    await write(backend, "/tls/a", "1");
    const admin = new EtcdAdmin({ endpoints, ...files });
    assert.equal((await admin.members())[0]?.name, "default");
    admin.close();
    const bare = createEtcdBackend({ endpoints, caFile: at("ca.pem") });
    await assert.rejects(bare.health(1000));
    const untrusting = createEtcdBackend({ endpoints });
    await assert.rejects(untrusting.health(1000), /certificate/);
    for (const each of [backend, bare, untrusting]) await each.close();
    await etcd.stop();
    rmSync(folder, { recursive: true });
  });

  test("the admin client agrees with the lean one", async () => {
    const etcd = new TestEtcd({ port: 21240 });
    await etcd.start();
    const backend = createEtcdBackend({ endpoints: [etcd.endpoint] });
    const admin = new EtcdAdmin({ endpoints: [etcd.endpoint] });
    await write(backend, "/a", "x");
    const status = await admin.status();
    assert.match(status.version, /^3\.\d+\.\d+$/);
    assert.equal(status.sizeBytes, await backend.sizeBytes());
    await admin.defragment();
    const oracle = new Etcd3({ hosts: etcd.endpoint });
    assert.equal(await oracle.get("/a").string(), "x");
    const { kvs } = await backend.range({ start: "/a", end: "/a\0", revision: asRevision(2) });
    assert.equal(kvs[0]?.version, 1);
    oracle.close();
    admin.close();
    await backend.close();
    await etcd.stop();
  });
});

function makeCertificates(folder: string): void {
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  };
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const ca = ["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=ca", "-days", "2"];
  openssl("req", "-x509", ...curve, ...ca);
  writeFileSync(join(folder, "san"), "subjectAltName=IP:127.0.0.1");
  for (const name of ["server", "client"]) {
    const request = ["-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`];
    openssl("req", "-new", ...curve, ...request);
    const signed = ["-CAcreateserial", "-out", `${name}.pem`, "-days", "2", "-extfile", "san"];
    openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ca.pem", "-CAkey", "ca.key", ...signed);
  }
}
