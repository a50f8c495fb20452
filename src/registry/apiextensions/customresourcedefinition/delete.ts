/**
 * Deleting a definition begins with its objects: it gets a finalizer, which a controller takes off
 * once they are gone. Upstream: apiextensions-apiserver/pkg/registry/customresourcedefinition/etcd.go.
 */
import * as api from "../../../apimachinery/api/errors.ts";
import { type KubeObject, metadataOf } from "../../../apimachinery/meta/types.ts";
import { CLEANUP_FINALIZER } from "../../../apis/apiextensions/finalizers.ts";
import type { CustomResourceDefinition } from "../../../apis/apiextensions/v1beta1/types.ts";
import {
  type AdmitDelete,
  type DeleteOptions,
  type DeleteResult,
  deleteObject,
} from "../../generic/delete.ts";
import { decodeStored } from "../../generic/object-codec.ts";
import type { ServedResource } from "../../generic/served-resource.ts";
import { storageOf, type WriteContext } from "../../generic/store.ts";
import { beginTermination } from "../../generic/termination.ts";

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
  return beginTermination(resource, context, current, {
    name,
    options,
    admit,
    mark: markTerminating,
  });
}

function markTerminating(object: Crd, now: string): void {
  const metadata = metadataOf(object);
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
