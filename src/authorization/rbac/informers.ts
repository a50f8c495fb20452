/** Keeps a RbacIndex in step with the store. */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { Storage } from "../../storage/interfaces.ts";
import { type Informer, startInformer } from "../informer.ts";
import type { RbacIndex } from "./index.ts";

export const RBAC_GROUP = "rbac.authorization.k8s.io";

/** Follows the four kinds. `synced` resolves when all of them have been read. */
export function followRbac(
  index: RbacIndex,
  storageOf: (group: string, resource: string) => Storage | undefined,
  onError: (error: unknown) => void,
): Informer {
  const follow = <T extends KubeObject>(
    resource: string,
    upsert: (object: T) => void,
    remove: (object: T) => void,
  ): Informer[] => {
    const storage = storageOf(RBAC_GROUP, resource);
    return storage === undefined ? [] : [startInformer<T>(storage, { upsert, remove }, onError)];
  };
  const informers = [
    ...follow(
      "clusterroles",
      (one) => index.setClusterRole(one),
      (one) => index.removeClusterRole(one),
    ),
    ...follow(
      "roles",
      (one) => index.setRole(one),
      (one) => index.removeRole(one),
    ),
    ...follow(
      "clusterrolebindings",
      (one) => index.setBinding(one),
      (one) => index.removeBinding(one),
    ),
    ...follow(
      "rolebindings",
      (one) => index.setBinding(one),
      (one) => index.removeBinding(one),
    ),
  ];
  return {
    synced: Promise.all(informers.map((one) => one.synced)).then(() => {}),
    close: () => {
      for (const one of informers) one.close();
    },
  };
}
