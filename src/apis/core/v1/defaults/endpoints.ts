/** Defaults of Endpoints. Upstream: SetDefaults_Endpoints. */
import type { Endpoints } from "../types.ts";

export function setEndpointsDefaults({ subsets }: Endpoints): void {
  for (const { ports } of subsets ?? []) {
    for (const port of ports ?? []) port.protocol ||= "TCP";
  }
}
