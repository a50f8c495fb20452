/** The small parts: leases, the read index, compaction among servers, the revision store. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Compactor } from "../../src/storage/compactor.ts";
import { asRevision, asStorageKey, type Revision } from "../../src/storage/interfaces.ts";
import { LeaseManager } from "../../src/storage/lease-manager.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { ReadIndex } from "../../src/storage/read-index.ts";
import { collect, write } from "../conformance/backend.ts";

test("leases are shared for a minute or 5 % of the time to live, by 1000 objects at most", async () => {
  let now = 1000;
  const granted: number[] = [];
  const grantLease = async (ttl: number): Promise<bigint> => BigInt(granted.push(ttl));
  const leases = new LeaseManager({ grantLease }, () => now);
  assert.equal(await leases.get(3600), 1n);
  now += 30;
  assert.equal(await leases.get(3600), 1n);
  now += 31;
  assert.equal(await leases.get(3600), 2n);
  assert.deepEqual(granted, [3660, 3660]);
  assert.equal(await leases.get(100), 3n);
  assert.deepEqual(granted[2], 105);
  now += 6;
  assert.equal(await leases.get(100), 4n);
  for (let i = 0; i < 999; i++) assert.equal(await leases.get(100), 4n);
  assert.equal(await leases.get(100), 5n);
});

test("a lease that could not be had is asked for again", async () => {
  let calls = 0;
  const leases = new LeaseManager({
    grantLease: async () => {
      if (calls++ === 0) throw new Error("down");
      return 7n;
    },
  });
  await assert.rejects(leases.get(60), /down/);
  assert.equal(await leases.get(60), 7n);
});

test("reads that wait together share one question, asked after the last of them came", async () => {
  const answers: ((revision: Revision) => void)[] = [];
  const index = new ReadIndex(() => new Promise((resolve) => answers.push(resolve)));
  const first = index.current();
  const late = [index.current(), index.current()];
  assert.equal(answers.length, 1);
  answers[0]?.(asRevision(5));
  assert.equal(await first, 5);
  await new Promise((go) => setImmediate(go));
  assert.equal(answers.length, 2);
  answers[1]?.(asRevision(8));
  assert.deepEqual(await Promise.all(late), [8, 8]);
});

test("a failed question fails its readers and not the next ones", async () => {
  let calls = 0;
  const index = new ReadIndex(async () => {
    if (calls++ === 0) throw new Error("down");
    return asRevision(3);
  });
  const first = index.current();
  const second = index.current();
  await assert.rejects(first, /down/);
  assert.equal(await second, 3);
});

test("of two servers each round one compacts, to the revision of a round before", async () => {
  const backend = createModelBackend();
  const options = { intervalMs: 1_000_000 };
  const servers = [new Compactor(backend, options), new Compactor(backend, options)];
  const compacted: number[] = [];
  const compact = backend.compact.bind(backend);
  backend.compact = async (revision) => {
    compacted.push(revision);
    await compact(revision);
  };
  for (let round = 0; round < 6; round++) {
    await write(backend, `/registry/${round}`, "x");
    for (const server of servers) await server.round();
  }
  assert.ok(compacted.length >= 3 && compacted.length <= 6, compacted.join());
  assert.deepEqual(
    compacted,
    [...compacted].sort((a, b) => a - b),
  );
  const kv = (await backend.range({ start: "compact_rev_key", end: "compact_rev_key\0" })).kvs[0];
  assert.equal(Number(Buffer.from(kv?.value ?? []).toString()), compacted[compacted.length - 1]);
  await backend.close();
});

test("the revision store equals a naive one, for any writes and compactions", async () => {
  const step = fc.record({
    key: fc.constantFrom("/r/a", "/r/b", "/r/c", "/x/a"),
    kind: fc.constantFrom("put", "put", "put", "delete", "compact"),
  });
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const store = createModelBackend();
    const states: Map<string, string>[] = [new Map(), new Map()];
    const mods = new Map<string, number>();
    const events: [number, string, string | undefined][] = [];
    let compacted = 0;
    for (const [i, { key, kind }] of steps.entries()) {
      const newest = states.length - 1;
      if (kind === "compact") {
        if (newest <= compacted || newest < 2) continue;
        compacted = Math.max(compacted + 1, newest - 3);
        await store.compact(asRevision(compacted));
        continue;
      }
      const expected = mods.get(key) ?? 0;
      if (kind === "delete" && expected === 0) continue;
      const value = kind === "delete" ? undefined : `v${i}`;
      const revision = await write(store, key, value, expected);
      assert.equal(revision, newest + 1);
      const state = new Map(states[newest]);
      if (value === undefined) state.delete(key);
      else state.set(key, value);
      states.push(state);
      mods.set(key, value === undefined ? 0 : revision);
      events.push([revision, key, value]);
    }
    for (let revision = Math.max(2, compacted); revision < states.length; revision++) {
      const at = { start: "/r/", end: "/r0", revision: asRevision(revision) };
      const { kvs, count } = await store.range(at);
      const expected = [...(states[revision] ?? [])].filter(([k]) => k.startsWith("/r/")).sort();
      assert.deepEqual(
        kvs.map((kv) => [kv.key, Buffer.from(kv.value).toString()]),
        expected,
      );
      assert.equal(count, expected.length);
    }
    const rest = events.filter(([revision, key]) => revision > compacted && key.startsWith("/r/"));
    if (rest.length > 0) {
      const seen = await collect(store, "/r/", compacted + 1, (all) => all.length >= rest.length);
      assert.deepEqual(
        seen.map((e) => [
          e.revision,
          e.key,
          e.type === "DELETE" ? undefined : Buffer.from(e.value).toString(),
        ]),
        rest,
      );
    }
    const key = asStorageKey("/r/a");
    const { kvs } = await store.range({ start: key, end: `${key}\0` });
    assert.equal(kvs[0]?.modRevision ?? 0, mods.get(key) ?? 0);
    await store.close();
  });
  await fc.assert(property, { numRuns: 100 });
});
