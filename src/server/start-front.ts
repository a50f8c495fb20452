/** Chooses the front: uWebSockets.js where it loads, node:https elsewhere. */
import { logInfo, logWarning } from "../metrics/log.ts";
import type { Front, FrontConfig } from "./front.ts";
import type { Acceptor } from "./front-uws-acceptor.ts";

export type FrontChoice = "uws" | "node";

/**
 * Never fails for `uws`: when the library can not load, one line says why and node serves.
 * `acceptor`: who accepts for this front and others; undefined: the front itself.
 */
export async function createFront(
  choice: FrontChoice,
  config: FrontConfig,
  acceptor?: Acceptor,
): Promise<Front> {
  if (choice === "uws") {
    try {
      const { createUwsFront } = await import("./front-uws.ts");
      return await createUwsFront(config, acceptor);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      logWarning("uWebSockets.js does not load here; serving with node:https", { why });
    }
  }
  const { NodeFront } = await import("./front-node.ts");
  logInfo("Serving with node:https", {}, 2);
  return new NodeFront(config);
}
