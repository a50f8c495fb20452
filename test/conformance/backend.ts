/**
 * The promises of KvBackend, in the words of etcd's own: ordered, unique, reliable, atomic,
 * resumable, bookmarkable; and what reads and compaction promise. Every implementation runs it.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isStorageError } from "../../src/storage/errors.ts";
import {
  asRevision,
  asStorageKey,
  type CasRequest,
  type KvBackend,
  type KvEvent,
  type KvWatchMessage,
  type Revision,
} from "../../src/storage/interfaces.ts";
import { prefixEnd } from "../../src/storage/keys.ts";

export interface BackendUnderTest {
  readonly backend: KvBackend;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString();

/** Writes or fails the test. */
export async function write(
  backend: KvBackend,
  key: string,
  value: string | undefined,
  expected = 0,
  lease?: bigint,
): Promise<Revision> {
  const request: CasRequest = {
    key: asStorageKey(key),
    expected: asRevision(expected),
    ...(value === undefined ? {} : { value: bytes(value) }),
    ...(lease === undefined ? {} : { lease }),
  };
  const result = await backend.cas(request);
  assert.ok(result.ok, `write of ${key} was refused`);
  return result.revision;
}

/** Collects events until `done` says so, or fails after five seconds. */
export async function collect(
  backend: KvBackend,
  prefix: string,
  from: number,
  done: (events: KvEvent[], message: KvWatchMessage) => boolean,
): Promise<KvEvent[]> {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), 5000);
  const events: KvEvent[] = [];
  try {
    for await (const message of backend.watch(prefix, asRevision(from), abort.signal)) {
      if (message.kind === "events") events.push(...message.events);
      if (done(events, message)) return events;
    }
    throw new Error(`the watch gave only ${events.length} events`);
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
}

/** Runs the suite against what `open` makes; each run has keys of its own. */
export function testBackend(name: string, open: () => Promise<BackendUnderTest>): void {
  describe(`backend: ${name}`, () => {
    let under: BackendUnderTest;
    let backend: KvBackend;
    let run = 0;
    const fresh = (): string => `/conformance/${process.pid}-${Date.now()}-${run++}/`;
    before(async () => {
      under = await open();
      backend = under.backend;
    });
    after(() => under.close());
    testWrites(() => backend, fresh);
    testReads(() => backend, fresh);
    testWatch(() => backend, fresh);
    testLeases(() => backend, fresh);
    testCompaction(() => backend, fresh);
  });
}

type Get = () => KvBackend;
type Fresh = () => string;

function testWrites(get: Get, fresh: Fresh): void {
  it("atomic: of many creates of one key exactly one wins, and the losers see it", async () => {
    const key = asStorageKey(`${fresh()}a`);
    const value = (i: number): Uint8Array => bytes(`v${i}`);
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        get().cas({ key, expected: asRevision(0), value: value(i) }),
      ),
    );
    const winner = all.findIndex((r) => r.ok);
    assert.equal(all.filter((r) => r.ok).length, 1);
    for (const result of all) {
      if (result.ok) continue;
      assert.equal(text(result.current?.value), `v${winner}`);
      assert.equal(result.current?.version, 1);
    }
  });

  it("a write is guarded by the revision, and versions count up", async () => {
    const key = `${fresh()}a`;
    const first = await write(get(), key, "1");
    const second = await write(get(), key, "2", first);
    assert.ok(second > first);
    const lost = await get().cas({
      key: asStorageKey(key),
      expected: first,
      value: bytes("3"),
    });
    assert.ok(!lost.ok);
    assert.equal(text(lost.current?.value), "2");
    assert.equal(lost.current?.modRevision, second);
    assert.equal(lost.current?.createRevision, first);
    assert.equal(lost.current?.version, 2);
    const third = await write(get(), key, undefined, second);
    assert.ok(third > second);
    const gone = await get().cas({ key: asStorageKey(key), expected: second });
    assert.ok(!gone.ok && gone.current === undefined);
    const again = await write(get(), key, "4");
    const range = await get().range({ start: key, end: `${key}\0` });
    assert.equal(range.kvs[0]?.createRevision, again);
    assert.equal(range.kvs[0]?.version, 1);
  });

  it("unique: concurrent writes have revisions of their own", async () => {
    const prefix = fresh();
    const jobs = Array.from({ length: 200 }, (_, i) => write(get(), `${prefix}${i}`, "x"));
    const revisions = await Promise.all(jobs);
    assert.equal(new Set(revisions).size, 200);
  });

  it("refuses a value above 1.5 MiB in etcd's words", async () => {
    const request = {
      key: asStorageKey(`${fresh()}big`),
      expected: asRevision(0),
      value: new Uint8Array(1.5 * 1024 * 1024 + 1),
    };
    await assert.rejects(get().cas(request), (error) => {
      assert.ok(isStorageError(error, "TooLarge"));
      assert.match(String(error), /etcdserver: request is too large/);
      return true;
    });
  });

  it("keeps any bytes", async () => {
    const key = `${fresh()}bin`;
    const value = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) & 255);
    const result = await get().cas({ key: asStorageKey(key), expected: asRevision(0), value });
    assert.ok(result.ok);
    const range = await get().range({ start: key, end: `${key}\0` });
    assert.deepEqual(Buffer.from(range.kvs[0]?.value ?? []), Buffer.from(value));
  });
}

function testReads(get: Get, fresh: Fresh): void {
  it("ranges are ordered, limited, counted and read at a revision", async () => {
    const prefix = fresh();
    const end = prefixEnd(prefix);
    const revisions: Revision[] = [];
    for (const key of ["c", "a", "b"]) revisions.push(await write(get(), prefix + key, key));
    const all = await get().range({ start: prefix, end });
    assert.deepEqual(
      all.kvs.map((kv) => kv.key.slice(prefix.length)),
      ["a", "b", "c"],
    );
    assert.equal(all.count, 3);
    assert.equal(all.more, false);
    assert.ok(all.revision >= (revisions[2] ?? 0));
    const page = await get().range({ start: prefix, end, limit: 2 });
    assert.deepEqual([page.kvs.length, page.more, page.count], [2, true, 3]);
    const keys = await get().range({ start: prefix, end, keysOnly: true });
    assert.deepEqual([keys.kvs.length, keys.kvs[0]?.value.length], [3, 0]);
    const count = await get().range({ start: prefix, end, countOnly: true });
    assert.deepEqual([count.kvs.length, count.count], [0, 3]);
    await write(get(), `${prefix}c`, undefined, revisions[0]);
    await write(get(), `${prefix}a`, "a2", revisions[1]);
    const old = await get().range({ start: prefix, end, revision: asRevision(revisions[1] ?? 0) });
    assert.deepEqual(
      old.kvs.map((kv) => text(kv.value)),
      ["a", "c"],
    );
  });

  it("a revision of the future is refused", async () => {
    const now = await get().currentRevision();
    const revision = asRevision(now + 1000);
    await assert.rejects(get().range({ start: "/a", end: "/b", revision }), (error) =>
      isStorageError(error, "FutureRevision"),
    );
  });

  it("linearizable: the current revision is not older than an acknowledged write", async () => {
    const prefix = fresh();
    for (let i = 0; i < 20; i++) {
      const written = await write(get(), prefix + i, "x");
      assert.ok((await get().currentRevision()) >= written);
      const seen = await get().range({ start: prefix + i, end: `${prefix + i}\0` });
      assert.equal(seen.kvs[0]?.modRevision, written);
    }
  });
}

function testWatch(get: Get, fresh: Fresh): void {
  it("reliable and ordered: every event from a revision on, once, history then live", async () => {
    const prefix = fresh();
    const expected: [string, string, number][] = [];
    const change = async (i: number): Promise<void> => {
      const key = `${prefix}k${i % 7}`;
      const range = await get().range({ start: key, end: `${key}\0` });
      const current = range.kvs[0]?.modRevision ?? 0;
      const deletes = current !== 0 && i % 5 === 0;
      const revision = await write(get(), key, deletes ? undefined : `v${i}`, current);
      expected.push([deletes ? "DELETE" : "PUT", key, revision]);
    };
    const start = await get().currentRevision();
    for (let i = 0; i < 60; i++) await change(i);
    const live = collect(get(), prefix, start + 1, (events) => events.length >= 120);
    for (let i = 60; i < 120; i++) await change(i);
    const events = await live;
    assert.deepEqual(
      events.map((e) => [e.type, e.key, e.revision]),
      expected,
    );
  });

  it("resumable: a watch from any delivered revision + 1 continues without gap", async () => {
    const prefix = fresh();
    const revisions: Revision[] = [];
    for (let i = 0; i < 10; i++) revisions.push(await write(get(), prefix + i, "x"));
    for (const [i, revision] of revisions.entries()) {
      const rest = revisions.slice(i + 1);
      if (rest.length === 0) continue;
      const events = await collect(get(), prefix, revision + 1, (e) => e.length >= rest.length);
      assert.deepEqual(
        events.map((e) => e.revision),
        rest,
      );
    }
  });

  it("events carry the value before, the creation and nothing of other prefixes", async () => {
    const prefix = fresh();
    const first = await write(get(), `${prefix}a`, "1");
    await write(get(), `${prefix.slice(0, -1)}x/other`, "no");
    const second = await write(get(), `${prefix}a`, "2", first);
    await write(get(), `${prefix}a`, undefined, second);
    const events = await collect(get(), prefix, first, (e) => e.length >= 3);
    assert.deepEqual(
      events.map((e) => [e.type, text(e.value), text(e.previous), e.createRevision === first]),
      [
        ["PUT", "1", undefined, true],
        ["PUT", "2", "1", true],
        ["DELETE", "", "2", events[2]?.createRevision === first],
      ],
    );
  });

  it("bookmarkable: asked for progress, a quiet watch tells the store's revision", async () => {
    const prefix = fresh();
    const start = await get().currentRevision();
    let told = 0;
    const asking = setInterval(() => get().requestProgress(), 50);
    let written = 0;
    const watching = collect(get(), prefix, start + 1, (_, message) => {
      if (message.kind === "progress") told = message.revision;
      return written > 0 && told >= written;
    });
    written = await write(get(), `/conformance-elsewhere/${process.pid}-${start}`, "x");
    assert.deepEqual(await watching, []);
    clearInterval(asking);
  });

  it("ends when its signal aborts", async () => {
    const abort = new AbortController();
    const start = asRevision((await get().currentRevision()) + 1);
    const run = (async () => {
      for await (const _ of get().watch(fresh(), start, abort.signal));
    })();
    setTimeout(() => abort.abort(), 50);
    await run;
  });
}

function testLeases(get: Get, fresh: Fresh): void {
  it("a revoked lease takes its keys along, but not those that left it", async () => {
    const prefix = fresh();
    const lease = await get().grantLease(60);
    await write(get(), `${prefix}a`, "1", 0, lease);
    const b = await write(get(), `${prefix}b`, "1", 0, lease);
    await write(get(), `${prefix}b`, "2", b);
    await get().revokeLease(lease);
    const range = await get().range({ start: prefix, end: prefixEnd(prefix) });
    assert.deepEqual(
      range.kvs.map((kv) => [kv.key.slice(prefix.length), kv.lease]),
      [["b", 0n]],
    );
  });

  it("a lease that is over deletes its keys, as an event", async () => {
    const prefix = fresh();
    const lease = await get().grantLease(1);
    const put = await write(get(), `${prefix}a`, "1", 0, lease);
    const events = await collect(get(), prefix, put, (e) => e.length >= 2);
    assert.deepEqual(
      events.map((e) => e.type),
      ["PUT", "DELETE"],
    );
  });
}

function testCompaction(get: Get, fresh: Fresh): void {
  it("compaction forgets history and keeps the present", async () => {
    const prefix = fresh();
    const end = prefixEnd(prefix);
    const first = await write(get(), `${prefix}a`, "1");
    const second = await write(get(), `${prefix}a`, "2", first);
    const b = await write(get(), `${prefix}b`, "1");
    await write(get(), `${prefix}b`, undefined, b);
    const last = await write(get(), `${prefix}c`, "1");
    await get().compact(last);
    const isCompacted = (error: unknown): boolean => {
      assert.ok(isStorageError(error, "Compacted"), String(error));
      return true;
    };
    await assert.rejects(get().range({ start: prefix, end, revision: first }), isCompacted);
    await assert.rejects(
      collect(get(), prefix, first, () => true),
      isCompacted,
    );
    await assert.rejects(get().compact(second), isCompacted);
    const now = await get().range({ start: prefix, end });
    assert.deepEqual(
      now.kvs.map((kv) => text(kv.value)),
      ["2", "1"],
    );
    const next = await write(get(), `${prefix}d`, "x");
    const events = await collect(get(), prefix, last + 1, (e) => e.length >= 1);
    assert.deepEqual(
      events.map((e) => e.revision),
      [next],
    );
  });
}
