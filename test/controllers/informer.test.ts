import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { KubeObject } from "../../src/apimachinery/meta/types.ts";
import {
  type ApiClient,
  ApiError,
  type WatchEventObject,
} from "../../src/controllers/api-client.ts";
import { Informer } from "../../src/controllers/informer.ts";

type Script = readonly WatchEventObject[] | Error | "hang";

/** Answers each watch with the next script; the last one never ends. */
function follow(t: TestContext, scripts: readonly Script[], metadataOnly = true) {
  const paths: string[] = [];
  const seen: string[] = [];
  const deleted: KubeObject[] = [];
  const stop = new AbortController();
  const alive = setInterval(() => {}, 1_000); // its pauses keep nothing alive
  t.after(() => {
    stop.abort();
    clearInterval(alive);
  });
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  const client = {
    async watch(path: string, onEvent: (event: WatchEventObject) => void) {
      const script = scripts[paths.length];
      paths.push(path);
      if (script === undefined || script === "hang") {
        resolve();
        await new Promise(() => {});
      } else if (script instanceof Error) throw script;
      else for (const event of script) onEvent(event);
    },
  } as unknown as ApiClient;
  const handlers = {
    onChange: (object: KubeObject) => seen.push(`+${object.metadata?.name}`),
    onDelete: (object: KubeObject) => {
      seen.push(`-${object.metadata?.name}`);
      deleted.push(object);
    },
  };
  const options = { metadataOnly, signal: stop.signal };
  const informer = new Informer<KubeObject>(client, "/api/v1/pods", handlers, options);
  return { paths, seen, deleted, informer, allPlayed: promise };
}

const object = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, namespace: "ns", uid: `uid-${name}`, resourceVersion, labels: { a: "b" } },
});
const event = (type: WatchEventObject["type"], name: string, version: string) => ({
  type,
  object: object(name, version),
});
const bookmark = (resourceVersion: string, isEnd = false): WatchEventObject => {
  const annotations = isEnd ? { "k8s.io/initial-events-end": "true" } : {};
  return { type: "BOOKMARK", object: { metadata: { resourceVersion, annotations } } };
};
const INITIAL =
  "/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=0" +
  "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
const from = (version: string) =>
  `/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=${version}`;

test("one watch tells what there is and goes on; the next goes on from there", async (t) => {
  const { paths, seen, informer, allPlayed } = follow(t, [
    [event("ADDED", "a", "3"), event("ADDED", "b", "2"), bookmark("5", true)],
    [event("MODIFIED", "a", "6"), event("DELETED", "b", "7"), bookmark("9")],
    "hang",
  ]);
  await informer.synced;
  await allPlayed;
  assert.deepEqual(seen, ["+a", "+b", "+a", "-b"]);
  assert.deepEqual(paths, [INITIAL, from("5"), from("9")]);
});

test("after a version that is gone all is told again, and what went missing", async (t) => {
  const { paths, seen, deleted, allPlayed } = follow(t, [
    [event("ADDED", "a", "3"), event("ADDED", "b", "2"), bookmark("5", true)],
    new ApiError(410, "Expired", "too old"),
    [event("ADDED", "a", "3"), bookmark("20", true)],
    "hang",
  ]);
  await allPlayed;
  assert.deepEqual(seen, ["+a", "+b", "+a", "-b"]);
  assert.deepEqual(paths, [INITIAL, from("5"), INITIAL, from("20")]);
  assert.deepEqual(deleted, [{ metadata: { uid: "uid-b", namespace: "ns", name: "b" } }]);
});

test("a watch that ends before all has been told starts again, and nothing is missed", async (t) => {
  const { paths, seen, allPlayed } = follow(t, [
    [event("ADDED", "a", "3")],
    [event("ADDED", "a", "3"), event("ADDED", "b", "2"), bookmark("5", true)],
    "hang",
  ]);
  await allPlayed;
  assert.deepEqual(seen, ["+a", "+a", "+b"]);
  assert.deepEqual(paths, [INITIAL, INITIAL, from("5")]);
});

test("an ERROR event ends the watch", async (t) => {
  const error = { type: "ERROR", object: { code: 410, message: "too old" } } as WatchEventObject;
  const { paths, allPlayed } = follow(t, [
    [event("ADDED", "a", "3"), bookmark("5", true)],
    [error, event("ADDED", "never", "6")],
    [bookmark("7", true)],
    "hang",
  ]);
  await allPlayed;
  assert.deepEqual(paths, [INITIAL, from("5"), INITIAL, from("7")]);
});

test("whole objects are kept where they are asked for", async (t) => {
  const scripts: Script[] = [[event("ADDED", "a", "3"), bookmark("5", true)]];
  scripts.push(new ApiError(410, "Expired", ""), [bookmark("9", true)], "hang");
  const { deleted, allPlayed } = follow(t, scripts, false);
  await allPlayed;
  assert.deepEqual(deleted, [object("a", "3")]);
});
