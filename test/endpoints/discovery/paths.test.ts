import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../../src/apimachinery/api/errors.ts";
import { builtInGroups } from "../../../src/endpoints/discovery/resources.ts";
import { discoveryPaths } from "../../../src/endpoints/discovery-paths.ts";
import type { AuthorizedRequest, BytesResponse } from "../../../src/request/request.ts";
import { requestWith } from "../../authentication/requests.ts";

const groups = builtInGroups(({ group }) => group === "" || group === "apps");
const routes = discoveryPaths({ groups: () => groups, serverAddress: "127.0.0.1:6443" });

/** Status and media type, or the message of a refusal. */
function ask(path: string, accept: string): string {
  const handler = routes.lookup(path);
  assert(handler !== undefined, path);
  const request = requestWith([["Accept", accept]], { target: path });
  try {
    const { status, headers } = handler(request as unknown as AuthorizedRequest) as BytesResponse;
    return `${status} ${headers.find(([name]) => name === "Content-Type")?.[1]}`;
  } catch (error) {
    assert(error instanceof StatusError);
    return `${error.code} ${error.status.message?.slice(0, 30)}`;
  }
}

const v2 = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
const beta = v2.replace("v2;", "v2beta1;");
const refused = "406 only the following media types";
const rows = [
  ["/apis", "", "200 application/json"],
  ["/apis", `application/json;${v2}`, `200 application/json;${v2}`],
  ["/apis", `application/yaml;${v2}`, `200 application/yaml;${v2}`],
  [
    "/api",
    `application/vnd.kubernetes.protobuf;${v2}`,
    `200 application/vnd.kubernetes.protobuf;${v2}`,
  ],
  ["/api", `application/json;${beta},application/json;${v2},*/*`, `200 application/json;${v2}`],
  ["/api", `application/json;${beta},application/json`, "200 application/json"],
  ["/api", `application/json;${beta}`, refused],
  ["/apis", "application/json;as=Table;g=meta.k8s.io;v=v1", refused],
  ["/apis/apps", `application/json;${v2}`, refused],
  ["/apis", "text/html", refused],
  ["/api", "text/html", "406 406: Not Acceptable\n\nAvailable"],
] as const;
for (const [path, accept, want] of rows) {
  test(`${path} as ${accept}`, () => {
    assert.equal(ask(path, accept).startsWith(want), true, ask(path, accept));
  });
}
