/** Defaults of Namespaces. Upstream: SetDefaults_Namespace and SetDefaults_NamespaceStatus. */
import type { Namespace } from "../types.ts";

export const METADATA_NAME_LABEL = "kubernetes.io/metadata.name";

/** Every namespace carries its name as a label, for namespace selectors. */
export function setNamespaceDefaults(namespace: Namespace): void {
  const metadata = namespace.metadata;
  if (metadata?.name) {
    metadata.labels ??= {};
    metadata.labels[METADATA_NAME_LABEL] = metadata.name;
  }
  namespace.status ??= {};
  namespace.status.phase ||= "Active";
}
