/**
 * `/openapi/v2` and `/openapi/v3` over HTTP: negotiation, hashes, cache headers.
 * Upstream: kube-openapi/pkg/handler, pkg/handler3.
 */
import type { BytesResponse, Handler, ReceivedRequest } from "../../request/request.ts";
import { bytesResponse } from "../respond.ts";
import {
  OPENAPI_V2_PROTOBUF,
  OPENAPI_V2_PROTOBUF_OLD,
  OPENAPI_V3_PROTOBUF,
  OPENAPI_V3_PROTOBUF_OLD,
  type OpenApiBytes,
  type OpenApiEncoding,
} from "./service.ts";

const YEAR_MS = 365 * 86_400_000;
const JSON_TYPE = "application/json";
/** What upstream's index is sent as: nobody sets a type, and its first bytes are text. */
const INDEX_TYPE = "text/plain; charset=utf-8";
const VARY = [["Vary", "Accept"]] as const;

/** What OpenApiService and OpenApiDocuments both are. */
export interface OpenApiProvider {
  v2(encoding: OpenApiEncoding): Promise<OpenApiBytes>;
  v3Index(): Buffer | Promise<Buffer>;
  v3(path: string, encoding: OpenApiEncoding): Promise<OpenApiBytes | undefined>;
}

export interface OpenApiSource {
  /** For the APIs served now: another object when they change. */
  service(): OpenApiProvider;
  /** When the server started: the documents' Last-Modified. */
  readonly startedAt: Date;
}

/** Routes of /openapi and below. */
export function openApiPaths(source: OpenApiSource): {
  lookup(path: string): Handler | undefined;
  paths(): readonly string[];
} {
  return {
    paths: () => ["/openapi/v2", "/openapi/v3", "/openapi/v3/"],
    lookup(path) {
      if (path === "/openapi/v2") return (request) => v2(source, request);
      if (path === "/openapi/v3") return (request) => v3Index(source, request);
      if (!path.startsWith("/openapi/v3/")) return undefined;
      return (request) => v3(source, request, path.slice("/openapi/v3/".length));
    },
  };
}

async function v2(source: OpenApiSource, request: ReceivedRequest): Promise<BytesResponse> {
  const encoding = encodingOf(request, [OPENAPI_V2_PROTOBUF, OPENAPI_V2_PROTOBUF_OLD]);
  if (encoding === undefined) return empty(406, VARY);
  const document = await source.service().v2(encoding);
  const headers = [
    ["Last-Modified", source.startedAt.toUTCString()],
    ...validators(document),
  ] as const;
  if (request.headers.get("if-none-match") === document.etag) return empty(304, headers);
  return answer(request, document, { encoding, protobufType: OPENAPI_V2_PROTOBUF, headers });
}

async function v3Index(source: OpenApiSource, request: ReceivedRequest): Promise<BytesResponse> {
  return bytesResponse(request, 200, INDEX_TYPE, await source.service().v3Index());
}

async function v3(
  source: OpenApiSource,
  request: ReceivedRequest,
  path: string,
): Promise<BytesResponse> {
  const encoding = encodingOf(request, [OPENAPI_V3_PROTOBUF, OPENAPI_V3_PROTOBUF_OLD]);
  if (encoding === undefined) return empty(406, VARY);
  const document = await source.service().v3(path, encoding);
  if (document === undefined) return empty(404);
  const hash = request.query.get("hash");
  if (hash !== null && hash !== "" && hash !== document.hash) {
    // The document has changed since the client read the index.
    return empty(301, [["Location", `/openapi/v3/${path}?hash=${document.hash}`]]);
  }
  const fixed = [
    ["Cache-Control", "public, immutable"],
    ["Expires", new Date(Date.now() + YEAR_MS).toUTCString()],
  ] as const;
  const headers = [
    ["Last-Modified", source.startedAt.toUTCString()] as const,
    ...validators(document),
    ...(hash === document.hash ? fixed : []),
  ];
  if (request.headers.get("if-none-match") === document.etag) return empty(304, headers);
  return answer(request, document, { encoding, protobufType: OPENAPI_V3_PROTOBUF, headers });
}

type Headers = readonly (readonly [string, string])[];

function validators({ etag }: OpenApiBytes): Headers {
  return [
    ["ETag", etag],
    ["Vary", "Accept"],
  ];
}

function empty(status: number, headers: Headers = []): BytesResponse {
  return { kind: "bytes", status, headers, body: "" };
}

function answer(
  request: ReceivedRequest,
  { body }: OpenApiBytes,
  options: { encoding: OpenApiEncoding; protobufType: string; headers: Headers },
): BytesResponse {
  const type = options.encoding === "json" ? JSON_TYPE : options.protobufType;
  const response = bytesResponse(request, 200, type, body);
  return { ...response, headers: [...response.headers, ...options.headers] };
}

/** What the first acceptable clause asks for; undefined is 406. */
function encodingOf(request: ReceivedRequest, protobufTypes: readonly string[]) {
  const accept = request.headers.get("accept") ?? "*/*";
  for (const clause of accept.split(",")) {
    const type = (clause.split(";")[0] ?? "").trim();
    if (type === JSON_TYPE || type === "application/*" || type === "*/*" || type === "")
      return "json";
    if (protobufTypes.includes(type)) return "protobuf";
  }
  return undefined;
}
