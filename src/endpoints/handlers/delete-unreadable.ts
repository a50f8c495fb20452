/**
 * Deletion of an object that can not be read, which nothing else can remove: without its checks,
 * finalizers and admission. Behind the gate AllowUnsafeMalformedObjectDeletion and a verb of its own.
 * Upstream: registry/generic/registry/corrupt_obj_deleter.go, handlers/delete.go.
 */
import * as api from "../../apimachinery/api/errors.ts";
import type { ErrorList } from "../../apimachinery/validation/field.ts";
import * as field from "../../apimachinery/validation/field.ts";
import { attributesOf } from "../../authorization/gate.ts";
import { storageName } from "../../registry/generic/served-resource.ts";
import { interpreted, storageOf } from "../../registry/generic/store.ts";
import type { AuthorizedRequest } from "../../request/request.ts";
import { isStorageError } from "../../storage/errors.ts";
import type { RequestScope } from "../api-context.ts";

export const UNSAFE_DELETION = "ignoreStoreReadErrorWithClusterBreakingPotential";
export const UNSAFE_DELETION_GATE = "AllowUnsafeMalformedObjectDeletion";
const VERB = "unsafe-delete-ignore-read-errors";

/** Options that need what can not be read. */
export function unsafeDeletionErrors(raw: object): ErrorList {
  const others = [
    "dryRun",
    ...["gracePeriodSeconds", "orphanDependents", "propagationPolicy", "preconditions"],
  ];
  return others
    .filter((other) => Object.hasOwn(raw, other))
    .map((other) => field.invalid(UNSAFE_DELETION, true, `cannot be set together with .${other}`));
}

/** Removes the object. Throws Forbidden, or Invalid for one that is missing or can be read. */
export async function deleteUnreadable(
  { api: shared, resource }: RequestScope,
  request: AuthorizedRequest,
  target: { readonly namespace: string; readonly name: string },
): Promise<void> {
  const { namespace, name } = target;
  const { groupResource } = resource;
  const attributes = { ...attributesOf(request), verb: VERB };
  const { decision, reason } = await shared.authorizer.authorize(attributes);
  if (decision !== "Allow") {
    throw api.forbidden(groupResource, name, `not permitted to do "${VERB}", reason: ${reason}`);
  }
  const key = storageName(resource, namespace, name);
  const storage = storageOf(resource);
  try {
    await storage.get(key, { kind: "MostRecent" });
  } catch (error) {
    if (!isStorageError(error, "Corrupt")) throw interpreted(error, resource, "delete", name);
    await storage.deleteUnread(key, request.signal).catch((failure) => {
      throw interpreted(failure, resource, "delete", name);
    });
    return;
  }
  const why = "is exclusively used to delete corrupt object(s), try again by removing this option";
  const of = { group: groupResource.group, kind: groupResource.resource };
  throw api.invalid(of, name, [field.invalid(UNSAFE_DELETION, true, why)]);
}
