/** GET of one object. Upstream: handlers/get.go. */
import * as api from "../../apimachinery/api/errors.ts";
import type { ServedResource } from "../../registry/generic/served-resource.ts";
import { servesStorageVersion, storageName } from "../../registry/generic/served-resource.ts";
import { getObject, interpreted, readAtOf } from "../../registry/generic/store.ts";
import type { AuthorizedRequest, BytesResponse, Handler } from "../../request/request.ts";
import type { Encoding } from "../../storage/interfaces.ts";
import { namespaceOf, type RequestScope } from "../api-context.ts";
import { JSON_TYPE, type Negotiated, negotiate, PROTOBUF_TYPE } from "../negotiation.ts";
import { resourceVersionError } from "../options.ts";
import { holdsMetadata } from "../partial-metadata.ts";
import { bytesResponse, OBJECT_TRANSFORMATIONS, respondStored } from "../respond.ts";
import { mediaTypesOf } from "./media-types.ts";

const NEWLINE = 0x0a;

export function getResource(scope: RequestScope): Handler {
  const { resource } = scope;
  const offer = {
    mediaTypes: mediaTypesOf(resource),
    transformations: OBJECT_TRANSFORMATIONS,
  };
  return async (request) => {
    const negotiated = negotiate(request, offer);
    const version = request.query.get("resourceVersion") ?? "";
    if (request.query.get("export") === "true") {
      throw api.badRequest("the export parameter, deprecated since v1.14, is no longer supported");
    }
    const namespace = namespaceOf(request, resource);
    const at = version === "" || version === "0" ? version : revisionOf(version);
    const encoding = heldEncoding(resource, negotiated);
    if (encoding !== undefined) {
      const answer = await copied(resource, request, namespace, at, encoding);
      if (answer !== undefined) return answer;
    }
    const stored = await getObject(resource, namespace, request.info.name, at);
    return respondStored(request, resource, negotiated, 200, stored);
  };
}

/** The encoding the cache itself holds for this answer; undefined where an object is built. */
function heldEncoding(
  resource: ServedResource,
  { mediaType, as, asVersion, pretty }: Negotiated,
): Encoding | undefined {
  if (resource.storage?.getInto === undefined || pretty) return undefined;
  if (resource.hooks?.decorate !== undefined) return undefined;
  const isProtobuf = mediaType === PROTOBUF_TYPE;
  if (!isProtobuf && mediaType !== JSON_TYPE) return undefined;
  if (as === undefined && servesStorageVersion(resource)) return isProtobuf ? "protobuf" : "json";
  if (as !== "PartialObjectMetadata" || asVersion !== "v1") return undefined;
  if (!holdsMetadata(resource)) return undefined;
  return isProtobuf ? "metadata-protobuf" : "metadata-json";
}

/** Grows to the largest object seen; every thread has its own. Copied from before anything waits. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024);
/** getInto's way to say how much it needs. */
const TOO_SMALL = -100;

async function copied(
  resource: ServedResource,
  request: AuthorizedRequest,
  namespace: string,
  version: "" | "0" | number,
  encoding: Encoding,
): Promise<BytesResponse | undefined> {
  const { name } = request.info;
  const key = storageName(resource, namespace, name);
  const at = readAtOf(version);
  for (let tries = 0; tries < 2; tries++) {
    const found = resource.storage?.getInto?.(key, at, encoding, scratch);
    let size: number | undefined;
    try {
      size = typeof found === "number" ? found : await found;
    } catch (error) {
      throw interpreted(error, resource, "get", name);
    }
    if (size === undefined) return undefined;
    if (size === 0) throw api.notFound(resource.groupResource, name);
    if (size > 0) return respondCopy(request, encoding, size);
    scratch = Buffer.allocUnsafeSlow((TOO_SMALL - size) * 2);
  }
  return undefined;
}

function respondCopy(request: AuthorizedRequest, encoding: Encoding, size: number): BytesResponse {
  if (encoding.endsWith("protobuf")) {
    return bytesResponse(request, 200, PROTOBUF_TYPE, Buffer.from(scratch.subarray(0, size)));
  }
  const body = Buffer.allocUnsafe(size + 1);
  body.set(scratch.subarray(0, size), 0);
  body[size] = NEWLINE;
  return bytesResponse(request, 200, JSON_TYPE, body);
}

function revisionOf(text: string): number | "0" {
  const problem = resourceVersionError(text);
  if (problem !== undefined) throw api.badRequest(`invalid resource version: ${problem}`);
  const revision = Number(text);
  return revision === 0 ? "0" : revision;
}
