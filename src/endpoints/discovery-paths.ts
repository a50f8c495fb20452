/**
 * Discovery and OpenAPI as paths. Documents are built once and kept as bytes until the groups
 * change. Upstream: aggregator/apiserver/handler_apis.go, endpoints/discovery, kube-openapi handler.
 */
import * as api from "../apimachinery/api/errors.ts";
import { encodeProtobuf } from "../apimachinery/runtime/protobuf.ts";
import type { AuthorizedRequest, BytesResponse, Handler } from "../request/request.ts";
import {
  AGGREGATED_DISCOVERY_TYPE,
  aggregatedDiscovery,
  apiGroup,
  apiGroupList,
  apiResourceList,
  apiVersions,
  type DiscoveryDocument,
  encodeDocument,
} from "./discovery/documents.ts";
import type { ServedGroup } from "./discovery/resources.ts";
import { negotiate, PROTOBUF_TYPE } from "./negotiation.ts";
import { bytesResponse, respondJsonText } from "./respond.ts";
import type { PathRoutes } from "./routes.ts";

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
  if (served === undefined) return noSuch;
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
  let known: { groups: readonly ServedGroup[]; body: Buffer; etag: string } | undefined;
  return (request) => {
    const groups = source.groups();
    if (!wantsAggregated(request)) {
      const document = isCore ? apiVersions(source.serverAddress) : apiGroupList(groups);
      return respondDocument(request, document, "lax");
    }
    if (known?.groups !== groups) {
      const shown = groups.filter(({ group }) => (group === "") === isCore);
      known = { groups, ...encodeDocument(aggregatedDiscovery(shown)) };
    }
    const headers = [
      ["ETag", known.etag],
      ["Vary", "Accept"],
      ["Cache-Control", "public"],
    ] as const;
    if (request.headers.get("if-none-match") === known.etag) {
      return { kind: "bytes", status: 304, headers, body: "" };
    }
    const response = bytesResponse(request, 200, AGGREGATED_DISCOVERY_TYPE, known.body);
    return { ...response, headers: [...response.headers, ...headers] };
  };
}

/** The first clause that can be answered decides: v2 of APIGroupDiscoveryList in JSON, or plain. */
function wantsAggregated(request: AuthorizedRequest): boolean {
  for (const clause of (request.headers.get("accept") ?? "").split(",")) {
    const [type = "", ...params] = clause.split(";").map((part) => part.trim());
    if (type !== "application/json" && type !== "*/*") continue;
    if (!params.some((one) => one.startsWith("as="))) return false;
    const all = new Set(params);
    const isV2 = all.has("v=v2") && all.has("g=apidiscovery.k8s.io");
    if (isV2 && all.has("as=APIGroupDiscoveryList")) return true;
  }
  return false;
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

/** Not routed by go-restful: unknown types and parameters get the handler's own 406. */
function laxlyNegotiated(request: AuthorizedRequest) {
  const header = request.headers.get("accept") ?? "";
  try {
    return negotiate(request, STANDARD_OFFER);
  } catch (error) {
    if (header.includes("as=")) return negotiatedJson;
    if (!(error instanceof api.StatusError)) throw error;
    const types = STANDARD_OFFER.mediaTypes.join(", ");
    throw api.notAcceptable(`only the following media types are accepted: ${types}`);
  }
}

const negotiatedJson = {
  mediaType: "application/json",
  pretty: false,
  as: undefined,
  asVersion: "",
} as const;
