/** The contract suites against a store behind a MessagePort. */
import { MessageChannel } from "node:worker_threads";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { KvClient } from "../../src/storage/rpc/client.ts";
import { serveKv } from "../../src/storage/rpc/server.ts";
import { testBackend } from "./backend.ts";

testBackend("model over a port", async () => {
  const model = createModelBackend();
  const { port1, port2 } = new MessageChannel();
  serveKv(port1, model);
  const backend = new KvClient(port2);
  const close = async (): Promise<void> => {
    await backend.close();
    await model.close();
  };
  return { backend, close };
});
