/** The contract suites against the native cache, fed by a cache thread over each store. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { BackendConfig } from "../../src/storage/cacher/control.ts";
import { findEtcd, TestEtcd } from "../tools/etcd.ts";
import { type StorageUnderTest, testStorage } from "./storage.ts";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const ADDON = join(ROOT, "build", "Release", "klystron.node");

async function open(
  backend: BackendConfig,
  after: () => Promise<void> | void,
): Promise<StorageUnderTest> {
  // Loaded late: without the addon these modules do not load.
  const { startCacheThread } = await import("../../src/storage/cacher/start-cache-thread.ts");
  const { openStorage } = await import("../../src/storage/cacher/open-storage.ts");
  const config = { backend, etcdPrefix: "/registry", compactionIntervalMs: 0, resources: [] };
  const thread = await startCacheThread(config, {
    workerUrl: new URL("../tools/cache-thread.mjs", import.meta.url),
  });
  const factory = await openStorage(thread.connect().ports);
  const close = async (): Promise<void> => {
    await factory.close();
    await thread.close();
    await after();
  };
  return { ...factory, close };
}

if (!existsSync(ADDON)) {
  describe("storage: native cache", () => {
    it("needs the addon", { skip: true }, () => {});
  });
} else {
  testStorage("native cache over the model", () => open({ kind: "model" }, () => {}));

  testStorage("native cache over the embedded store", () => {
    const directory = mkdtempSync(join(tmpdir(), "klystron-native-"));
    const clean = (): void => rmSync(directory, { recursive: true });
    return open({ kind: "embedded", directory }, clean);
  });

  if (findEtcd() !== undefined) {
    testStorage("native cache over etcd", async () => {
      const etcd = new TestEtcd({ port: 21220 });
      await etcd.start();
      const options = { endpoints: [etcd.endpoint] };
      return open({ kind: "etcd", etcd: options }, () => etcd.stop());
    });
  }
}
