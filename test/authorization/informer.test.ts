// A permission that was taken away while nobody looked must be gone after the next look.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import { startInformer } from "../../src/authorization/informer.ts";
import {
  asRevision,
  type Storage,
  type WatchCursor,
  type WatchEvent,
  type WatchRead,
} from "../../src/storage/interfaces.ts";

class FakeCursor implements WatchCursor {
  readonly nativeId = undefined;
  readonly revision = asRevision(1);
  closed = false;
  #ready: WatchRead[] = [];
  #callback: () => void = () => {};
  send(...events: (readonly [WatchEvent["type"], string])[]): void {
    const encoded = events.map(([type, name]) => ({
      type,
      revision: asRevision(1),
      json: Buffer.from(
        name === "" ? "{}" : JSON.stringify({ metadata: { namespace: "ns", name } }),
      ),
    }));
    this.#ready.push({ kind: "events", events: encoded });
    this.#callback();
  }
  /** Ready, without a wake-up. */
  queue(...events: (readonly [WatchEvent["type"], string, string])[]): void {
    const encoded = events.map(([type, name, pad]) => ({
      type,
      revision: asRevision(1),
      json: Buffer.from(JSON.stringify({ metadata: { namespace: "ns", name }, pad })),
    }));
    this.#ready.push({ kind: "events", events: encoded });
  }
  garble(): void {
    const broken = { type: "ADDED", revision: asRevision(1), json: Buffer.from("{") } as const;
    this.#ready.push({ kind: "events", events: [broken] });
    this.#callback();
  }
  expire(): void {
    this.#ready.push({ kind: "expired", message: "too old" });
    this.#callback();
  }
  read(): WatchRead {
    return this.#ready.shift() ?? { kind: "events", events: [] };
  }
  onReadable(callback: () => void): void {
    this.#callback = callback;
  }
  bookmark(): void {}
  close(): void {
    this.closed = true;
  }
}

function follow() {
  const cursors: FakeCursor[] = [];
  let failures = 0;
  const storage = {
    watch: async () => {
      if (failures-- > 0) throw new Error("not yet");
      const cursor = new FakeCursor();
      cursors.push(cursor);
      return cursor;
    },
  } as unknown as Storage;
  const names = new Set<string>();
  const errors: unknown[] = [];
  const nameOf = (object: KubeObject) => object.metadata?.name ?? "";
  const start = (failing = 0) => {
    failures = failing;
    return startInformer(
      storage,
      { upsert: (one) => names.add(nameOf(one)), remove: (one) => names.delete(nameOf(one)) },
      (error) => errors.push(error),
    );
  };
  return { cursors, names, errors, start };
}
const until = async (holds: () => boolean) => {
  for (let i = 0; i < 200 && !holds(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(holds());
};

test("everything at first, then every change", async () => {
  const { cursors, names, start } = follow();
  const informer = start();
  await until(() => cursors.length === 1);
  const [cursor] = cursors;
  cursor?.send(["ADDED", "a"], ["ADDED", "b"], ["BOOKMARK", ""]);
  await informer.synced;
  assert.deepEqual([...names], ["a", "b"]);
  cursor?.send(["DELETED", "a"], ["ADDED", "c"]);
  assert.deepEqual([...names], ["b", "c"]);
  informer.close();
  assert.equal(cursor?.closed, true);
});

test("what is gone after an expired watch is removed, once all has been read again", async () => {
  const { cursors, names, start } = follow();
  const informer = start();
  await until(() => cursors.length === 1);
  cursors[0]?.send(["ADDED", "a"], ["ADDED", "b"], ["BOOKMARK", ""]);
  cursors[0]?.expire();
  assert.equal(cursors[0]?.closed, true);
  await until(() => cursors.length === 2);
  cursors[1]?.send(["ADDED", "b"]);
  assert.deepEqual([...names], ["a", "b"], "not before all has been read");
  cursors[1]?.expire(); // in the middle of reading
  await until(() => cursors.length === 3);
  cursors[2]?.send(["ADDED", "b"], ["BOOKMARK", ""]);
  assert.deepEqual([...names], ["b"]);
  informer.close();
});

test("a store that does not answer is asked again; a broken object harms no other", async () => {
  const { cursors, names, errors, start } = follow();
  const informer = start(1);
  await until(() => cursors.length === 1);
  assert.equal(errors.length, 1);
  cursors[0]?.garble();
  cursors[0]?.send(["ADDED", "a"], ["BOOKMARK", ""]);
  await informer.synced;
  assert.equal(errors.length, 2);
  assert.deepEqual([...names], ["a"]);
  informer.close();
});

test("a long read lets others in between, and loses nothing", async () => {
  const { cursors, names, start } = follow();
  const informer = start();
  await until(() => cursors.length === 1);
  for (let i = 0; i < 400; i++) {
    const pad = "x".repeat(20_000);
    cursors[0]?.queue(
      ...Array.from({ length: 10 }, (_, n) => ["ADDED", `${i}-${n}`, pad] as const),
    );
  }
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  cursors[0]?.send(["BOOKMARK", ""]);
  assert.ok(names.size < 4_000, "not all at once");
  await informer.synced;
  clearInterval(timer);
  assert.equal(names.size, 4_000);
  assert.ok(turns > 0);
  informer.close();
});
