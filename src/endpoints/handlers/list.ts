/** LIST of a collection, and WATCH, which shares its path. Upstream: handlers/get.go ListResource. */
import * as api from "../../apimachinery/api/errors.ts";
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import { apiVersionOf } from "../../apimachinery/runtime/gvk.ts";
import { decodeStored } from "../../registry/generic/object-codec.ts";
import {
  type ServedResource,
  servesStorageVersion,
} from "../../registry/generic/served-resource.ts";
import { interpreted, storageOf } from "../../registry/generic/store.ts";
import type {
  AuthorizedRequest,
  BytesResponse,
  Handler,
  Response,
  StreamResponse,
} from "../../request/request.ts";
import { isStorageError } from "../../storage/errors.ts";
import type { Encoding, ListPage, ListRequest, ReadAt } from "../../storage/interfaces.ts";
import { asRevision } from "../../storage/interfaces.ts";
import { namespaceOf, type RequestScope } from "../api-context.ts";
import { decodeContinue, encodeContinue } from "../continue-token.ts";
import { encodeList, type ListMeta, listMeta } from "../list-encoding.ts";
import type { Negotiated } from "../negotiation.ts";
import { JSON_TYPE, negotiate, PROTOBUF_TYPE } from "../negotiation.ts";
import { type ListOptions, parseListOptions, resourceVersionError } from "../options.ts";
import { holdsMetadata } from "../partial-metadata.ts";
import { bytesResponse, LIST_TRANSFORMATIONS, respondJsonValue } from "../respond.ts";
import { scopeOf } from "../selection.ts";
import { tableOfObjects } from "../table.ts";
import { maybeGzipped } from "./list-gzip.ts";
import { mediaTypesOf } from "./media-types.ts";
import { tablePage } from "./table-page.ts";
import { watchResource } from "./watch.ts";

const META_LIST = { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" };
/** Upstream: the text of a continue token whose revision is compacted, then what to do. */
const EXPIRED_CONTINUE =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";
const EXPIRED_LIST = "The resourceVersion for the provided list is too old.";

export function listResource(scope: RequestScope): Handler {
  const { resource } = scope;
  const watch = watchResource(scope);
  const offer = {
    mediaTypes: mediaTypesOf(resource),
    transformations: LIST_TRANSFORMATIONS,
    collection: true,
  };
  return async (request) => {
    const isWatch = request.info.verb === "watch";
    if (!isWatch) negotiate(request, offer);
    const options = parseListOptions(request.query, isWatch);
    if (options.watch) return watch(request, options);
    const negotiated = negotiate(request, offer);
    const namespace = namespaceOf(request, resource);
    const { page, at } = await openPage(scope, options, namespace);
    const token =
      page.nextKey === undefined
        ? ""
        : encodeContinue(page.nextKey, at === "inconsistent" ? -1 : page.revision, namespace);
    await prepared(request, page, encodingOf(scope, negotiated));
    return respondPage(scope, request, negotiated, page, token);
  };
}

/** A first list in protobuf makes thousands of encodings: other requests go on meanwhile. */
async function prepared(request: AuthorizedRequest, page: ListPage, encoding?: Encoding) {
  if (encoding === undefined || page.encodings?.includes(encoding) === false) return;
  try {
    await page.prepare?.(encoding, request.signal);
  } catch (error) {
    page.close();
    throw error;
  }
}

async function openPage(
  scope: RequestScope,
  options: ListOptions,
  namespace: string,
): Promise<{ page: ListPage; at: "consistent" | "inconsistent" }> {
  const { resource } = scope;
  const selection = scopeOf(resource, options, namespace);
  const token = options.continueToken === "" ? undefined : continueOf(options, namespace);
  const at = token === undefined ? readAtOf(options) : continueAt(token.revision);
  const wanted: ListRequest = {
    ...selection,
    at,
    limit: at.kind === "Any" ? 0 : Math.max(0, options.limit),
    ...(token === undefined ? {} : { startKey: token.startKey }),
  };
  try {
    const page = await storageOf(resource).list(wanted);
    return { page, at: token?.revision === -1 ? "inconsistent" : "consistent" };
  } catch (error) {
    if (isStorageError(error, "Compacted")) {
      if (token === undefined) throw api.resourceExpired(EXPIRED_LIST);
      throw api.resourceExpired(EXPIRED_CONTINUE, encodeContinue(token.startKey, -1, namespace));
    }
    throw interpreted(error, resource, "list", "");
  }
}

function continueOf(options: ListOptions, namespace: string) {
  const { resourceVersion, continueToken } = options;
  const token = decodeContinue(continueToken, namespace);
  if (resourceVersion !== "" && resourceVersion !== "0") {
    throw api.badRequest("specifying resource version is not allowed when using continue");
  }
  return token;
}

function continueAt(revision: number): ReadAt {
  if (revision < 0) return { kind: "MostRecent" };
  return { kind: "Exact", revision: asRevision(revision) };
}

/** The table of https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list */
export function readAtOf(options: ListOptions): ReadAt {
  const { resourceVersion, resourceVersionMatch, limit } = options;
  if (resourceVersion === "") return { kind: "MostRecent" };
  const problem = resourceVersionError(resourceVersion);
  if (problem !== undefined) throw api.badRequest(`invalid resource version: ${problem}`);
  const revision = asRevision(Number(resourceVersion));
  if (revision === 0) return { kind: "Any" };
  if (resourceVersionMatch === "Exact") return { kind: "Exact", revision };
  if (resourceVersionMatch === "NotOlderThan") return { kind: "NotOlderThan", revision };
  return limit > 0 ? { kind: "Exact", revision } : { kind: "NotOlderThan", revision };
}

function respondPage(
  scope: RequestScope,
  request: AuthorizedRequest,
  negotiated: Negotiated,
  page: ListPage,
  token: string,
): Response {
  const { resource } = scope;
  const encoding = encodingOf(scope, negotiated);
  // An empty list of metadata has null items, as a Go slice that was never made.
  const isEmptyMetadata = page.count === 0 && encoding?.startsWith("metadata");
  const isHeld = encoding !== undefined && page.encodings?.includes(encoding) !== false;
  if (isHeld && !isEmptyMetadata) {
    const head = encoding.startsWith("metadata")
      ? { ...META_LIST, continueToken: token }
      : {
          kind: resource.listKind,
          apiVersion: apiVersionOf(resource.kind),
          continueToken: token,
        };
    return streamPage(request, page, encoding, head);
  }
  let isTaken = false;
  try {
    const rows = tablePage(scope, request, negotiated, page, token);
    isTaken = rows !== undefined;
    if (rows !== undefined) return rows;
    return respondPageOfObjects(scope, request, negotiated, page, token);
  } finally {
    if (!isTaken) page.close();
  }
}

/** The cache's own encoding for this answer; undefined where objects have to be built. */
function encodingOf(
  { resource }: RequestScope,
  { mediaType, as, pretty, asVersion }: Negotiated,
): Encoding | undefined {
  if (resource.hooks?.decorate !== undefined || pretty) return undefined;
  if (as === "PartialObjectMetadataList" && asVersion === "v1") {
    if (!holdsMetadata(resource)) return undefined;
    if (mediaType === JSON_TYPE) return "metadata-json";
    return mediaType === PROTOBUF_TYPE ? "metadata-protobuf" : undefined;
  }
  if (as !== undefined || !servesStorageVersion(resource)) return undefined;
  if (mediaType === JSON_TYPE) return "json";
  return mediaType === PROTOBUF_TYPE ? "protobuf" : undefined;
}

function streamPage(
  request: AuthorizedRequest,
  page: ListPage,
  encoding: Encoding,
  head: { readonly kind: string; readonly apiVersion: string; readonly continueToken: string },
): Response {
  const document = page.document(encoding, head);
  const type = encoding.endsWith("json") ? JSON_TYPE : PROTOBUF_TYPE;
  const stream: StreamResponse = {
    kind: "stream",
    status: 200,
    headers: [["Content-Type", type]],
    byteLength: document.byteLength,
    read: (target) => document.read(target),
    close: () => page.close(),
  };
  return maybeGzipped(request, stream);
}

function respondPageOfObjects(
  { resource }: RequestScope,
  request: AuthorizedRequest,
  negotiated: Negotiated,
  page: ListPage,
  token: string,
): Response {
  const metadata = listMeta(page, token);
  const objects: KubeObject[] = [];
  for (const stored of page.items()) {
    const object = decodeStored(stored, resource.storageSchema);
    resource.hooks?.decorate?.(object);
    objects.push(resource.fromStorage(object));
  }
  return respondObjects(request, resource, negotiated, metadata, objects);
}

/** Answers with a list of objects (request version), in the form negotiated. */
export function respondObjects(
  request: AuthorizedRequest,
  resource: ServedResource,
  negotiated: Negotiated,
  metadata: ListMeta,
  objects: readonly KubeObject[],
): BytesResponse {
  if (negotiated.as === "Table") {
    const table = tableOfObjects(request, resource, objects, metadata);
    return respondJsonValue(request, negotiated, 200, table);
  }
  const { contentType, body } = encodeList(resource, negotiated, metadata, objects);
  return bytesResponse(request, 200, contentType, body);
}
