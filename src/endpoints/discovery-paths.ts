/**
 * Discovery and OpenAPI as paths. Documents are built once and kept as bytes until the groups
 * change. Upstream: aggregator/apiserver/handler_apis.go, endpoints/discovery, kube-openapi handler.
 */
import * as api from "../apimachinery/api/errors.ts";
import { encodeProtobuf } from "../apimachinery/runtime/protobuf.ts";
import type { AuthorizedRequest, BytesResponse, Handler } from "../request/request.ts";
import {
  AGGREGATED_PARAMETERS,
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  type DiscoveryDocument,
  encodeDocument,
} from "./discovery/documents.ts";
import type { ServedGroup } from "./discovery/resources.ts";
import {
  JSON_TYPE,
  type MediaType,
  matches,
  type Negotiated,
  negotiate,
  PROTOBUF_TYPE,
  parseAccept,
  wantsPretty,
  YAML_TYPE,
} from "./negotiation.ts";
import { bytesResponse, respondJsonText } from "./respond.ts";
import { notFoundText, type PathRoutes } from "./routes.ts";

const STANDARD_OFFER = {
  mediaTypes: ["application/json", "application/yaml", PROTOBUF_TYPE] as const,
  transformations: [],
};

export interface DiscoverySource {
  /** Now served, in discovery's order. */
  groups(): readonly ServedGroup[];
  /** `host:port`, as clients reach the server. */
  readonly serverAddress: string;
}

/** Routes of /api, /apis and below. */
export function discoveryPaths(
  source: DiscoverySource,
): PathRoutes & { paths(): readonly string[] } {
  return {
    paths: () => ["/apis", "/apis/", ...source.groups().flatMap(pathsOf)],
    lookup(path) {
      const segments = path.replace(/\/$/, "").split("/").slice(1);
      const [root, first, second] = segments;
      if (root === "api") return apiPath(source, segments.length, first);
      if (root !== "apis") return undefined;
      if (segments.length === 1) return aggregated(source, false);
      const group = source.groups().find((one) => one.group === first);
      if (group === undefined || first === undefined || first === "") return undefined;
      if (segments.length === 2) return anyMethod(() => apiGroup(group));
      return versionPath(group, second ?? "");
    },
  };
}

function pathsOf({ group, versions }: ServedGroup): string[] {
  const root = group === "" ? "/api" : `/apis/${group}`;
  return [root, ...versions.map(({ version }) => `${root}/${version}`)];
}

function apiPath(source: DiscoverySource, depth: number, version: string | undefined): Handler {
  if (depth === 1) return getOnly(aggregated(source, true));
  const core = source.groups().find((one) => one.group === "");
  return core === undefined ? noSuch : versionPath(core, version ?? "");
}

function versionPath(group: ServedGroup, version: string): Handler {
  const served = group.versions.find((one) => one.version === version);
  if (served === undefined) return group.explicitKinds === true ? notFoundText : noSuch;
  return getOnly((request) =>
    respondDocument(request, apiResourceList(group.group, served), "strict"),
  );
}

const noSuch: Handler = () => {
  throw api.noSuchPath();
};

function getOnly(handler: Handler): Handler {
  return (request) => {
    if (request.method !== "GET") throw api.methodNotAllowed();
    return handler(request);
  };
}

/** The aggregator's own paths do not look at the method. */
function anyMethod(make: () => DiscoveryDocument): Handler {
  return (request) => respondDocument(request, make(), "lax");
}

/** `/api` and `/apis`: aggregated discovery when the client asks for it, the old lists otherwise. */
function aggregated(source: DiscoverySource, isCore: boolean): Handler {
  let known: Aggregated | undefined;
  return (request) => {
    const groups = source.groups();
    const mediaType = aggregatedType(request);
    if (mediaType === undefined) {
      const document = isCore ? apiVersions(source.serverAddress) : apiGroupList(groups);
      return respondDocument(request, document, isCore ? "strict" : "lax");
    }
    if (known?.groups !== groups) {
      const shown = groups.filter(({ group }) => (group === "") === isCore);
      const document = aggregatedDiscovery(shown);
      known = { groups, document, ...encodeDocument(document) };
    }
    return respondAggregated(request, known, mediaType);
  };
}

interface Aggregated {
  readonly groups: readonly ServedGroup[];
  readonly document: DiscoveryDocument;
  /** As compact JSON. */
  readonly body: Buffer;
  readonly etag: string;
}

function respondAggregated(
  request: AuthorizedRequest,
  { document, body, etag }: Aggregated,
  mediaType: MediaType,
): BytesResponse {
  const headers = [
    ["ETag", etag],
    ["Vary", "Accept"],
    ["Cache-Control", "public"],
  ] as const;
  if (request.headers.get("if-none-match") === etag) {
    return { kind: "bytes", status: 304, headers, body: "" };
  }
  const response = inForm(request, document, body, mediaType);
  return { ...response, headers: [...response.headers, ...headers] };
}

/** Compact JSON, which nearly everyone asks for, is at hand. */
function inForm(
  request: AuthorizedRequest,
  { object, schema }: DiscoveryDocument,
  body: Buffer,
  mediaType: MediaType,
): BytesResponse {
  const type = `${mediaType};${AGGREGATED_PARAMETERS}`;
  if (mediaType === PROTOBUF_TYPE) {
    const kind = { group: AGGREGATED_GROUP, version: "v2", kind: "APIGroupDiscoveryList" };
    return bytesResponse(request, 200, type, encodeProtobuf(object, schema, kind));
  }
  const pretty = wantsPretty(request);
  if (mediaType === JSON_TYPE && !pretty) return bytesResponse(request, 200, type, body);
  const form = { mediaType, pretty, as: undefined, asVersion: "" };
  const response = respondJsonText(request, form, 200, body.toString("utf8").trimEnd());
  const others = response.headers.filter(([name]) => name !== "Content-Type");
  return { ...response, headers: [["Content-Type", type], ...others] };
}

const OFFERED: readonly MediaType[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];
const AGGREGATED_GROUP = "apidiscovery.k8s.io";

/**
 * The form of v2's APIGroupDiscoveryList that the first clause asks for which can be answered;
 * undefined when that one asks for the plain list, or none can be.
 */
function aggregatedType(request: AuthorizedRequest): MediaType | undefined {
  for (const clause of parseAccept(request.headers.get("accept") ?? "")) {
    const { params } = clause;
    const mediaType = OFFERED.find((one) => matches(clause, one));
    if (mediaType === undefined) continue;
    if (!params.has("as")) return undefined;
    const isV2 = params.get("v") === "v2" && params.get("g") === AGGREGATED_GROUP;
    if (isV2 && params.get("as") === "APIGroupDiscoveryList") return mediaType;
  }
  return undefined;
}

function respondDocument(
  request: AuthorizedRequest,
  document: DiscoveryDocument,
  mode: "strict" | "lax",
): BytesResponse {
  const negotiated =
    mode === "strict" ? negotiate(request, STANDARD_OFFER) : laxlyNegotiated(request);
  if (negotiated.mediaType === PROTOBUF_TYPE) {
    const { object, schema } = document;
    const kind = String(object["kind"] ?? "");
    const body = encodeProtobuf(object, schema, { group: "", version: "v1", kind });
    return bytesResponse(request, 200, PROTOBUF_TYPE, body);
  }
  const text = encodeDocument(document).body.toString("utf8").trimEnd();
  return respondJsonText(request, negotiated, 200, text);
}

/** Not routed by go-restful: unknown types get the handler's own 406. */
function laxlyNegotiated(request: AuthorizedRequest): Negotiated {
  try {
    return negotiate(request, STANDARD_OFFER);
  } catch (error) {
    if (!(error instanceof api.StatusError)) throw error;
    const types = STANDARD_OFFER.mediaTypes.join(", ");
    throw api.notAcceptable(`only the following media types are accepted: ${types}`);
  }
}
