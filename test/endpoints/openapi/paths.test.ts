import { strict as assert } from "node:assert";
import { test } from "node:test";
import { builtInGroups } from "../../../src/endpoints/discovery/resources.ts";
import { openApiPaths } from "../../../src/endpoints/openapi/paths.ts";
import { OpenApiService } from "../../../src/endpoints/openapi/service.ts";
import type { AuthorizedRequest, BytesResponse } from "../../../src/request/request.ts";

const service = new OpenApiService({ groups: builtInGroups().slice(0, 3), version: "1.36" });
const routes = openApiPaths({ service: () => service, startedAt: new Date(0) });

async function get(target: string, headers: Record<string, string> = {}): Promise<BytesResponse> {
  const [path = "", query = ""] = target.split("?");
  const handler = routes.lookup(path);
  assert(handler !== undefined, target);
  const request = { query: new URLSearchParams(query), headers: new Map(Object.entries(headers)) };
  const response = await handler(request as unknown as AuthorizedRequest);
  assert(response.kind === "bytes");
  return response;
}
const header = ({ headers }: BytesResponse, name: string) =>
  headers.find(([key]) => key === name)?.[1];

test("v2 is JSON by default, protobuf when asked, 406 otherwise", async () => {
  const json = await get("/openapi/v2");
  assert.equal(header(json, "Content-Type"), "application/json");
  const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
  const protobuf = await get("/openapi/v2", { accept });
  const type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
  assert.equal(header(protobuf, "Content-Type"), type);
  const refused = await get("/openapi/v2", { accept: "text/html" });
  assert.deepEqual([refused.status, refused.body], [406, ""]);
});

test("a known ETag is 304", async () => {
  const etag = header(await get("/openapi/v2"), "ETag") ?? "";
  assert.equal((await get("/openapi/v2", { "if-none-match": etag })).status, 304);
});

test("v3 documents: the right hash is immutable, a wrong one redirects, none is neither", async () => {
  const { body } = await get("/openapi/v3");
  const { paths } = JSON.parse(String(body)) as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const url = paths["apis/apps/v1"]?.serverRelativeURL ?? "";
  assert.equal(header(await get(url), "Cache-Control"), "public, immutable");
  const moved = await get("/openapi/v3/apis/apps/v1?hash=AB");
  assert.deepEqual([moved.status, header(moved, "Location")], [301, url]);
  assert.equal(header(await get("/openapi/v3/apis/apps/v1"), "Cache-Control"), undefined);
  assert.equal((await get("/openapi/v3/apis/nope/v1")).status, 404);
  assert.equal(routes.lookup("/openapi"), undefined);
});
