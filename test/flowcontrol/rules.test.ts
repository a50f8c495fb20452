import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowSchemaSpec } from "../../src/apis/flowcontrol/v1/types.ts";
import { flowSchemas } from "../../src/controllers/bootstrap/flowcontrol.ts";
import { FlowRules } from "../../src/flowcontrol/rules.ts";
import type { RequestInfo } from "../../src/request/request-info.ts";
import type { UserInfo } from "../../src/request/user-info.ts";
import { info, path, user } from "./fakes.ts";

const specOf = (object: unknown) => (object as { spec: FlowSchemaSpec }).spec;
const suggested = new FlowRules(
  [...flowSchemas]
    .sort((a, b) => (specOf(a).matchingPrecedence ?? 0) - (specOf(b).matchingPrecedence ?? 0))
    .map((object) => ({ spec: specOf(object), value: object.metadata?.name ?? "" })),
);
const account = (namespace: string, name: string) =>
  user(
    `system:serviceaccount:${namespace}:${name}`,
    "system:serviceaccounts",
    `system:serviceaccounts:${namespace}`,
  );
const leases = { apiGroup: "coordination.k8s.io" };
const nodesOnly = { namespace: "" };

const cases: readonly (readonly [string, UserInfo, RequestInfo])[] = [
  ["exempt", user("admin", "system:masters"), info("list", "pods")],
  ["exempt", user("admin", "system:masters"), path("/metrics")],
  ["probes", user("jane"), path("/healthz")],
  ["global-default", user("jane"), path("/healthz", "post")],
  ["global-default", user("jane"), path("/healthz/ping")],
  ["system-leader-election", user("system:kube-scheduler"), info("update", "leases", leases)],
  ["kube-scheduler", user("system:kube-scheduler"), info("delete", "leases", leases)],
  ["system-leader-election", account("kube-system", "x"), info("get", "leases", leases)],
  ["service-accounts", account("kube-systems", "x"), info("get", "leases", leases)],
  ["endpoint-controller", account("kube-system", "endpoint-controller"), info("get", "endpoints")],
  ["kube-system-service-accounts", account("kube-system", "x"), info("get", "endpoints")],
  ["system-node-high", user("system:node:a", "system:nodes"), info("patch", "nodes", nodesOnly)],
  [
    "system-node-high",
    user("system:node:a", "system:nodes"),
    info("patch", "nodes", { ...nodesOnly, subresource: "status" }),
  ],
  [
    "system-nodes",
    user("system:node:a", "system:nodes"),
    info("get", "nodes", { ...nodesOnly, subresource: "proxy" }),
  ],
  ["system-nodes", user("system:node:a", "system:nodes"), info("get", "pods")],
  ["service-accounts", account("default", "x"), info("list", "pods")],
  ["global-default", user("jane"), info("list", "pods")],
];

for (const [expected, by, of] of cases) {
  const what = of.isResourceRequest ? `${of.resource} ${of.subresource}` : of.path;
  test(`${by.name} ${of.verb} ${what} is of ${expected}`, () => {
    assert.equal(suggested.match(by, of), expected);
    assert.equal(suggested.match(by, of), expected, "remembered");
  });
}

test("a name with other groups is another user", () => {
  assert.equal(suggested.match(user("root", "system:masters"), info("get", "pods")), "exempt");
  assert.equal(suggested.match(user("root"), info("get", "pods")), "global-default");
});

test("who is in no group of a schema matches none", () => {
  const nobody: UserInfo = { name: "x", uid: "", groups: [], extra: {} };
  assert.equal(suggested.match(nobody, info("get", "pods")), undefined);
});

test("a rule asks for scope, namespace, subresource and path prefix", () => {
  const spec = (rule: object): FlowSchemaSpec => ({
    rules: [{ subjects: [{ kind: "User", user: { name: "*" } }], ...rule }],
  });
  const only = (rule: object, of: RequestInfo) =>
    new FlowRules([{ spec: spec(rule), value: true }]).match(user("x"), of) ?? false;
  const resource = { verbs: ["*"], apiGroups: ["*"], resources: ["pods"] };
  const rules = (of: object) => ({ resourceRules: [{ ...resource, ...of }] });
  assert.equal(only(rules({ namespaces: ["a"] }), info("get", "pods", { namespace: "a" })), true);
  assert.equal(only(rules({ namespaces: ["a"] }), info("get", "pods", { namespace: "b" })), false);
  assert.equal(only(rules({ namespaces: ["*"] }), info("get", "pods", { namespace: "" })), false);
  assert.equal(only(rules({ clusterScope: true }), info("get", "pods", { namespace: "" })), true);
  const log = info("get", "pods", { subresource: "log" });
  assert.equal(only(rules({ namespaces: ["*"] }), log), false);
  const paths = (...nonResourceURLs: string[]) => ({
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs }],
  });
  assert.equal(only(paths("/openapi/*"), path("/openapi/v2")), true);
  assert.equal(only(paths("/openapi/*"), path("/openap")), false);
  assert.equal(only(paths("*"), path("/anything")), true);
});
