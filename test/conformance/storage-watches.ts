/** Storage's watches: what is sent first, what follows, what a filter makes of it. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { asRevision } from "../../src/storage/interfaces.ts";
import { any, mostRecent, openWatch, parse, readEvents, typesOf, widget } from "./objects.ts";
import type { Fresh } from "./storage.ts";

export function testWatches(fresh: Fresh): void {
  it("ordered and reliable: every change after a revision, once, in order", async () => {
    const { storage } = fresh();
    const first = await storage.create("default/a", widget("default/a"));
    const cursor = await openWatch(storage, {
      from: { kind: "After", revision: first.revision },
    });
    const expected: string[] = [];
    for (let i = 0; i < 50; i++) {
      await storage.create(`default/n${i}`, widget(`default/n${i}`));
      expected.push(`ADDED n${i}`);
      if (i % 3 !== 0) continue;
      const json = widget(`default/n${i}`, { n: 1 });
      await storage.guaranteedUpdate(`default/n${i}`, {}, () => ({ json }));
      await storage.delete(`default/n${i}`, () => {});
      expected.push(`MODIFIED n${i}`, `DELETED n${i}`);
    }
    const events = await readEvents(cursor, expected.length);
    assert.deepEqual(typesOf(events), expected);
    const revisions = events.map((e) => e.revision);
    assert.deepEqual(
      revisions,
      [...revisions].sort((a, b) => a - b),
    );
    assert.equal(new Set(revisions).size, revisions.length);
    for (const e of events) assert.equal(parse(e.json).metadata.resourceVersion, `${e.revision}`);
    assert.ok(cursor.revision >= (revisions[revisions.length - 1] ?? 0));
    cursor.close();
    assert.equal(cursor.read(1).kind, "closed");
  });

  it("resumable: a second watch continues where the first was read to", async () => {
    const { storage } = fresh();
    const made = [];
    for (let i = 0; i < 10; i++) {
      made.push(await storage.create(`default/a${i}`, widget(`default/a${i}`)));
    }
    for (const at of [0, 4, 8]) {
      const revision = made[at]?.revision ?? asRevision(0);
      const cursor = await openWatch(storage, { from: { kind: "After", revision } });
      const events = await readEvents(cursor, 9 - at);
      assert.deepEqual(
        typesOf(events),
        Array.from({ length: 9 - at }, (_, i) => `ADDED a${at + 1 + i}`),
      );
      cursor.close();
    }
  });

  it("StateThenChanges: what exists as ADDED by name, then changes", async () => {
    const { storage } = fresh();
    for (const name of ["b", "a"])
      await storage.create(`default/${name}`, widget(`default/${name}`));
    const cursor = await openWatch(storage, {
      from: { kind: "StateThenChanges", at: mostRecent },
    });
    await storage.create("default/c", widget("default/c"));
    const events = await readEvents(cursor, 3);
    assert.deepEqual(typesOf(events), ["ADDED a", "ADDED b", "ADDED c"]);
    cursor.close();
  });

  it("bookmarkable: InitialEvents end with the annotated bookmark at the state's revision", async () => {
    const { storage } = fresh();
    await storage.create("default/a", widget("default/a"));
    const last = await storage.create("default/b", widget("default/b"));
    const cursor = await openWatch(storage, {
      from: { kind: "InitialEvents", at: mostRecent },
      bookmarks: true,
    });
    const events = await readEvents(cursor, 3);
    assert.deepEqual(typesOf(events), ["ADDED a", "ADDED b", "BOOKMARK"]);
    const mark = parse(events[2]?.json);
    assert.equal(mark.kind, "Widget");
    assert.ok(Number(mark.metadata.resourceVersion) >= last.revision);
    assert.equal(mark.metadata.annotations?.["k8s.io/initial-events-end"], "true");
    const c = await storage.create("default/c", widget("default/c"));
    const [next] = await readEvents(cursor, 1);
    assert.equal(next?.revision, c.revision);
    cursor.close();
  });

  it("bookmarkable: a quiet watch that is asked for a bookmark sends one, behind all events", async () => {
    const { storage } = fresh();
    const cursor = await openWatch(storage, { bookmarks: true });
    const a = await storage.create("default/a", widget("default/a"));
    await readEvents(cursor, 1);
    cursor.bookmark();
    const [mark] = await readEvents(cursor, 1);
    assert.equal(mark?.type, "BOOKMARK");
    assert.ok((mark?.revision ?? 0) >= a.revision);
    assert.equal(parse(mark?.json).metadata.annotations, undefined);
    cursor.close();

    const silent = await openWatch(storage, { bookmarks: false });
    silent.bookmark();
    const b = await storage.create("default/b", widget("default/b"));
    const [only] = await readEvents(silent, 1);
    assert.deepEqual([only?.type, only?.revision], ["ADDED", b.revision]);
    silent.close();
  });

  it("Now: nothing of what exists", async () => {
    const { storage } = fresh();
    await storage.create("default/a", widget("default/a"));
    const cursor = await openWatch(storage, {});
    await storage.create("default/b", widget("default/b"));
    assert.deepEqual(typesOf(await readEvents(cursor, 1)), ["ADDED b"]);
    cursor.close();
  });

  it("a selector turns changes into ADDED, MODIFIED and DELETED of what it selects", async () => {
    const { storage } = fresh();
    const requirements = [{ key: "app", operator: "In", values: ["web"] } as const];
    const cursor = await openWatch(storage, { labels: { requirements } });
    const update = (app: string, n: number) =>
      storage.guaranteedUpdate("default/a", {}, () => ({
        json: widget("default/a", { labels: { app }, n }),
      }));
    await storage.create("default/a", widget("default/a", { labels: { app: "db" } }));
    await update("web", 1);
    await update("web", 2);
    const left = await update("db", 3);
    await update("web", 4);
    await storage.delete("default/a", () => {});
    const events = await readEvents(cursor, 5);
    assert.deepEqual(typesOf(events), [
      "ADDED a",
      "MODIFIED a",
      "DELETED a",
      "ADDED a",
      "DELETED a",
    ]);
    // What left the selection is shown as it was, under the revision of the change.
    assert.equal(parse(events[2]?.json).spec.n, 2);
    assert.equal(parse(events[2]?.json).metadata.resourceVersion, String(left.revision));
    cursor.close();
  });

  it("a scope sees nothing of other namespaces and names", async () => {
    const { storage } = fresh();
    const cursor = await openWatch(storage, { namespace: "a" });
    const single = await openWatch(storage, { namespace: "a", name: "y" });
    for (const name of ["ab/x", "a/x", "b/y", "a/y"]) await storage.create(name, widget(name));
    assert.deepEqual(typesOf(await readEvents(cursor, 2)), ["ADDED x", "ADDED y"]);
    assert.deepEqual(typesOf(await readEvents(single, 1)), ["ADDED y"]);
    cursor.close();
    single.close();
  });

  it("a revision before the history expires, in upstream's words", async () => {
    const { storage } = fresh();
    await storage.create("default/a", widget("default/a"));
    await storage.get("default/a", mostRecent);
    const cursor = await openWatch(storage, {
      from: { kind: "After", revision: asRevision(1) },
    });
    let read = cursor.read(10);
    for (let i = 0; i < 50 && read.kind === "events"; i++) {
      await new Promise((go) => setTimeout(go, 10));
      read = cursor.read(10);
    }
    assert.equal(read.kind, "expired");
    if (read.kind === "expired") {
      assert.match(read.message, /^too old resource version: 1 \(\d+\)$/);
    }
    cursor.close();
  });

  it("wakes its reader when there is something, from any state", async () => {
    const { storage } = fresh();
    const cursor = await openWatch(storage, {
      from: { kind: "StateThenChanges", at: any },
    });
    const woken = new Promise<void>((resolve) => cursor.onReadable(resolve));
    cursor.read(10);
    await storage.create("default/a", widget("default/a"));
    await woken;
    cursor.close();
  });
}
