/**
 * Objects as meta.k8s.io's PartialObjectMetadata. Upstream: handlers/response.go, which makes it
 * from the internal type.
 */
import type { KubeObject, ObjectMeta } from "../apimachinery/meta/types.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";

/** `{kind: PartialObjectMetadata}` with the object's metadata. */
export function partialMetadata(
  { hooks }: Pick<ServedResource, "hooks">,
  object: KubeObject,
  version: string,
): KubeObject {
  const metadata = object.metadata ?? {};
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: withoutAnnotations(metadata, hooks?.fieldAnnotations ?? []),
  };
}

function withoutAnnotations(metadata: ObjectMeta, names: readonly string[]): ObjectMeta {
  const { annotations, ...rest } = metadata;
  if (annotations === undefined || names.length === 0) return metadata;
  const kept = Object.entries(annotations).filter(([name]) => !names.includes(name));
  return kept.length === 0 ? rest : { ...metadata, annotations: Object.fromEntries(kept) };
}

/** Whether the cache's own bytes of an object's metadata are what PartialObjectMetadata shows. */
export function holdsMetadata({ hooks }: ServedResource): boolean {
  return hooks?.fieldAnnotations === undefined;
}
