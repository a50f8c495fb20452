/** The contract suites against a real etcd, when one can be had. */
import { describe, it } from "node:test";
import { createEtcdBackend } from "../../src/storage/etcd3/backend.ts";
import { findEtcd, TestEtcd } from "../tools/etcd.ts";
import { testBackend } from "./backend.ts";

if (findEtcd() === undefined) {
  describe("backend: etcd", () => it("needs an etcd binary", { skip: true }, () => {}));
} else {
  testBackend("etcd", async () => {
    const etcd = new TestEtcd({ port: 21210 });
    await etcd.start();
    const backend = createEtcdBackend({ endpoints: [etcd.endpoint] });
    const close = async (): Promise<void> => {
      await backend.close();
      await etcd.stop();
    };
    return { backend, close };
  });
}
