/** Admission's and authorization's view of objects: this thread's storage, decoded. */
import type { Listers } from "../admission/plugin.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { cloneJson } from "../apimachinery/runtime/clone.ts";
import type { GroupResource } from "../apimachinery/runtime/gvk.ts";
import type { ReadAt, Revision, Stored, WatchCursor } from "../storage/interfaces.ts";
import { decodeStored } from "./generic/object-codec.ts";
import { type ServedResource, storageName } from "./generic/served-resource.ts";
import type { ServedResources } from "./install.ts";

/** Events taken at a time by onChange, which only counts them. */
const EVENTS_PER_READ = 256;
const RESUME_DELAY_MS = 1000;

/** Objects kept decoded, at most: with every write admission asks for the same few. */
const DECODED_MAX = 512;

/** The last decoded state of objects, by resource and key. */
class DecodedObjects {
  readonly #known = new WeakMap<ServedResource, Map<string, Decoded>>();

  /** A fresh copy of the stored object. */
  copyOf<T extends KubeObject>(resource: ServedResource, stored: Stored): T {
    let ofResource = this.#known.get(resource);
    if (ofResource === undefined) {
      ofResource = new Map();
      this.#known.set(resource, ofResource);
    }
    const known = ofResource.get(stored.name);
    if (known?.revision === stored.revision) return cloneJson(known.object) as T;
    const object = decodeStored<T>(stored, resource.storageSchema);
    if (known === undefined && ofResource.size >= DECODED_MAX) ofResource.clear();
    ofResource.set(stored.name, { revision: stored.revision, object });
    return cloneJson(object);
  }
}

interface Decoded {
  readonly revision: Revision;
  readonly object: KubeObject;
}

export function createListers(served: () => ServedResources): Listers {
  const decoded = new DecodedObjects();
  const get = async <T extends KubeObject>(
    of: GroupResource,
    namespace: string,
    name: string,
    at: ReadAt,
  ): Promise<T | undefined> => {
    const resource = served().find(of.group, of.resource);
    if (resource?.storage === undefined) return undefined;
    const stored = await resource.storage.get(storageName(resource, namespace, name), at);
    return stored === undefined ? undefined : decoded.copyOf<T>(resource, stored);
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
