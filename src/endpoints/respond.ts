/**
 * Objects as answers: JSON, YAML, protobuf, Table, PartialObjectMetadata.
 * Upstream: handlers/response.go and handlers/responsewriters/writers.go.
 */
import { gzipSync } from "node:zlib";
import * as api from "../apimachinery/api/errors.ts";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { GroupVersionKind } from "../apimachinery/runtime/gvk.ts";
import { apiVersionOf } from "../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import { decodeJson } from "../apimachinery/runtime/json-decode.ts";
import { encodeJson, indentJson } from "../apimachinery/runtime/json-encode.ts";
import { encodeProtobuf } from "../apimachinery/runtime/protobuf.ts";
import type { StructSchema } from "../apimachinery/runtime/type-schema.ts";
import { encodeYaml } from "../apimachinery/runtime/yaml.ts";
import { structOf } from "../apis/schemas.ts";
import { decodeStored } from "../registry/generic/object-codec.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import { servesStorageVersion } from "../registry/generic/served-resource.ts";
import type { BytesResponse, ReceivedRequest } from "../request/request.ts";
import type { Stored } from "../storage/interfaces.ts";
import type { MediaType, Negotiated, Transformation } from "./negotiation.ts";
import {
  JSON_TYPE,
  matches,
  PROTOBUF_TYPE,
  parseAccept,
  wantsPretty,
  YAML_TYPE,
} from "./negotiation.ts";
import { partialMetadata } from "./partial-metadata.ts";
import { tableOfObjects } from "./table.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";
/** Upstream: defaultGzipThresholdBytes. */
export const GZIP_BYTES_MIN = 128 * 1024;
const GZIP_LEVEL = 1;

export const OBJECT_TRANSFORMATIONS: readonly Transformation[] = ["Table", "PartialObjectMetadata"];
/** Of what has no Table: reviews, tokens, bindings. */
export const METADATA_TRANSFORMATIONS: readonly Transformation[] = ["PartialObjectMetadata"];
export const LIST_TRANSFORMATIONS: readonly Transformation[] = [
  "Table",
  "PartialObjectMetadataList",
];

/** Answers with an object as stored: its bytes as they are where that is what was asked for. */
export function respondStored(
  request: ReceivedRequest,
  resource: ServedResource,
  negotiated: Negotiated,
  status: number,
  stored: Stored,
): BytesResponse {
  const { mediaType, as, pretty } = negotiated;
  const isPlain = mediaType === JSON_TYPE && as === undefined && !pretty;
  if (isPlain && servesStorageVersion(resource) && resource.hooks?.decorate === undefined) {
    return bytesResponse(request, status, JSON_TYPE, withNewline(stored.json));
  }
  const object = decodeStored(stored, resource.storageSchema);
  return respondObject(request, resource, negotiated, status, object);
}

/** Answers with an object in the storage version. */
export function respondObject(
  request: ReceivedRequest,
  resource: ServedResource,
  negotiated: Negotiated,
  status: number,
  object: KubeObject,
): BytesResponse {
  resource.hooks?.decorate?.(object);
  const served = resource.fromStorage(object);
  if (negotiated.as === "Table") {
    const table = tableOfObjects(request, resource, [served], {
      resourceVersion: served.metadata?.resourceVersion ?? "",
    });
    return respondJsonValue(request, negotiated, status, table);
  }
  if (negotiated.as !== undefined) {
    return respondMetadata(request, resource, negotiated, status, served);
  }
  return respondEncoded(request, negotiated, status, served, resource.schema, resource.kind);
}

/** Answers with an object's metadata alone, as PartialObjectMetadata. */
export function respondMetadata(
  request: ReceivedRequest,
  resource: Pick<ServedResource, "hooks">,
  negotiated: Negotiated,
  status: number,
  object: KubeObject,
): BytesResponse {
  const { asVersion: version } = negotiated;
  const partial = partialMetadata(resource, object, version);
  const schema = structOf(`${META}.PartialObjectMetadata`);
  const kind = { group: "meta.k8s.io", version, kind: "PartialObjectMetadata" };
  return respondEncoded(request, negotiated, status, partial, schema, kind);
}

/** Answers with any object of a known schema: reviews, Scale, Status. */
export function respondEncoded(
  request: ReceivedRequest,
  negotiated: Negotiated,
  status: number,
  object: KubeObject,
  schema: StructSchema,
  kind: GroupVersionKind,
): BytesResponse {
  const typed = { ...object, kind: kind.kind, apiVersion: apiVersionOf(kind) };
  if (negotiated.mediaType === PROTOBUF_TYPE) {
    const bytes = encodeProtobuf(typed as unknown as JsonObject, schema, kind);
    return bytesResponse(request, status, PROTOBUF_TYPE, bytes);
  }
  const json = encodeJson(typed as unknown as JsonObject, schema);
  return respondJsonText(request, negotiated, status, json);
}

/** Answers with a JSON value whose members are in order already (Table, discovery). */
export function respondJsonValue(
  request: ReceivedRequest,
  negotiated: Negotiated,
  status: number,
  value: unknown,
): BytesResponse {
  return respondJsonText(request, negotiated, status, goJson(value));
}

/** JSON as Go's encoder writes it: what HTML minds is escaped. */
export function goJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(/[<>&\u2028\u2029]/g, escapeAsGo);
}

function escapeAsGo(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** JSON text as JSON or YAML. */
export function respondJsonText(
  request: ReceivedRequest,
  { mediaType, pretty }: Negotiated,
  status: number,
  json: string,
): BytesResponse {
  if (mediaType === YAML_TYPE) {
    const yaml = encodeYaml(JSON.parse(json) as JsonObject);
    return bytesResponse(request, status, YAML_TYPE, Buffer.from(yaml));
  }
  const text = pretty ? indentJson(json) : json;
  return bytesResponse(request, status, JSON_TYPE, Buffer.from(pretty ? text : `${text}\n`));
}

/** A finished body, compressed when that is asked for and worth it. */
export function bytesResponse(
  request: ReceivedRequest,
  status: number,
  contentType: string,
  body: Uint8Array,
): BytesResponse {
  if (body.length <= GZIP_BYTES_MIN || !acceptsGzip(request)) {
    return { kind: "bytes", status, headers: [["Content-Type", contentType]], body };
  }
  const headers = [
    ["Content-Type", contentType],
    ["Content-Encoding", "gzip"],
    ["Vary", "Accept-Encoding"],
  ] as const;
  return { kind: "bytes", status, headers, body: gzipSync(body, { level: GZIP_LEVEL }) };
}

export function acceptsGzip(request: ReceivedRequest): boolean {
  const header = request.headers.get("accept-encoding");
  return header !== undefined && /(^|,)\s*gzip\s*($|,|;)/.test(header);
}

function withNewline(json: Uint8Array): Uint8Array {
  const out = Buffer.allocUnsafe(json.length + 1);
  out.set(json, 0);
  out[json.length] = 0x0a;
  return out;
}

/** A Status in the form the client accepts; JSON when it accepts nothing of ours. */
export function respondStatus(request: ReceivedRequest, status: api.Status): BytesResponse {
  const code = status.code ?? 500;
  const retryAfter = status.details?.retryAfterSeconds ?? 0;
  const response = respondStatusBody(request, status, code);
  if (retryAfter <= 0) return response;
  return { ...response, headers: [...response.headers, ["Retry-After", String(retryAfter)]] };
}

function respondStatusBody(
  request: ReceivedRequest,
  status: api.Status,
  code: number,
): BytesResponse {
  const mediaType = statusMediaType(request);
  if (mediaType === undefined) {
    const headers = [["Content-Type", JSON_TYPE]] as const;
    return { kind: "bytes", status: code, headers, body: goJson(status, 2) };
  }
  if (mediaType === PROTOBUF_TYPE) {
    const schema = structOf(`${META}.Status`);
    const { object } = decodeJson(JSON.stringify(status), schema, { strict: "Ignore" });
    const kind = { group: "", version: "v1", kind: "Status" };
    const body = encodeProtobuf(object, schema, kind);
    return { kind: "bytes", status: code, headers: [["Content-Type", PROTOBUF_TYPE]], body };
  }
  const pretty = wantsPretty(request);
  const negotiated = { mediaType, pretty, as: undefined, asVersion: "" };
  return respondJsonValue(request, negotiated, code, status);
}

const STATUS_TYPES: readonly MediaType[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];

/**
 * The best form that the client takes a Status in: a clause that asks for some kind is none. Without
 * any, upstream writes indented JSON. Upstream: handlers/responsewriters ErrorNegotiated.
 */
function statusMediaType(request: ReceivedRequest): MediaType | undefined {
  const accept = request.headers.get("accept") ?? "";
  if (accept === "" || accept === "*/*" || accept === JSON_TYPE) return JSON_TYPE;
  for (const clause of parseAccept(accept)) {
    if (clause.params.has("as")) continue;
    const mediaType = STATUS_TYPES.find((one) => matches(clause, one));
    if (mediaType !== undefined) return mediaType;
  }
  return undefined;
}

/** `{status: Success, details}` after a deletion. */
export function successStatus(details: api.StatusDetails): api.Status {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: api.orderedDetails(details),
  };
}
