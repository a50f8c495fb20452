/** The feeder's hard moments: history lost, a watch that breaks, events while a fill runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isStorageError, StorageError } from "../../src/storage/errors.ts";
import { createStorageFactory } from "../../src/storage/factory.ts";
import {
  asRevision,
  asStorageKey,
  type KvBackend,
  type KvWatchMessage,
  type Revision,
} from "../../src/storage/interfaces.ts";
import { KeySpace } from "../../src/storage/keys.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import {
  any,
  freshConfig,
  mostRecent,
  namesOf,
  openWatch,
  readEvents,
  typesOf,
  widget,
  withList,
} from "../conformance/objects.ts";

/** The model, with a watch that can be made to fail and ranges that can be held up. */
class Unruly {
  readonly model = createModelBackend();
  failure: unknown;
  watchesFrom: number[] = [];
  beforeRange: () => Promise<void> = async () => {};
  #abort = new AbortController();

  readonly backend: KvBackend = Object.assign(Object.create(this.model) as KvBackend, {
    range: async (request: Parameters<KvBackend["range"]>[0]) => {
      const answer = await this.model.range(request);
      await this.beforeRange();
      return answer;
    },
    cas: (request: Parameters<KvBackend["cas"]>[0]) => this.model.cas(request),
    currentRevision: () => this.model.currentRevision(),
    requestProgress: () => this.model.requestProgress(),
    grantLease: (ttl: number) => this.model.grantLease(ttl),
    watch: (prefix: string, from: Revision, signal: AbortSignal) =>
      this.#watch(prefix, from, signal),
  });

  /** Ends the present watch with `failure`, once. */
  breakWatch(failure: unknown): void {
    this.failure = failure;
    this.#abort.abort();
  }

  async *#watch(
    prefix: string,
    from: Revision,
    signal: AbortSignal,
  ): AsyncIterable<KvWatchMessage> {
    this.watchesFrom.push(from);
    this.#abort = new AbortController();
    const own = AbortSignal.any([signal, this.#abort.signal]);
    yield* this.model.watch(prefix, from, own);
    const failure = this.failure;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
  }
}

test("after a compaction the cache is filled anew, and old watches are told", async () => {
  const unruly = new Unruly();
  const factory = createStorageFactory(unruly.backend);
  const storage = factory.for(freshConfig());
  await storage.create("default/a", widget("default/a"));
  await storage.get("default/a", mostRecent);
  const cursor = await openWatch(storage, {});
  const key = new KeySpace("/registry", storage.config).keyOf("default/b");
  unruly.breakWatch(new StorageError({ code: "Compacted", oldest: 100 }));
  await unruly.model.cas({ key, expected: asRevision(0), value: widget("default/b") });
  await withList(storage, {}, (_, items) =>
    assert.deepEqual(namesOf(items), ["default/a", "default/b"]),
  );
  for (let i = 0; i < 100 && cursor.read(10).kind === "events"; i++) {
    await new Promise((go) => setTimeout(go, 20));
  }
  assert.equal(cursor.read(10).kind, "expired");
  const next = await openWatch(storage, {});
  await storage.create("default/c", widget("default/c"));
  assert.deepEqual(typesOf(await readEvents(next, 1)), ["ADDED c"]);
  await factory.close();
});

test("a watch that breaks goes on behind its last event, and nobody notices", async () => {
  const unruly = new Unruly();
  const factory = createStorageFactory(unruly.backend);
  const storage = factory.for(freshConfig());
  const cursor = await openWatch(storage, {});
  const expected: string[] = [];
  for (let i = 0; i < 30; i++) {
    const made = await storage.create(`default/a${i}`, widget(`default/a${i}`));
    expected.push(`ADDED a${i}`);
    if (i % 10 !== 5) continue;
    await storage.get(`default/a${i}`, mostRecent);
    unruly.breakWatch(new StorageError({ code: "Unreachable", message: "gone" }));
    assert.ok(made.revision > 0);
  }
  assert.deepEqual(typesOf(await readEvents(cursor, 30)), expected);
  assert.equal(unruly.watchesFrom.length, 4);
  await factory.close();
});

test("changes during a fill are neither lost nor seen twice", async () => {
  const unruly = new Unruly();
  const factory = createStorageFactory(unruly.backend);
  const config = freshConfig();
  const keys = new KeySpace("/registry", config);
  const put = (name: string) =>
    unruly.model.cas({
      key: asStorageKey(keys.keyOf(name)),
      expected: asRevision(0),
      value: widget(name),
    });
  for (let i = 0; i < 2500; i++) await put(`default/a${i}`);
  let pages = 0;
  unruly.beforeRange = async () => {
    await put(`default/during${pages++}`);
    await new Promise((go) => setTimeout(go, 20));
  };
  const storage = factory.for(config);
  const cursor = await openWatch(storage, { from: { kind: "InitialEvents", at: any } });
  unruly.beforeRange = async () => {};
  await storage.create("default/z", widget("default/z"));
  const names = new Set<string>();
  for (const event of await readEvents(cursor, 2500 + pages + 2)) {
    if (event.type === "BOOKMARK") continue;
    const { name } = (
      JSON.parse(Buffer.from(event.json).toString()) as { metadata: { name: string } }
    ).metadata;
    assert.ok(!names.has(name), `${name} twice`);
    names.add(name);
  }
  assert.equal(names.size, 2500 + pages + 1);
  await withList(storage, {}, (page) => assert.equal(page.count, names.size));
  await factory.close();
});

test("a cache that can not be filled lets reads through to the store, watches wait for it", async () => {
  const unruly = new Unruly();
  const factory = createStorageFactory(unruly.backend);
  const broken = freshConfig();
  const key = new KeySpace("/registry", broken).keyOf("default/bad");
  await unruly.model.cas({ key, expected: asRevision(0), value: Buffer.from("not JSON") });
  const storage = factory.for(broken);
  const made = await storage.create("default/good", widget("default/good"));
  assert.equal((await storage.get("default/good", mostRecent))?.revision, made.revision);
  await assert.rejects(openWatch(storage, {}), (e) => isStorageError(e, "NotReady"));
  await factory.close();
});
