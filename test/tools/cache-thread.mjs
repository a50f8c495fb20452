// The cache thread from its source: Node 20 does not hand tsx down to threads.
import { register } from "tsx/esm/api";

register();
await import("../../src/storage/cacher/cache-thread.ts");
