import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  exportStore,
  restoreSnapshot,
  saveSnapshot,
} from "../../../src/storage/embedded/snapshot.ts";
import { openEmbeddedStore, STORE_FILE } from "../../../src/storage/embedded/store.ts";
import { isStorageError } from "../../../src/storage/errors.ts";
import { asRevision, type KvBackend } from "../../../src/storage/interfaces.ts";
import { createModelBackend } from "../../../src/storage/model/memory-log.ts";
import { collect, write } from "../../conformance/backend.ts";

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "klystron-store-"));
  folders.push(made);
  return made;
}
const all = { start: "\0", end: "\0" };

async function fill(store: KvBackend): Promise<void> {
  const a = await write(store, "/registry/a", "1");
  await write(store, "/registry/b", "1");
  await write(store, "/registry/a", "2", a);
  const c = await write(store, "/registry/c", "1");
  await write(store, "/registry/c", undefined, c);
}

test("a store that is opened again has everything: state, history, revision", async () => {
  const directory = folder();
  const first = await openEmbeddedStore({ directory });
  await fill(first);
  const before = await first.range(all);
  await first.close();
  const second = await openEmbeddedStore({ directory });
  const now = await second.range(all);
  assert.deepEqual(
    now.kvs.map((kv) => ({ ...kv, value: String(Buffer.from(kv.value)) })),
    before.kvs.map((kv) => ({ ...kv, value: String(Buffer.from(kv.value)) })),
  );
  assert.equal(now.revision, before.revision);
  const events = await collect(second, "/registry/", 2, (seen) => seen.length >= 5);
  assert.deepEqual(
    events.map((e) => [e.type, e.key.at(-1), e.previous && String(Buffer.from(e.previous))]),
    [
      ["PUT", "a", undefined],
      ["PUT", "b", undefined],
      ["PUT", "a", "1"],
      ["PUT", "c", undefined],
      ["DELETE", "c", "1"],
    ],
  );
  await second.compact(now.revision);
  await second.close();
  const third = await openEmbeddedStore({ directory });
  assert.equal((await third.range(all)).kvs.length, 2);
  assert.equal(await third.currentRevision(), now.revision);
  await assert.rejects(third.range({ ...all, revision: asRevision(3) }), (e) =>
    isStorageError(e, "Compacted"),
  );
  await third.close();
});

test("a lease outlives a restart and then takes its keys along", async () => {
  const directory = folder();
  const first = await openEmbeddedStore({ directory });
  await write(first, "/registry/a", "1", 0, await first.grantLease(1));
  await first.close();
  const second = await openEmbeddedStore({ directory });
  for (let i = 0; i < 40 && (await second.range(all)).count > 0; i++) {
    await new Promise((go) => setTimeout(go, 100));
  }
  assert.equal((await second.range(all)).count, 0);
  await second.close();
});

test("a second process is refused by name; a dead owner is not in the way", async () => {
  const directory = folder();
  const store = await openEmbeddedStore({ directory });
  await assert.rejects(openEmbeddedStore({ directory }), (error) => {
    assert.ok(isStorageError(error, "Refused"));
    assert.match(String(error), new RegExp(`${directory} is in use by process ${process.pid}`));
    return true;
  });
  await store.close();
  const dead = spawn("true");
  await new Promise((go) => dead.once("exit", go));
  writeFileSync(join(directory, "lock"), `${dead.pid} 1 boot`);
  // A reused process id with another start time is another process.
  await (await openEmbeddedStore({ directory })).close();
  writeFileSync(join(directory, "lock"), `${process.pid} 1 boot`);
  await (await openEmbeddedStore({ directory })).close();
});

test("a damaged or foreign file is refused, with its name", async () => {
  const directory = folder();
  writeFileSync(join(directory, STORE_FILE), Buffer.alloc(20_000, 7));
  await assert.rejects(openEmbeddedStore({ directory }), (error) => {
    assert.ok(isStorageError(error, "Corrupt"));
    assert.match(String(error), /store\.mdb can not be read/);
    return true;
  });
});

test("a file that was cut off is refused instead of ending the process", async () => {
  const directory = folder();
  const store = await openEmbeddedStore({ directory });
  for (let i = 0; i < 20; i++) await write(store, `/registry/${i}`, "x".repeat(20_000));
  await store.close();
  truncateSync(join(directory, STORE_FILE), 100_000);
  await assert.rejects(openEmbeddedStore({ directory }), /the file is cut off/);
});

test("beyond the quota writes are refused in etcd's words, deletions are not", async () => {
  const store = await openEmbeddedStore({ directory: folder(), quotaBytes: 100_000 });
  const first = await write(store, "/registry/a", "x".repeat(90_000));
  await write(store, "/registry/b", "x".repeat(50_000));
  await assert.rejects(write(store, "/registry/c", "x"), /database space exceeded/);
  const gone = await write(store, "/registry/a", undefined, first);
  await store.compact(gone);
  await write(store, "/registry/c", "x");
  await store.close();
});

test("history has a bound of its own: the older half goes, the present stays", async () => {
  const store = await openEmbeddedStore({ directory: folder(), historyBytes: 200_000 });
  let last = await write(store, "/registry/a", "x".repeat(10_000));
  const first = last;
  for (let i = 0; i < 60; i++) {
    last = await write(store, "/registry/a", `${i}`.padEnd(10_000, "x"), last);
  }
  const old = { ...all, revision: asRevision(first + 1) };
  await assert.rejects(store.range(old), (e) => isStorageError(e, "Compacted"));
  const size = await store.sizeBytes();
  assert.ok(size < 300_000, `${size} bytes`);
  const now = await store.range(all);
  assert.equal(now.kvs[0]?.version, 61);
  await store.close();
});

test("a snapshot restores state and revisions; history before it is gone", async () => {
  const [from, to] = [folder(), folder()];
  const store = await openEmbeddedStore({ directory: from });
  await fill(store);
  await write(store, "/registry/leased", "1", 0, await store.grantLease(100));
  const before = await store.range(all);
  await assert.rejects(saveSnapshot(from, join(to, "x")), /is in use by process/);
  await store.close();
  const file = join(to, "backup", "snapshot");
  const saved = await saveSnapshot(from, file);
  assert.deepEqual([saved.revision, saved.keys], [before.revision, 3]);
  assert.equal(readFileSync(file).length, saved.bytes);
  const restored = await restoreSnapshot(file, to);
  assert.deepEqual(restored, saved);
  await assert.rejects(restoreSnapshot(file, to), /there is a store in .* already/);
  const again = await openEmbeddedStore({ directory: to });
  const now = await again.range(all);
  assert.equal(now.revision, before.revision);
  const shown = (result: typeof now) =>
    result.kvs.map((kv) => [kv.key, String(Buffer.from(kv.value)), kv.modRevision, kv.version]);
  assert.deepEqual(shown(now), shown(before));
  assert.equal(await write(again, "/registry/new", "1"), before.revision + 1);
  const model = createModelBackend();
  assert.equal(await exportStore(again, model, "/registry/"), 4);
  assert.equal((await model.range(all)).count, 4);
  await assert.rejects(exportStore(again, model, "/registry/"), /already has 4 keys/);
  await again.close();
});

test("a damaged snapshot is refused and leaves no store behind", async () => {
  const [from, to] = [folder(), folder()];
  const store = await openEmbeddedStore({ directory: from });
  await fill(store);
  await store.close();
  const file = join(from, "snapshot");
  await saveSnapshot(from, file);
  const good = readFileSync(file);
  const flipped = Buffer.from(good);
  const at = good.length - 60;
  flipped[at] = (flipped[at] ?? 0) ^ 1;
  for (const bad of [flipped, good.subarray(0, good.length - 40), Buffer.from("nothing")]) {
    writeFileSync(file, bad);
    await assert.rejects(restoreSnapshot(file, to));
    await assert.rejects(saveSnapshot(to, file), /there is no store/);
  }
});
