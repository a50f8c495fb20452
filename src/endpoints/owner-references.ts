/** Upstream: handlers/rest.go dedupOwnerReferencesAndAddWarning. */
import type { KubeObject, OwnerReference } from "../apimachinery/meta/types.ts";
import type { AuthorizedRequest } from "../request/request.ts";

/** Removes repeated owner references, in place, with a warning. */
export function dedupOwnerReferences(request: AuthorizedRequest, object: KubeObject): void {
  const references = object.metadata?.ownerReferences;
  if (object.metadata === undefined || references === undefined || references.length < 2) return;
  const seen = new Set<string>();
  const repeated = new Set<string>();
  const kept = references.filter((reference) => {
    const key = keyOf(reference);
    if (!seen.has(key)) {
      seen.add(key);
      return true;
    }
    repeated.add(reference.uid ?? "");
    return false;
  });
  if (repeated.size === 0) return;
  object.metadata.ownerReferences = kept;
  const uids = [...repeated].join(", ");
  request.warnings.add(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`,
  );
}

function keyOf({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: OwnerReference) {
  return JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
}
