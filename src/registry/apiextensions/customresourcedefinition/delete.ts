/**
 * Deleting a definition begins with its objects: it gets a finalizer, which a controller takes off
 * once they are gone. Upstream: apiextensions-apiserver/pkg/registry/customresourcedefinition/etcd.go.
 */
import * as api from "../../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../../apimachinery/meta/types.ts";
import type { CustomResourceDefinition } from "../../../apis/apiextensions/v1beta1/types.ts";
import {
  type AdmitDelete,
  type DeleteOptions,
  type DeleteResult,
  deleteObject,
} from "../../generic/delete.ts";
import { decodeStored, encodeForStorage } from "../../generic/object-codec.ts";
import { keepsProtobuf, type ServedResource } from "../../generic/served-resource.ts";
import { interpreted, secondsOf, storageOf, type WriteContext } from "../../generic/store.ts";

export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

type Crd = Omit<CustomResourceDefinition, "metadata"> & KubeObject;

export async function deleteDefinition(
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
  const current = decodeStored<Crd>(stored, resource.storageSchema);
  if (metadataOf(current).deletionTimestamp !== undefined) {
    return deleteObject(resource, context, target, options, admit);
  }
  const terminate = async (object: Crd) => {
    checkPreconditions(resource, name, options, object);
    await admit(object);
    beginTermination(object, secondsOf(context.now()));
    return object;
  };
  if (context.dryRun) {
    return { object: await terminate(current), deleted: false, pending: false };
  }
  let object = current;
  try {
    const written = await storage.guaranteedUpdate(name, {}, async (latest) => {
      if (latest === undefined) throw api.notFound(resource.groupResource, name);
      object = await terminate(decodeStored<Crd>(latest, resource.storageSchema));
      return { json: encodeForStorage(object, resource.storageSchema, keepsProtobuf(resource)) };
    });
    metadataOf(object).resourceVersion = String(written.revision);
    return { object, deleted: false, pending: false };
  } catch (error) {
    throw interpreted(error, resource, "delete", name);
  }
}

function beginTermination(object: Crd, now: string): void {
  const metadata = metadataOf(object);
  metadata.deletionTimestamp ??= now;
  const finalizers = metadata.finalizers ?? [];
  if (!finalizers.includes(CLEANUP_FINALIZER)) {
    metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
  }
  const condition = {
    type: "Terminating",
    status: "True",
    lastTransitionTime: now,
    reason: "InstanceDeletionPending",
    message:
      "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
  };
  const others = (object.status?.conditions ?? []).filter(({ type }) => type !== "Terminating");
  object.status = { ...object.status, conditions: [...others, condition] };
}

function checkPreconditions(
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
