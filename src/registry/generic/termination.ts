/**
 * Deletions that only begin: the object is marked and goes once what hangs on it has gone.
 * Upstream: pkg/registry/core/namespace/storage/storage.go and
 * apiextensions-apiserver/pkg/registry/customresourcedefinition/etcd.go, which share the course.
 */
import * as api from "../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../apimachinery/meta/types.ts";
import type { AdmitDelete, DeleteOptions, DeleteResult } from "./delete.ts";
import { decodeStored, encodeForStorage } from "./object-codec.ts";
import { keepsProtobuf, type ServedResource } from "./served-resource.ts";
import { interpreted, secondsOf, storageOf, type WriteContext, withSignal } from "./store.ts";

export interface Termination<T extends KubeObject> {
  readonly name: string;
  readonly options: DeleteOptions;
  readonly admit: AdmitDelete;
  /** Marks an object whose deletionTimestamp is set already; `now` in RFC3339 seconds. */
  readonly mark: (object: T, now: string) => void;
}

/**
 * Admits, stamps and marks the object; `current` serves a dry run. Throws 409 for preconditions
 * that do not hold, and 404 when the object has gone.
 */
export async function beginTermination<T extends KubeObject>(
  resource: ServedResource,
  context: WriteContext,
  current: T,
  { name, options, admit, mark }: Termination<T>,
): Promise<DeleteResult> {
  const terminate = async (object: T) => {
    checkDeletePreconditions(resource, name, options, object);
    await admit(object);
    const now = secondsOf(context.now());
    metadataOf(object).deletionTimestamp ??= now;
    mark(object, now);
    return object;
  };
  if (context.dryRun) {
    return { object: await terminate(current), deleted: false, pending: false };
  }
  let object = current;
  try {
    const storage = storageOf(resource);
    const stored = await storage.guaranteedUpdate(name, withSignal(context), async (latest) => {
      if (latest === undefined) throw api.notFound(resource.groupResource, name);
      object = await terminate(decodeStored<T>(latest, resource.storageSchema));
      return { json: encodeForStorage(object, resource.storageSchema, keepsProtobuf(resource)) };
    });
    metadataOf(object).resourceVersion = String(stored.revision);
    return { object, deleted: false, pending: false };
  } catch (error) {
    throw interpreted(error, resource, "delete", name);
  }
}

/** Throws 409 in the words of these deletions, which are the storage's and not the generic ones. */
export function checkDeletePreconditions(
  resource: ServedResource,
  name: string,
  { preconditions }: DeleteOptions,
  object: KubeObject,
): void {
  const { uid = "", resourceVersion = "" } = metadataOf(object);
  if (preconditions?.uid && preconditions.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${preconditions.uid}, UID in object meta: ${uid}`;
    throw api.conflict(resource.groupResource, name, why);
  }
  if (preconditions?.resourceVersion && preconditions.resourceVersion !== resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${preconditions.resourceVersion}, ResourceVersion in object meta: ${resourceVersion}`;
    throw api.conflict(resource.groupResource, name, why);
  }
}
