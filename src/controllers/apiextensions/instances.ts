/**
 * Deletes a definition's objects and waits until they are gone.
 * Upstream: apiextensions-apiserver/pkg/controller/finalizer/crd_finalizer.go.
 */

import type { Definition } from "../../apiextensions/definition.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { ApiClient } from "../api-client.ts";
import type { Condition } from "./conditions.ts";

const POLL_MS = 5_000;
const WAIT_MS = 60_000;
const LIST_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

export interface DeletionResult {
  readonly condition: Condition;
  /** To be tried again. */
  readonly error?: Error;
}

export async function deleteInstances(
  client: ApiClient,
  { spec, status }: Definition,
  signal: AbortSignal,
): Promise<DeletionResult> {
  const versions = (spec?.versions ?? []).filter(({ served }) => served === true);
  const version = versions.find((one) => one.storage === true) ?? versions[0];
  const plural = status?.acceptedNames?.plural ?? "";
  const root = `/apis/${spec?.group ?? ""}/${version?.name ?? ""}`;
  const listed = async () => {
    const list = await client.list<KubeObject>(`${root}/${plural}`, LIST_METADATA);
    return list.items ?? [];
  };
  let items: readonly KubeObject[];
  try {
    items = await listed();
  } catch (error) {
    return failed("InstanceDeletionFailed", "could not list instances", error);
  }
  try {
    await deleteCollections(client, root, plural, items);
  } catch (error) {
    return failed("InstanceDeletionFailed", "could not issue all deletes", error);
  }
  try {
    const deadline = Date.now() + WAIT_MS;
    while ((await listed()).length > 0) {
      if (Date.now() + POLL_MS > deadline || signal.aborted) {
        throw new Error("timed out waiting for the condition");
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS).unref());
    }
  } catch (error) {
    const what = "could not confirm zero CustomResources remaining";
    return failed("InstanceDeletionCheck", what, error);
  }
  const reason = "InstanceDeletionCompleted";
  const message = "removed all instances";
  return { condition: { type: "Terminating", status: "False", reason, message } };
}

function failed(reason: string, what: string, error: unknown): DeletionResult {
  const why = error instanceof Error ? error : new Error(String(error));
  const message = `${what}: ${why.message}`;
  return { condition: { type: "Terminating", status: "True", reason, message }, error: why };
}

async function deleteCollections(
  client: ApiClient,
  root: string,
  plural: string,
  items: readonly KubeObject[],
): Promise<void> {
  const namespaces = new Set(items.map(({ metadata }) => metadata?.namespace ?? ""));
  const errors: string[] = [];
  for (const namespace of namespaces) {
    const scope = namespace === "" ? "" : `/namespaces/${namespace}`;
    try {
      await client.delete(`${root}${scope}/${plural}`);
    } catch (error) {
      errors.push(error instanceof Error ? error.message : String(error));
    }
  }
  if (errors.length > 0) throw new Error(errors.join(", "));
}
