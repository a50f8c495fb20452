/** Storage's writes: create, guaranteedUpdate, delete. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { isStorageError } from "../../src/storage/errors.ts";
import { asRevision, asStorageKey } from "../../src/storage/interfaces.ts";
import { KeySpace } from "../../src/storage/keys.ts";
import { any, mostRecent, parse, widget } from "./objects.ts";
import type { Fresh } from "./storage.ts";

const isCode = (code: Parameters<typeof isStorageError>[1]) => (error: unknown) =>
  isStorageError(error, code);

export function testWrites(fresh: Fresh): void {
  it("create gives the object its revision, once", async () => {
    const { storage } = fresh();
    const made = await storage.create("default/a", widget("default/a"));
    assert.equal(parse(made.json).metadata.resourceVersion, String(made.revision));
    await assert.rejects(storage.create("default/a", widget("default/a")), isCode("KeyExists"));
    const got = await storage.get("default/a", mostRecent);
    assert.equal(Buffer.from(got?.json ?? []).toString(), Buffer.from(made.json).toString());
    assert.equal(got?.revision, made.revision);
  });

  it("stores the object without its revision, under the resource's key", async () => {
    const { storage, backend } = fresh();
    await storage.create("default/a", widget("default/a"));
    const key = new KeySpace("/registry", storage.config).keyOf("default/a");
    assert.match(key, /^\/registry\/example\.com\/widgets.*\/default\/a$/);
    const range = await backend.range({ start: key, end: `${key}\0` });
    const stored = Buffer.from(range.kvs[0]?.value ?? []).toString();
    assert.equal(stored.trimEnd(), Buffer.from(widget("default/a")).toString());
  });

  it("guaranteedUpdate: all of many concurrent increments count", async () => {
    const { storage } = fresh();
    await storage.create("default/a", widget("default/a"));
    const increment = () =>
      storage.guaranteedUpdate("default/a", {}, (current) => {
        const n = parse(current?.json).spec.n + 1;
        return { json: widget("default/a", { n }) };
      });
    const results = await Promise.all(Array.from({ length: 30 }, increment));
    assert.equal(new Set(results.map((r) => r.revision)).size, 30);
    const got = await storage.get("default/a", mostRecent);
    assert.equal(parse(got?.json).spec.n, 30);
  });

  it("guaranteedUpdate: the same bytes write nothing", async () => {
    const { storage, backend } = fresh();
    const made = await storage.create("default/a", widget("default/a", { n: 1 }));
    const before = await backend.currentRevision();
    const same = await storage.guaranteedUpdate("default/a", {}, (current) => ({
      json: current?.json ?? new Uint8Array(),
    }));
    const bare = await storage.guaranteedUpdate("default/a", {}, () => ({
      json: widget("default/a", { n: 1 }),
    }));
    assert.deepEqual([same.revision, bare.revision], [made.revision, made.revision]);
    assert.equal(await backend.currentRevision(), before);
  });

  it("guaranteedUpdate: a missing object is NotFound, or undefined when that is asked", async () => {
    const { storage } = fresh();
    const update = () => ({ json: widget("default/a") });
    await assert.rejects(storage.guaranteedUpdate("default/a", {}, update), isCode("KeyNotFound"));
    const seen: unknown[] = [];
    const made = await storage.guaranteedUpdate("default/a", { ignoreNotFound: true }, (c) => {
      seen.push(c);
      return { json: widget("default/a") };
    });
    assert.deepEqual(seen, [undefined]);
    assert.equal(parse(made.json).metadata.name, "a");
  });

  it("guaranteedUpdate: a refusal counts only on current data", async () => {
    const { storage, backend } = fresh();
    const made = await storage.create("default/a", widget("default/a", { n: 1 }));
    await storage.get("default/a", mostRecent);
    // Written behind the cache's back: the first try may see n = 1.
    const key = new KeySpace("/registry", storage.config).keyOf("default/a");
    const value = widget("default/a", { n: 2 });
    const written = await backend.cas({ key, expected: made.revision, value });
    assert.ok(written.ok);
    const done = await storage.guaranteedUpdate("default/a", {}, (current) => {
      const { n } = parse(current?.json).spec;
      if (n === 1) throw new Error("too old");
      return { json: widget("default/a", { n: n + 1 }) };
    });
    assert.equal(parse(done.json).spec.n, 3);
    const refused = storage.guaranteedUpdate("default/a", {}, () => {
      throw new Error("no");
    });
    await assert.rejects(refused, /no/);
  });

  it("guaranteedUpdate can delete", async () => {
    const { storage } = fresh();
    await storage.create("default/a", widget("default/a"));
    await storage.guaranteedUpdate("default/a", {}, () => "delete");
    assert.equal(await storage.get("default/a", mostRecent), undefined);
  });

  it("delete gives the last state under the deletion's revision, after the check", async () => {
    const { storage } = fresh();
    const made = await storage.create("default/a", widget("default/a", { n: 7 }));
    const refused = storage.delete("default/a", () => {
      throw new Error("precondition");
    });
    await assert.rejects(refused, /precondition/);
    const gone = await storage.delete("default/a", () => {});
    assert.ok(gone.revision > made.revision);
    assert.equal(parse(gone.json).metadata.resourceVersion, String(gone.revision));
    assert.equal(parse(gone.json).spec.n, 7);
    assert.equal(await storage.get("default/a", mostRecent), undefined);
    await assert.rejects(
      storage.delete("default/a", () => {}),
      isCode("KeyNotFound"),
    );
  });

  it("an object with a TTL goes away by itself", async () => {
    const { storage } = fresh();
    await storage.create("default/a", widget("default/a"), 1);
    assert.ok(await storage.get("default/a", mostRecent));
    for (let i = 0; i < 60; i++) {
      await new Promise((go) => setTimeout(go, 100));
      if ((await storage.get("default/a", any)) === undefined) return;
    }
    assert.fail("still there");
  });

  it("refuses what is too large in etcd's words", async () => {
    const { storage } = fresh();
    const big = widget("default/a", { node: "x".repeat(1.6 * 1024 * 1024) });
    await assert.rejects(storage.create("default/a", big), (error) => {
      assert.ok(isStorageError(error, "TooLarge"));
      assert.match(String(error), /etcdserver: request is too large/);
      return true;
    });
  });

  it("a value that can not be read fails its reads and no other resource's", async () => {
    const { storage, backend } = fresh();
    await storage.create("default/good", widget("default/good"));
    const key = new KeySpace("/registry", storage.config).keyOf("default/bad");
    const value = Buffer.from("neither JSON nor protobuf");
    const written = await backend.cas({ key: asStorageKey(key), expected: asRevision(0), value });
    assert.ok(written.ok);
    await assert.rejects(async () => {
      for (let i = 0; i < 50; i++) await storage.get("default/bad", mostRecent);
    }, isCode("Corrupt"));
    assert.ok(await storage.get("default/good", mostRecent));
    await assert.rejects(storage.list({ at: mostRecent, limit: 0 }), isCode("Corrupt"));
    await storage.deleteUnread("default/bad");
    await assert.rejects(storage.deleteUnread("default/bad"), isCode("KeyNotFound"));
    const page = await storage.list({ at: mostRecent, limit: 0 });
    assert.equal(page.count, 1);
    page.close();
  });
}
