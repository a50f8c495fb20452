/**
 * Objects as meta.k8s.io's PartialObjectMetadata. Upstream: handlers/response.go, which makes it
 * from the internal type.
 */
import type { KubeObject, ObjectMeta } from "../apimachinery/meta/types.ts";
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import { encodeJson } from "../apimachinery/runtime/json-encode.ts";
import { structOf } from "../apis/schemas.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";

const OBJECT_META = "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta";

/** What decides on an object's metadata. */
export type PartialSource = Pick<ServedResource, "hooks" | "custom">;

/** `{kind: PartialObjectMetadata}` with the object's metadata. */
export function partialMetadata(
  { hooks, custom }: PartialSource,
  object: KubeObject,
  version: string,
): KubeObject {
  const metadata = custom === undefined ? (object.metadata ?? {}) : inGoOrder(object.metadata);
  return {
    kind: "PartialObjectMetadata",
    apiVersion: `meta.k8s.io/${version}`,
    metadata: withoutAnnotations(metadata, hooks?.fieldAnnotations ?? []),
  };
}

/** Custom resources are stored by the alphabet. */
function inGoOrder(metadata: ObjectMeta | undefined): ObjectMeta {
  if (metadata === undefined) return {};
  const text = encodeJson(metadata as unknown as JsonObject, structOf(OBJECT_META));
  return JSON.parse(text) as ObjectMeta;
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
