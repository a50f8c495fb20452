/** The contract suites against the model. */
import { createModelBackend } from "../../src/storage/model/memory-log.ts";
import { testBackend } from "./backend.ts";

testBackend("model", async () => {
  const backend = createModelBackend();
  return { backend, close: () => backend.close() };
});
