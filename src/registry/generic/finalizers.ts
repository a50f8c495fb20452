/** Which kinds have their finalizers' names checked by the generic store. */
import type { ServedResource } from "./served-resource.ts";

/** Groups whose kinds have only the metadata rules of every API, or name finalizers themselves. */
const FINALIZERS_UNCHECKED_HERE: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "apps",
  "batch",
  "coordination.k8s.io",
  "node.k8s.io",
  "policy",
]);
const FINALIZERS_IN_STRATEGY: ReadonlySet<string> = new Set([
  "pods",
  "podtemplates",
  "replicationcontrollers",
]);

/** Whether a finalizer without a domain is refused here unless it is a standard one. */
export function checksFinalizers({ gvr, strategy, protobuf }: ServedResource): boolean {
  if (strategy.ownMetadataRules || !protobuf || FINALIZERS_UNCHECKED_HERE.has(gvr.group))
    return false;
  return gvr.group !== "" || !FINALIZERS_IN_STRATEGY.has(gvr.resource);
}
