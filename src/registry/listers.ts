/** Admission's and authorization's view of objects: this thread's storage, decoded. */
import type { Listers } from "../admission/plugin.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { GroupResource } from "../apimachinery/runtime/gvk.ts";
import type { ReadAt, WatchCursor } from "../storage/interfaces.ts";
import { decodeStored } from "./generic/object-codec.ts";
import { storageName } from "./generic/served-resource.ts";
import type { ServedResources } from "./install.ts";

/** Events taken at a time by onChange, which only counts them. */
const EVENTS_PER_READ = 256;
const RESUME_DELAY_MS = 1000;

export function createListers(served: () => ServedResources): Listers {
  const get = async <T extends KubeObject>(
    of: GroupResource,
    namespace: string,
    name: string,
    at: ReadAt,
  ): Promise<T | undefined> => {
    const resource = served().find(of.group, of.resource);
    if (resource?.storage === undefined) return undefined;
    const stored = await resource.storage.get(storageName(resource, namespace, name), at);
    return stored === undefined ? undefined : decodeStored<T>(stored, resource.storageSchema);
  };
  return {
    get: (of, namespace, name) => get(of, namespace, name, { kind: "Any" }),
    getFresh: (of, namespace, name) => get(of, namespace, name, { kind: "MostRecent" }),
    async list<T extends KubeObject>(of: GroupResource, namespace: string): Promise<readonly T[]> {
      const resource = served().find(of.group, of.resource);
      if (resource?.storage === undefined || resource.storage.knownEmpty?.() === true) return [];
      const scope = namespace === "" ? {} : { namespace };
      const page = await resource.storage.list({ ...scope, at: { kind: "Any" }, limit: 0 });
      try {
        return [...page.items()].map((stored) => decodeStored<T>(stored, resource.storageSchema));
      } finally {
        page.close();
      }
    },
    onChange(of, callback) {
      const follow = async () => {
        const storage = served().find(of.group, of.resource)?.storage;
        if (storage === undefined) return;
        const cursor = await storage.watch({
          from: { kind: "Now" },
          bookmarks: false,
          encoding: "metadata-json",
        });
        callback();
        drain(cursor, callback, () => setTimeout(retry, RESUME_DELAY_MS).unref());
      };
      const retry = () => {
        follow().catch(() => setTimeout(retry, RESUME_DELAY_MS).unref());
      };
      retry();
    },
  };
}

/** Reads whatever is there on every wake-up; a cursor that ends is followed by a new one. */
function drain(cursor: WatchCursor, callback: () => void, ended: () => void): void {
  const readAll = () => {
    let changed = false;
    for (;;) {
      const read = cursor.read(EVENTS_PER_READ);
      if (read.kind !== "events") {
        cursor.close();
        ended();
        return;
      }
      if (read.events.length === 0) break;
      changed = true;
    }
    if (changed) callback();
  };
  cursor.onReadable(readAll);
  readAll();
}
