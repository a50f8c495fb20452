/** Defaults of EndpointSlices. Upstream: pkg/apis/discovery/v1/defaults.go. */
import type { EndpointSlice } from "../types.ts";

export function setEndpointSliceDefaults({ ports }: EndpointSlice): void {
  for (const port of ports ?? []) {
    port.name ??= "";
    port.protocol ??= "TCP";
  }
}
