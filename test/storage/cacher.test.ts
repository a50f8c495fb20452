/** Resources that come, go and change while the server runs, as CustomResourceDefinitions do. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  freshConfig,
  mostRecent,
  namesOf,
  openWatch,
  widget,
  withList,
} from "../conformance/objects.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const skip = !existsSync(join(root, "build", "Release", "klystron.node"));

async function open() {
  const { startCacheThread } = await import("../../src/storage/cacher/start-cache-thread.ts");
  const { openStorage } = await import("../../src/storage/cacher/open-storage.ts");
  const backend = { kind: "model" } as const;
  const config = { backend, etcdPrefix: "/registry", compactionIntervalMs: 0, resources: [] };
  const workerUrl = new URL("../tools/cache-thread.mjs", import.meta.url);
  const thread = await startCacheThread(config, { workerUrl });
  const factories = [
    await openStorage(thread.connect().ports),
    await openStorage(thread.connect().ports),
  ] as const;
  const close = async (): Promise<void> => {
    for (const factory of factories) await factory.close();
    await thread.close();
  };
  return { factories, close };
}

describe("cache thread", { skip }, () => {
  test("a resource that every thread removed and that comes back is served anew, in every thread", async () => {
    const { factories, close } = await open();
    const [a, b] = factories;
    const config = freshConfig();
    await a.for(config).create("default/x", widget("default/x"));
    const watching = await openWatch(b.for(config), {});
    const old = b.for(config);
    // What the threads say goes by ports of their own.
    await new Promise((go) => setTimeout(go, 200));
    a.remove(config);
    await new Promise((go) => setTimeout(go, 50));
    assert.equal(watching.read(1).kind, "events", "the other thread still holds it");
    b.remove(config);
    for (let i = 0; i < 100 && watching.read(1).kind === "events"; i++) {
      await new Promise((go) => setTimeout(go, 10));
    }
    assert.equal(watching.read(1).kind, "closed");
    const again = a.for(config);
    await again.create("default/y", widget("default/y"));
    for (const storage of [again, old, b.for(config)]) {
      await withList(storage, {}, (_, items) =>
        assert.deepEqual(namesOf(items), ["default/x", "default/y"]),
      );
    }
    await close();
  });

  test("a resource whose selectable fields change is cached by the new ones", async () => {
    const { factories, close } = await open();
    const [a] = factories;
    const config = freshConfig({ fieldPaths: [] });
    await a.for(config).create("default/x", widget("default/x", { node: "n1" }));
    assert.ok(await a.for(config).get("default/x", mostRecent));
    const changed = { ...config, fieldPaths: ["spec.nodeName"] };
    const storage = a.for(changed);
    assert.notEqual(storage, undefined);
    const fields = {
      requirements: [{ field: "spec.nodeName", operator: "=", value: "n1" } as const],
    };
    for (let i = 0; i < 100; i++) {
      const found = await withList(storage, { fields }, (_, items) => namesOf(items));
      if (found.length === 1) break;
      await new Promise((go) => setTimeout(go, 20));
    }
    await withList(storage, { fields }, (_, items) => {
      assert.deepEqual(namesOf(items), ["default/x"]);
    });
    await close();
  });

  test("closing refuses later calls and ends what waits", async () => {
    const { factories, close } = await open();
    const config = freshConfig();
    const storage = factories[0].for(config);
    await storage.create("default/x", widget("default/x"));
    await close();
    await assert.rejects(storage.create("default/y", widget("default/y")), /thread has gone/);
  });
});
