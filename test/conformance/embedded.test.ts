/** The contract suites against the embedded store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEmbeddedStore } from "../../src/storage/embedded/store.ts";
import { testBackend } from "./backend.ts";

testBackend("embedded", async () => {
  const directory = mkdtempSync(join(tmpdir(), "klystron-embedded-"));
  const backend = await openEmbeddedStore({ directory });
  const close = async (): Promise<void> => {
    await backend.close();
    rmSync(directory, { recursive: true });
  };
  return { backend, close };
});
