// Only where the server runs from its sources: Node 20 does not hand a loader down to threads.
import { register } from "tsx/esm/api";

register();
await import("./cache-thread.ts");
