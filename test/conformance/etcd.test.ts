/** The contract suites against a real etcd, when one can be had. */
import { describe, it } from "node:test";
import { createEtcdBackend } from "../../src/storage/etcd3/backend.ts";
import { createStorageFactory } from "../../src/storage/factory.ts";
import { findEtcd, TestEtcd } from "../tools/etcd.ts";
import { type BackendUnderTest, testBackend } from "./backend.ts";
import { testStorage } from "./storage.ts";

async function open(port: number): Promise<BackendUnderTest> {
  const etcd = new TestEtcd({ port });
  await etcd.start();
  const backend = createEtcdBackend({ endpoints: [etcd.endpoint] });
  const close = async (): Promise<void> => {
    await backend.close();
    await etcd.stop();
  };
  return { backend, close };
}

if (findEtcd() === undefined) {
  describe("backend: etcd", () => {
    it("needs an etcd binary", { skip: true }, () => {});
  });
} else {
  testBackend("etcd", () => open(21210));
  testStorage("JavaScript cache over etcd", async () => {
    const { backend, close: closeBackend } = await open(21212);
    const factory = createStorageFactory(backend);
    const close = async (): Promise<void> => {
      await factory.close();
      await closeBackend();
    };
    return { ...factory, close };
  });
}
