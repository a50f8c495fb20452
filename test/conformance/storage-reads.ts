/** Storage's reads: get and list at every kind of revision. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { isStorageError } from "../../src/storage/errors.ts";
import {
  any,
  documentOf,
  exactly,
  mostRecent,
  namesOf,
  notOlder,
  parse,
  widget,
  withList,
} from "./objects.ts";
import type { Fresh } from "./storage.ts";

export function testReads(fresh: Fresh): void {
  it("MostRecent sees every acknowledged write at once", async () => {
    const { storage } = fresh();
    for (let i = 0; i < 20; i++) {
      const made = await storage.create(`default/a${i}`, widget(`default/a${i}`));
      const got = await storage.get(`default/a${i}`, mostRecent);
      assert.equal(got?.revision, made.revision);
      await withList(storage, {}, (page, items) => {
        assert.equal(items.length, i + 1);
        assert.ok(page.revision >= made.revision);
      });
    }
  });

  it("MostRecent does not wait for ever when others write elsewhere or nobody writes", async () => {
    const { storage, backend } = fresh();
    const { storage: other } = fresh();
    await other.create("default/x", widget("default/x"));
    const now = await backend.currentRevision();
    await withList(storage, {}, (page) => assert.ok(page.revision >= now));
  });

  it("Any answers from whatever is at hand, NotOlderThan waits for a revision", async () => {
    const { storage } = fresh();
    const made = await storage.create("default/a", widget("default/a"));
    const got = await storage.get("default/a", notOlder(made.revision));
    assert.equal(got?.revision, made.revision);
    await withList(storage, { at: any }, (_, items) => assert.equal(items.length, 1));
    await withList(storage, { at: notOlder(made.revision) }, (page, items) => {
      assert.equal(items.length, 1);
      assert.ok(page.revision >= made.revision);
    });
  });

  it("a revision of the future fails after the wait, with both revisions", async () => {
    const { storage, backend } = fresh();
    await storage.create("default/a", widget("default/a"));
    await withList(storage, {}, () => {}); // a cache that is still being filled asks the store
    const future = (await backend.currentRevision()) + 1000;
    const start = Date.now();
    await assert.rejects(storage.get("default/a", notOlder(future)), (error) => {
      assert.ok(isStorageError(error, "FutureRevision"));
      return true;
    });
    const took = Date.now() - start;
    assert.ok(took > 2500 && took < 6000, `${took} ms`);
  });

  it("Exact lists the state of an old revision, also after deletions", async () => {
    const { storage } = fresh();
    const a = await storage.create("default/a", widget("default/a", { n: 1 }));
    await storage.create("default/b", widget("default/b"));
    await storage.delete("default/a", () => {});
    await withList(storage, { at: exactly(a.revision) }, (page, items) => {
      assert.deepEqual(namesOf(items), ["default/a"]);
      assert.equal(page.revision, a.revision);
      assert.equal(parse(items[0]?.json).metadata.resourceVersion, String(a.revision));
    });
    await withList(storage, {}, (_, items) => assert.deepEqual(namesOf(items), ["default/b"]));
  });

  it("pages: one consistent state, in order, with the count of what remains", async () => {
    const { storage } = fresh();
    const all = Array.from({ length: 10 }, (_, i) => `default/p${i}`);
    for (const name of all) await storage.create(name, widget(name));
    const seen: string[] = [];
    let next: string | undefined;
    let revision = 0;
    await withList(storage, { limit: 4 }, (page, items) => {
      seen.push(...namesOf(items));
      assert.equal(page.remaining, 6);
      next = page.nextKey;
      revision = page.revision;
    });
    await storage.create("default/p00", widget("default/p00"));
    await storage.delete("default/p7", () => {});
    while (next !== undefined) {
      const request = { limit: 4, startKey: next, at: exactly(revision) };
      await withList(storage, request, (page, items) => {
        seen.push(...namesOf(items));
        assert.equal(page.revision, revision);
        next = page.nextKey;
      });
    }
    assert.deepEqual(seen, all);
  });

  it("Any with a limit gives everything, as upstream's cache does", async () => {
    const { storage } = fresh();
    for (let i = 0; i < 5; i++) await storage.create(`default/p${i}`, widget(`default/p${i}`));
    await withList(storage, {}, () => {});
    await withList(storage, { at: any, limit: 2 }, (page, items) => {
      assert.equal(items.length, 5);
      assert.equal(page.nextKey, undefined);
    });
  });

  it("scopes: namespace, name, labels, fields", async () => {
    const { storage } = fresh();
    const put = (name: string, labels: Record<string, string>, node: string) =>
      storage.create(name, widget(name, { labels, node }));
    await put("a/x", { app: "web" }, "n1");
    await put("a/y", { app: "db" }, "n2");
    await put("ab/x", { app: "web", tier: "1" }, "n2");
    const list = (scope: Parameters<typeof withList>[1]) =>
      withList(storage, scope, (page, items) => [...namesOf(items), page.remaining]);
    assert.deepEqual(await list({ namespace: "a" }), ["a/x", "a/y", undefined]);
    assert.deepEqual(await list({ namespace: "a", name: "y" }), ["a/y", undefined]);
    assert.deepEqual(await list({ name: "x" }), ["a/x", "ab/x", undefined]);
    const label = (key: string, operator: "In" | "Exists", values: string[]) => ({
      labels: { requirements: [{ key, operator, values } as const] },
    });
    assert.deepEqual(await list(label("app", "In", ["web"])), ["a/x", "ab/x", undefined]);
    assert.deepEqual(await list(label("tier", "Exists", [])), ["ab/x", undefined]);
    assert.deepEqual(await list({ ...label("app", "In", ["web"]), limit: 1 }), ["a/x", undefined]);
    const fields = {
      requirements: [{ field: "spec.nodeName", operator: "=", value: "n2" } as const],
    };
    assert.deepEqual(await list({ fields }), ["a/y", "ab/x", undefined]);
    assert.deepEqual(await list({ labels: { requirements: [], nothing: true } }), [undefined]);
  });

  it("the list document is upstream's, whatever the size of the parts", async () => {
    const { storage } = fresh();
    for (const name of ["default/a", "default/b"]) await storage.create(name, widget(name));
    await withList(storage, { limit: 1 }, (page, items) => {
      const item = Buffer.from(items[0]?.json ?? []).toString();
      const meta = `{"continue":"tok","remainingItemCount":1,"resourceVersion":"${page.revision}"}`;
      const expected = `{"apiVersion":"example.com/v1","items":[${item}],"kind":"WidgetList","metadata":${meta}}\n`;
      assert.equal(documentOf(page, "tok"), expected);
    });
  });

  it("getInto gives the bytes of get, or leaves it to get", async () => {
    const { storage } = fresh();
    const made = await storage.create("default/a", widget("default/a"));
    const small = Buffer.alloc(10);
    const target = Buffer.alloc(10_000);
    for (const at of [mostRecent, notOlder(made.revision), any]) {
      const length = await storage.getInto?.("default/a", at, "json", target);
      if (length === undefined) continue;
      assert.equal(target.toString("utf8", 0, length), Buffer.from(made.json).toString());
      const asks = await storage.getInto?.("default/a", at, "json", small);
      assert.equal(asks, -100 - length);
      assert.equal(await storage.getInto?.("default/none", at, "json", target), 0);
    }
  });

  it("counts objects", async () => {
    const { storage } = fresh();
    const made = await storage.create("default/a", widget("default/a"));
    await storage.get("default/a", notOlder(made.revision));
    // A cache that is still being filled lets reads through: it counts once it has caught up.
    for (let tries = 0; tries < 500 && storage.count() === 0; tries++) await setTimeout(10);
    assert.equal(storage.count(), 1);
  });
}
