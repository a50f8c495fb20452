/** The contract suites against the embedded store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { createStorageFactory } from "../../src/storage/factory.ts";
import { type BackendUnderTest, testBackend } from "./backend.ts";
import { testStorage } from "./storage.ts";

async function open(): Promise<BackendUnderTest> {
  const directory = mkdtempSync(join(tmpdir(), "klystron-embedded-"));
  const backend = await openEmbeddedStore({ directory });
  const close = async (): Promise<void> => {
    await backend.close();
    rmSync(directory, { recursive: true });
  };
  return { backend, close };
}

testBackend("embedded", open);

testStorage("JavaScript cache over the embedded store", async () => {
  const { backend, close: closeBackend } = await open();
  const factory = createStorageFactory(backend);
  const close = async (): Promise<void> => {
    await factory.close();
    await closeBackend();
  };
  return { ...factory, close };
});
