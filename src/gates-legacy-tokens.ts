/**
 * Legacy service account tokens are on their way out: their secrets say when each was last used, so
 * that the cleaner of kube-controller-manager can tell which nobody needs.
 * Upstream: pkg/serviceaccount/legacy.go.
 */
import { metadataOf } from "./apimachinery/meta/types.ts";
import { schemaForKind } from "./apis/schemas.ts";
import { decodeStored, encodeForStorage } from "./registry/generic/object-codec.ts";
import type { Storage } from "./storage/interfaces.ts";

const LAST_USED = "kubernetes.io/legacy-token-last-used";

/** Sets today's date on the secret, once a day. Failures are told and do no harm. */
export function legacyTokenUse(
  secrets: Storage | undefined,
  onError: (error: unknown) => void,
  now: () => Date = () => new Date(),
): (namespace: string, secretName: string, labels: Readonly<Record<string, string>>) => void {
  const schema = schemaForKind({ group: "", version: "v1", kind: "Secret" });
  const writing = new Set<string>();
  return (namespace, secretName, labels) => {
    const today = now().toISOString().slice(0, 10);
    const key = `${namespace}/${secretName}`;
    if (secrets === undefined || schema === undefined) return;
    if (labels[LAST_USED] === today || writing.has(key)) return;
    writing.add(key);
    secrets
      .guaranteedUpdate(key, {}, (current) => {
        if (current === undefined) throw new Error(`secret ${key} is gone`);
        const secret = decodeStored(current, schema);
        const metadata = metadataOf(secret);
        metadata.labels = { ...metadata.labels, [LAST_USED]: today };
        return { json: encodeForStorage(secret, schema) };
      })
      .catch(onError)
      .finally(() => writing.delete(key));
  };
}
