/** Which kinds have their finalizers' names checked by the generic store. */
import type { ServedResource } from "./served-resource.ts";

/** Groups whose kinds have only the metadata rules of every API. */
const FINALIZERS_UNCHECKED: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "policy",
]);

/** Whether a finalizer without a domain is refused here unless it is a standard one. */
export function checksFinalizers({
  gvr,
  strategy,
  protobuf,
}: Pick<ServedResource, "gvr" | "protobuf" | "strategy">): boolean {
  return !strategy.ownMetadataRules && protobuf && !FINALIZERS_UNCHECKED.has(gvr.group);
}
