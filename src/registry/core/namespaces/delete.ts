/**
 * Deleting a namespace starts its termination; it goes once its content is gone and its finalizers
 * are empty. Upstream: pkg/registry/core/namespace/storage/storage.go.
 */
import * as api from "../../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../../apimachinery/meta/types.ts";
import {
  type AdmitDelete,
  type DeleteOptions,
  type DeleteResult,
  deleteObject,
  finalizersForGarbageCollection,
} from "../../generic/delete.ts";
import { decodeStored, encodeForStorage } from "../../generic/object-codec.ts";
import type { ServedResource } from "../../generic/served-resource.ts";
import {
  interpreted,
  secondsOf,
  storageOf,
  type WriteContext,
  withSignal,
} from "../../generic/store.ts";

interface Namespace extends KubeObject {
  spec?: { finalizers?: string[] };
  status?: { phase?: string };
}

export async function deleteNamespace(
  resource: ServedResource,
  context: WriteContext,
  target: { readonly namespace: string; readonly name: string },
  options: DeleteOptions,
  admit: AdmitDelete,
): Promise<DeleteResult> {
  const { name } = target;
  const storage = storageOf(resource);
  const stored = await storage.get(name, { kind: "MostRecent" });
  if (stored === undefined) throw api.notFound(resource.groupResource, name);
  const current = decodeStored<Namespace>(stored, resource.storageSchema);
  checkPreconditions(resource, name, options, current);
  if (metadataOf(current).deletionTimestamp === undefined) {
    return startTermination(resource, context, name, options, admit, current);
  }
  if ((current.spec?.finalizers?.length ?? 0) > 0) {
    return { object: current, deleted: false, pending: true };
  }
  return deleteObject(resource, context, target, options, admit);
}

async function startTermination(
  resource: ServedResource,
  context: WriteContext,
  name: string,
  options: DeleteOptions,
  admit: AdmitDelete,
  current: Namespace,
): Promise<DeleteResult> {
  const terminate = async (object: Namespace) => {
    checkPreconditions(resource, name, options, object);
    await admit(object);
    const metadata = metadataOf(object);
    metadata.deletionTimestamp ??= secondsOf(context.now());
    object.status = { ...object.status, phase: "Terminating" };
    const finalizers = finalizersForGarbageCollection(resource, options, object);
    if (finalizers.length > 0) metadata.finalizers = finalizers;
    else delete metadata.finalizers;
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
      object = await terminate(decodeStored<Namespace>(latest, resource.storageSchema));
      return { json: encodeForStorage(object, resource.storageSchema) };
    });
    metadataOf(object).resourceVersion = String(stored.revision);
    return { object, deleted: false, pending: false };
  } catch (error) {
    throw interpreted(error, resource, "delete", name);
  }
}

function checkPreconditions(
  resource: ServedResource,
  name: string,
  { preconditions }: DeleteOptions,
  object: Namespace,
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
