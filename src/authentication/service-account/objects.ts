/** The live objects that service account tokens stand and fall with. */
import type { Listers } from "../../admission/plugin.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";

export interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
  readonly type?: string;
}
export interface TokenObjects {
  serviceAccount(namespace: string, name: string): Promise<KubeObject | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  pod(namespace: string, name: string): Promise<KubeObject | undefined>;
  node(name: string): Promise<KubeObject | undefined>;
}

/** From the cache; what is missing there is asked of the store: it may be newer than the cache. */
export function tokenObjects(listers: Listers): TokenObjects {
  const get = async <T extends KubeObject>(resource: string, namespace: string, name: string) => {
    const of = { group: "", resource };
    const cached = await listers.get<T>(of, namespace, name);
    return cached ?? (await listers.getFresh<T>(of, namespace, name));
  };
  return {
    serviceAccount: (namespace, name) => get("serviceaccounts", namespace, name),
    secret: (namespace, name) => get<Secret>("secrets", namespace, name),
    pod: (namespace, name) => get("pods", namespace, name),
    node: (name) => get("nodes", "", name),
  };
}
