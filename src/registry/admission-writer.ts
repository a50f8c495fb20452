/** Admission's own writes: usage of quotas, and namespaces made on the way. */
import type { ObjectWriter } from "../admission/plugin.ts";
import { StatusError } from "../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../apimachinery/meta/types.ts";
import type { GroupResource } from "../apimachinery/runtime/gvk.ts";
import { GROUP_AUTHENTICATED, GROUP_PRIVILEGED } from "../request/user-info.ts";
import { isStorageError } from "../storage/errors.ts";
import { decodeStored, encodeForStorage } from "./generic/object-codec.ts";
import { storageName } from "./generic/served-resource.ts";
import { createObject } from "./generic/store.ts";
import type { ServedResources } from "./install.ts";

/** The stored object is not the one that was to be replaced. */
class Moved extends Error {}

const SELF = {
  name: "system:apiserver",
  uid: "",
  groups: [GROUP_PRIVILEGED, GROUP_AUTHENTICATED],
  extra: {},
};

export function createAdmissionWriter(
  served: () => ServedResources,
  gate: (name: string) => boolean,
): ObjectWriter {
  const find = ({ group, resource }: GroupResource) => served().find(group, resource);
  return {
    async replace<T extends KubeObject>(of: GroupResource, object: T): Promise<T | undefined> {
      const resource = find(of);
      if (resource?.storage === undefined) return undefined;
      const { name = "", namespace = "", resourceVersion = "" } = metadataOf(object);
      const json = encodeForStorage(object, resource.storageSchema);
      const key = storageName(resource, namespace, name);
      try {
        const stored = await resource.storage.guaranteedUpdate(key, {}, (current) => {
          if (String(current?.revision) !== resourceVersion) throw new Moved();
          return { json };
        });
        return decodeStored<T>(stored, resource.storageSchema);
      } catch (error) {
        if (error instanceof Moved || isStorageError(error, "KeyNotFound")) return undefined;
        throw error;
      }
    },

    async createNamespace(name) {
      const resource = find({ group: "", resource: "namespaces" });
      if (resource === undefined) return;
      const namespace: KubeObject = { kind: "Namespace", apiVersion: "v1", metadata: { name } };
      resource.setStorageDefaults(namespace);
      const context = {
        user: SELF,
        namespace: "",
        requestApiVersion: "v1",
        subresource: "",
        dryRun: false,
        gate,
        allowPrivileged: true,
        now: () => new Date(),
        storage: (group: string, plural: string) => served().find(group, plural)?.storage,
        addWarning: () => undefined,
      };
      try {
        await createObject(resource, context, namespace, async () => undefined);
      } catch (error) {
        if (!(error instanceof StatusError && error.reason === "AlreadyExists")) throw error;
      }
    },
  };
}
