/** List documents from objects, for the forms the cache does not hold itself. */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { apiVersionOf } from "../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import { encodeJson, encodeSortedJson, indentJson } from "../apimachinery/runtime/json-encode.ts";
import { encodeProtobuf } from "../apimachinery/runtime/protobuf.ts";
import type { StructSchema } from "../apimachinery/runtime/type-schema.ts";
import { encodeYaml } from "../apimachinery/runtime/yaml.ts";
import { schemaForKind, structOf } from "../apis/schemas.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import type { ListPage } from "../storage/interfaces.ts";
import type { Negotiated } from "./negotiation.ts";
import { JSON_TYPE, PROTOBUF_TYPE, YAML_TYPE } from "./negotiation.ts";
import { partialMetadata } from "./partial-metadata.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";

export interface ListMeta {
  /** Absent where a list is computed. */
  readonly resourceVersion?: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** What a page knows of its list. */
export function listMeta(page: ListPage, continueToken: string): ListMeta {
  return {
    resourceVersion: String(page.revision),
    ...(continueToken === "" ? {} : { continue: continueToken }),
    ...(page.remaining ? { remainingItemCount: page.remaining } : {}),
  };
}

/** The list of `objects` (request version) as negotiated; also PartialObjectMetadataList. */
export function encodeList(
  resource: ServedResource,
  negotiated: Negotiated,
  metadata: ListMeta,
  objects: readonly KubeObject[],
): { readonly contentType: string; readonly body: Uint8Array } {
  const { mediaType, pretty, as, asVersion } = negotiated;
  const isPartial = as === "PartialObjectMetadataList";
  const group = isPartial ? "meta.k8s.io" : resource.kind.group;
  const version = isPartial ? asVersion : resource.kind.version;
  const kind = isPartial ? "PartialObjectMetadataList" : resource.listKind;
  const items = isPartial
    ? objects.map((one) => partialMetadata(resource, one, asVersion))
    : objects;
  if (mediaType === PROTOBUF_TYPE) {
    const list = { metadata, items: items.map(bare) } as unknown as JsonObject;
    const schema = isPartial ? structOf(`${META}.PartialObjectMetadataList`) : listSchema(resource);
    const body = encodeProtobuf(list, schema, { group, version, kind });
    return { contentType: PROTOBUF_TYPE, body };
  }
  const schema = isPartial ? structOf(`${META}.PartialObjectMetadata`) : resource.schema;
  const keepsKind = isPartial || !resource.protobuf;
  const texts = items.map((one) => encodeJson((keepsKind ? one : bare(one)) as JsonObject, schema));
  const apiVersion = apiVersionOf({ group, version });
  const array = isPartial && texts.length === 0 ? "null" : `[${texts.join(",")}]`;
  const head = JSON.stringify({ kind, apiVersion, metadata });
  const json =
    resource.custom === undefined || isPartial
      ? `${head.slice(0, -1)},"items":${array}}`
      : sortedList(kind, apiVersion, metadata, array);
  if (mediaType === YAML_TYPE) {
    const yaml = encodeYaml(JSON.parse(json) as JsonObject);
    return { contentType: YAML_TYPE, body: Buffer.from(yaml) };
  }
  return { contentType: JSON_TYPE, body: Buffer.from(pretty ? indentJson(json) : `${json}\n`) };
}

/** The list of a kind without a Go type is a map, and always says where it goes on. */
function sortedList(kind: string, apiVersion: string, metadata: ListMeta, items: string): string {
  const meta = encodeSortedJson({ continue: "", ...metadata });
  const ends = `"kind":${JSON.stringify(kind)},"metadata":${meta}`;
  return `{"apiVersion":${JSON.stringify(apiVersion)},"items":${items},${ends}}`;
}

/** Typed items carry no kind and apiVersion of their own. */
function bare(object: KubeObject): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
  return rest;
}

function listSchema(resource: ServedResource): StructSchema {
  const schema = schemaForKind({ ...resource.kind, kind: resource.listKind });
  if (schema === undefined) throw new Error(`no list type ${resource.listKind}`);
  return schema;
}
