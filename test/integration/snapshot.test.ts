import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findEtcd, TestEtcd } from "../tools/etcd.ts";
import { root, ServerProcess } from "./server-process.ts";

const bin = join(root, "bin", "klystron");
function klystron(...args: string[]) {
  const { status, stderr, stdout } = spawnSync(bin, args, { encoding: "utf8", timeout: 60_000 });
  return { status, stderr, stdout };
}

const configMap = (name: string) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { a: name } });
const path = "/api/v1/namespaces/default/configmaps";

async function create(server: ServerProcess, name: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const options = { ...server.admin, method: "POST", headers };
  assert.equal((await server.ask(path, options, configMap(name))).status, 201);
}
async function read(server: ServerProcess, name: string) {
  const answer = await server.ask(`${path}/${name}`, server.admin);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body) as { metadata: { uid: string; resourceVersion: string } };
}
async function end(server: ServerProcess): Promise<void> {
  server.kill("SIGTERM");
  assert.deepEqual(await server.exited, { code: 0, signal: null });
}

/** A server on a folder that is there already. */
async function serverOn(data: string, ...flags: string[]): Promise<ServerProcess> {
  const server = await ServerProcess.start(`--data-dir=${data}`, ...flags);
  server.file = (name) => readFileSync(join(data, name), "utf8");
  return server;
}

test("a snapshot carries a server's objects to another folder", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "klystron-snapshot-"));
  const file = join(folder, "snapshot");
  const first = await ServerProcess.start();
  try {
    await create(first, "kept");
    const before = await read(first, "kept");
    const data = `--data-dir=${join(first.folder, "data")}`;
    const busy = klystron("snapshot", "save", file, data);
    assert.equal(busy.status, 1);
    assert.match(busy.stderr, /^Error: .*in use by process \d+/);
    await end(first);

    const saved = klystron("snapshot", "save", file, data);
    assert.match(saved.stderr, /^Saved \d+ keys as of revision \d+ to /);
    assert.equal(saved.status, 0);
    assert.equal(saved.stdout, "");
    const again = klystron("snapshot", "restore", file, data);
    assert.match(again.stderr, /^Error: .*there is a store in .* already/);
    assert.equal(again.status, 1);

    const other = join(folder, "data");
    const restored = klystron("snapshot", "restore", "--data-dir", other, file);
    assert.match(restored.stderr, /^Restored \d+ keys/);
    assert.equal(restored.status, 0);
    const second = await serverOn(other);
    try {
      assert.deepEqual(await read(second, "kept"), before);
      await create(second, "new");
      const { metadata } = await read(second, "new");
      assert.ok(Number(metadata.resourceVersion) > Number(before.metadata.resourceVersion));
    } finally {
      await second.stop();
    }
  } finally {
    first.kill("SIGKILL");
    first.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});

const noEtcd = findEtcd() === undefined ? "no etcd" : false;

test("a store moves to etcd and back", { timeout: 120_000, skip: noEtcd }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "klystron-move-"));
  const etcd = new TestEtcd({ port: 22010 });
  await etcd.start();
  const servers = `--etcd-servers=${etcd.endpoint}`;
  const first = await ServerProcess.start();
  try {
    await create(first, "kept");
    const { uid } = (await read(first, "kept")).metadata;
    await end(first);
    const from = `--data-dir=${join(first.folder, "data")}`;
    const exported = klystron("export", servers, from);
    assert.match(exported.stderr, /^Exported \d+ keys to http:/);
    assert.equal(exported.status, 0);
    const again = klystron("export", servers, from);
    assert.match(again.stderr, /^Error: .*the target already has \d+ keys under \/registry\//);
    assert.equal(again.status, 1);

    const other = join(folder, "data");
    const imported = klystron("import", servers, `--data-dir=${other}`);
    assert.match(imported.stderr, /^Imported \d+ keys as of revision \d+ to /);
    const second = await serverOn(other);
    try {
      assert.equal((await read(second, "kept")).metadata.uid, uid);
    } finally {
      await second.stop();
    }
  } finally {
    await etcd.stop();
    first.kill("SIGKILL");
    first.remove();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("what can not work says why and exits with 1", () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["snapshot"], /^Error: "klystron snapshot" needs one of: save, restore\n/],
    [["snapshot", "save"], /^Error: "klystron snapshot save" takes the name of one file\n/],
    [["import"], /^Error: "klystron import" needs --etcd-servers\n/],
    [["export", "x"], /^Error: "klystron export" does not take any arguments\n/],
    [["snapshot", "save", "f", "--secure-port=1"], /^Error: unknown flag: --secure-port\n/],
    [["snapshot", "save", "f", "--data-dir=/nowhere"], /^Error: .*there is no store in \/nowhere/],
    [["snapshot", "restore", "/nowhere/f"], /^Error: .*\/nowhere\/f can not be read/],
    [["import", "--etcd-servers=http://127.0.0.1:1", "--data-dir=/nowhere"], /^Error: .*127.0.0.1/],
  ];
  for (const [args, expected] of cases) {
    const { status, stderr } = klystron(...args);
    assert.match(stderr, expected);
    assert.equal(status, 1, stderr);
  }
  const help = klystron("snapshot", "--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /klystron import/);
});
