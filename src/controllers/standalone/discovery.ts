/** Which resources there are to clean up, from the server's own discovery. */
import type { ApiClient } from "../api-client.ts";

export interface DeletableResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

interface GroupDiscovery {
  readonly metadata?: { readonly name?: string };
  readonly versions: readonly {
    readonly version: string;
    readonly resources?: readonly {
      readonly resource: string;
      readonly responseKind: { readonly kind: string };
      readonly scope: "Namespaced" | "Cluster";
      readonly verbs: readonly string[];
    }[];
  }[];
}
const ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** Every resource in its preferred version; the same resource of two groups counts twice. */
export async function discoverResources(client: ApiClient): Promise<DeletableResource[]> {
  const found: DeletableResource[] = [];
  for (const root of ["/api", "/apis"]) {
    const document = (await client.raw(root, ACCEPT)) as { items?: readonly GroupDiscovery[] };
    for (const { metadata, versions } of document.items ?? []) {
      const seen = new Set<string>();
      for (const { version, resources } of versions) {
        for (const { resource, responseKind, scope, verbs } of resources ?? []) {
          if (seen.has(resource)) continue;
          seen.add(resource);
          const namespaced = scope === "Namespaced";
          const { kind } = responseKind;
          found.push({ group: metadata?.name ?? "", version, resource, kind, namespaced, verbs });
        }
      }
    }
  }
  return found;
}

/** `/apis/apps/v1/namespaces/x/deployments`; over all namespaces without one. */
export function collectionPath(of: DeletableResource, namespace = ""): string {
  const root = of.group === "" ? `/api/${of.version}` : `/apis/${of.group}/${of.version}`;
  const scope = of.namespaced && namespace !== "" ? `/namespaces/${namespace}` : "";
  return `${root}${scope}/${of.resource}`;
}
