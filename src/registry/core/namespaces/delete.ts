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
import { decodeStored } from "../../generic/object-codec.ts";
import type { ServedResource } from "../../generic/served-resource.ts";
import { storageOf, type WriteContext } from "../../generic/store.ts";
import { beginTermination, checkDeletePreconditions } from "../../generic/termination.ts";

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
  checkDeletePreconditions(resource, name, options, current);
  if (metadataOf(current).deletionTimestamp === undefined) {
    const mark = (object: Namespace) => markTerminating(resource, options, object);
    return beginTermination(resource, context, current, { name, options, admit, mark });
  }
  if ((current.spec?.finalizers?.length ?? 0) > 0) {
    return { object: current, deleted: false, pending: true };
  }
  return deleteObject(resource, context, target, options, admit);
}

function markTerminating(
  resource: ServedResource,
  options: DeleteOptions,
  object: Namespace,
): void {
  const metadata = metadataOf(object);
  object.status = { ...object.status, phase: "Terminating" };
  const finalizers = finalizersForGarbageCollection(resource, options, object);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
}
