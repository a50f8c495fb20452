/** The loopback client as RBAC's reconciliation wants it. */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { GroupVersionResource } from "../apimachinery/runtime/gvk.ts";
import type { ObjectClient } from "../registry/rbac/reconcile.ts";
import type { ApiClient } from "./api-client.ts";

/** Paths from group, version, resource, namespace and name. */
export function rbacClient(client: ApiClient): ObjectClient {
  const collection = ({ group, version, resource }: GroupVersionResource, namespace: string) => {
    const scope = namespace === "" ? "" : `namespaces/${namespace}/`;
    return `/apis/${group}/${version}/${scope}${resource}`;
  };
  const item = (of: GroupVersionResource, namespace: string, name: string) =>
    `${collection(of, namespace)}/${encodeURIComponent(name)}`;
  return {
    list: async (of) => (await client.list<KubeObject>(collection(of, ""))).items,
    get: (of, namespace, name) => client.find<KubeObject>(item(of, namespace, name)),
    create: (of, namespace, object) => client.create(collection(of, namespace), object),
    update: (of, namespace, object) =>
      client.update(item(of, namespace, object.metadata?.name ?? ""), object),
    delete: (of, namespace, name, uid) =>
      client.delete(item(of, namespace, name), { preconditions: { uid } }),
  };
}
