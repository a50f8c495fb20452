import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MalformedTarget, parseQuery, parseTarget } from "../../src/request/go-url.ts";
import { parseRequestInfo } from "../../src/request/request-info-parse.ts";

// verb, apiPrefix, apiGroup, apiVersion, namespace, resource, subresource, name, parts
const resourceCases: readonly [string, string, string][] = [
  ["GET", "/api/v1/namespaces", "list api//v1 ns= namespaces// [namespaces]"],
  ["GET", "/api/v1/namespaces/other", "get api//v1 ns=other namespaces//other [namespaces,other]"],
  ["GET", "/api/v1/namespaces/other/pods", "list api//v1 ns=other pods// [pods]"],
  ["GET", "/api/v1/namespaces/other/pods/foo", "get api//v1 ns=other pods//foo [pods,foo]"],
  ["HEAD", "/api/v1/namespaces/other/pods/foo", "get api//v1 ns=other pods//foo [pods,foo]"],
  ["GET", "/api/v1/pods", "list api//v1 ns= pods// [pods]"],
  ["HEAD", "/api/v1/pods", "list api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/nodes/n/status", "get api//v1 ns= nodes/status/n [nodes,n,status]"],
  [
    "PUT",
    "/api/v1/namespaces/a/finalize",
    "update api//v1 ns=a namespaces/finalize/a [namespaces,a,finalize]",
  ],
  [
    "PUT",
    "/api/v1/namespaces/a/status",
    "update api//v1 ns=a namespaces/status/a [namespaces,a,status]",
  ],
  [
    "GET",
    "/api/v1/namespaces/a/status/x",
    "get api//v1 ns=a namespaces/status/a [namespaces,a,status,x]",
  ],
  ["GET", "/api/v1/watch/pods", "watch api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/pods?watch=true", "watch api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/pods?watch", "watch api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/pods?watch=FALSE", "list api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/pods?watch=0", "list api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/pods/x?watch=1", "get api//v1 ns= pods//x [pods,x]"],
  ["GET", "/api/v1/watch/namespaces/other/pods/p", "watch api//v1 ns=other pods//p [pods,p]"],
  ["GET", "/api/v1/proxy/namespaces/o/pods/p/a/b", "proxy api//v1 ns=o pods//p [pods,p,a,b]"],
  [
    "POST",
    "/apis/apps/v1/namespaces/o/deployments",
    "create apis/apps/v1 ns=o deployments// [deployments]",
  ],
  [
    "PATCH",
    "/apis/apps/v1/namespaces/o/deployments/d/scale",
    "patch apis/apps/v1 ns=o deployments/scale/d [deployments,d,scale]",
  ],
  ["DELETE", "/api/v1/namespaces/o/pods", "deletecollection api//v1 ns=o pods// [pods]"],
  ["DELETE", "/api/v1/namespaces/o/pods/p", "delete api//v1 ns=o pods//p [pods,p]"],
  ["OPTIONS", "/api/v1/pods", " api//v1 ns= pods// [pods]"],
  ["GET", "//api/v1/pods/", "list api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/pods?fieldSelector=metadata.name%3Dweb", "list api//v1 ns= pods//web [pods]"],
  [
    "GET",
    "/api/v1/pods?watch=1&fieldSelector=a=b,metadata.name==w",
    "watch api//v1 ns= pods//w [pods]",
  ],
  ["GET", "/api/v1/pods?fieldSelector=metadata.name=a%252fb", "list api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/pods?fieldSelector=metadata.name!=a", "list api//v1 ns= pods// [pods]"],
  ["GET", "/api/v1/namespaces/d/pods/a%2Flog", "get api//v1 ns=d pods/log/a [pods,a,log]"],
  [
    "GET",
    "/api/v1/namespaces/d/services/s/proxy//x/../y",
    "get api//v1 ns=d services/proxy/s [services,s,proxy,,x,..,y]",
  ],
];
for (const [method, target, want] of resourceCases) {
  test(`${method} ${target}`, () => {
    const { path, rawQuery } = parseTarget(target);
    const i = parseRequestInfo(method, path, () => parseQuery(rawQuery));
    assert.equal(i.isResourceRequest, true);
    const api = `${i.apiPrefix}/${i.apiGroup}/${i.apiVersion}`;
    const what = `${i.resource}/${i.subresource}/${i.name}`;
    assert.equal(`${i.verb} ${api} ns=${i.namespace} ${what} [${i.parts.join()}]`, want);
  });
}

const nonResource = [
  "/",
  "/api",
  "/api/v1",
  "/api/v1/",
  "/apis",
  "/apis/apps",
  "/apis/apps/v1",
  "/healthz",
  "/x/y/z/w",
  "/api/v1/watch",
  "/api/v1/proxy/",
  // Tricks: none of these is a resource.
  "/api/v1//pods",
  "/apis//v1/pods/x",
  "/api/v1/namespaces//pods",
  "/api/v1/namespaces/../pods",
  "/api/v1/namespaces/a/../b",
  "/api/v1/pods/..",
  "/api/v1/pods/%2e%2e",
  "/api/../apis/apps/v1/x",
  "/api/v1/namespaces/a/pods/..%2fb",
  "/api/v1/./pods",
  "/api/v1/namespaces/a//x",
];
for (const target of nonResource) {
  test(`${target} is no resource request`, () => {
    const { path } = parseTarget(target);
    const info = parseRequestInfo("GET", path, () => parseQuery(""));
    assert.equal(info.isResourceRequest, false);
    assert.equal(info.verb, "get");
    assert.equal(info.path, path);
    assert.equal(info.resource, "");
  });
}

for (const target of ["/%", "/%g0", "/a%2", "/a b", "/a\tb", "x", "", "/\u0000", "ftp://h/x"]) {
  test(`${JSON.stringify(target)} is malformed`, () => {
    assert.throws(() => parseTarget(target), MalformedTarget);
  });
}
test("an absolute target keeps its path and query", () => {
  assert.deepEqual(parseTarget("http://h:1/a%20b?c=%zz"), { path: "/a b", rawQuery: "c=%zz" });
  assert.deepEqual(parseTarget("https://h"), { path: "/", rawQuery: "" });
});
test("parseQuery drops what Go drops", () => {
  const pairs = [...parseQuery("a=1&b;c=2&d=%zz&e=x+y%2B&&f&a=2")];
  assert.deepEqual(pairs, [
    ["a", "1"],
    ["e", "x y+"],
    ["f", ""],
    ["a", "2"],
  ]);
});
test("no target crashes the parsers", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.constantFrom("GET", "PUT", "X"),
      (text, method) => {
        const target = `/${text}`;
        let parsed: ReturnType<typeof parseTarget>;
        try {
          parsed = parseTarget(target);
        } catch (thrown) {
          assert.ok(thrown instanceof MalformedTarget);
          return;
        }
        const info = parseRequestInfo(method, parsed.path, () => parseQuery(parsed.rawQuery));
        for (const segment of [info.namespace, info.name, info.resource]) {
          assert.ok(segment !== "." && segment !== ".." && !segment.includes("/"));
        }
      },
    ),
  );
});
