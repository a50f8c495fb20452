/** Defaults of Nodes, and their conversion. Upstream: SetDefaults_NodeStatus, core/v1/conversion.go. */
import type { Node } from "../types.ts";

/** Allocatable is the capacity until the node says otherwise; podCIDR is the first of podCIDRs. */
export function setNodeDefaults(node: Node): void {
  const { status, spec } = node;
  if (status?.capacity !== undefined && status.allocatable === undefined) {
    status.allocatable = { ...status.capacity };
  }
  if (spec === undefined) return;
  const first = spec.podCIDRs?.[0];
  if (spec.podCIDR) {
    if (first !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  } else if (first) spec.podCIDR = first;
}
