/** The contract suites against the model. */

import { createStorageFactory } from "../../src/storage/factory.ts";
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { testBackend } from "./backend.ts";
import { testStorage } from "./storage.ts";

testBackend("model", async () => {
  const backend = createModelBackend();
  return { backend, close: () => backend.close() };
});

testStorage("JavaScript cache over the model", async () => {
  const backend = createModelBackend();
  const factory = createStorageFactory(backend);
  const close = async (): Promise<void> => {
    await factory.close();
    await backend.close();
  };
  return { ...factory, close };
});
