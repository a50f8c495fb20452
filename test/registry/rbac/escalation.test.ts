import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attributes } from "../../../src/admission/plugin.ts";
import { StatusError } from "../../../src/apimachinery/api/errors.ts";
import type { PolicyRule } from "../../../src/apis/rbac/v1/types.ts";
import type { Authorizer } from "../../../src/authorization/authorizer.ts";
import { nodeRules, rbacBootstrapObjects } from "../../../src/registry/rbac/bootstrap.ts";
import { rbacEscalationCheck } from "../../../src/registry/rbac/escalation.ts";
import {
  mergeBinding,
  mergeRole,
  type ObjectClient,
  reconcileRbac,
} from "../../../src/registry/rbac/reconcile.ts";
import {
  compactRules,
  ruleText,
  uncoveredRules,
} from "../../../src/registry/rbac/rule-coverage.ts";

const rule = (verbs: string, resources: string, groups = "", names = ""): PolicyRule => ({
  verbs: verbs.split(" "),
  apiGroups: groups.split(" "),
  resources: resources.split(" "),
  ...(names === "" ? {} : { resourceNames: names.split(" ") }),
});
const url = (verbs: string, path: string): PolicyRule => ({
  verbs: verbs.split(" "),
  nonResourceURLs: [path],
});

const covers: readonly (readonly [PolicyRule[], PolicyRule[], string[]])[] = [
  [[rule("get list", "pods")], [rule("get", "pods")], []],
  [
    [rule("get", "pods")],
    [rule("get list", "pods secrets")],
    [
      '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
    ],
  ],
  [[rule("*", "*", "*")], [rule("get", "pods/log", "apps"), rule("*", "*", "*")], []],
  [[rule("*", "*", "*")], [url("get", "/x")], ['{NonResourceURLs:["/x"], Verbs:["get"]}']],
  [[rule("get", "*/scale")], [rule("get", "deployments/scale")], []],
  [
    [rule("get", "*/scale")],
    [rule("get", "deployments")],
    ['{APIGroups:[""], Resources:["deployments"], Verbs:["get"]}'],
  ],
  [
    [rule("get", "pods", "", "a")],
    [rule("get", "pods")],
    ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
  ],
  [
    [rule("get", "pods", "", "a")],
    [rule("get", "pods", "", "a b")],
    ['{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["get"]}'],
  ],
  [[rule("get", "pods")], [rule("get", "pods", "", "a")], []],
  [[rule("get", "pods"), rule("list", "pods")], [rule("get list", "pods")], []],
  [
    [url("get", "/api/*")],
    [url("get", "/api/v1"), url("get", "/apis")],
    ['{NonResourceURLs:["/apis"], Verbs:["get"]}'],
  ],
];
for (const [held, wanted, missing] of covers) {
  test(`${held.map(ruleText)} against ${wanted.map(ruleText)}`, () => {
    const texts = compactRules(uncoveredRules(held, wanted)).map(ruleText);
    assert.deepEqual(texts, missing);
  });
}

interface Case {
  readonly held?: PolicyRule[];
  readonly errors?: readonly string[];
  readonly allowed?: string;
  readonly resource?: string;
  readonly object: object;
  readonly old?: object;
  readonly groups?: string[];
  readonly refused?: RegExp | undefined;
}
const secrets = [rule("get", "secrets")];
const toAdmin = {
  metadata: { name: "b" },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "big" },
};
const cases: Readonly<Record<string, Case>> = {
  "a role of what one has": { held: secrets, object: { metadata: { name: "r" }, rules: secrets } },
  "a role of more": {
    object: { metadata: { name: "r" }, rules: secrets },
    refused:
      /^roles\.rbac\.authorization\.k8s\.io "r" is forbidden: user "bob" \(groups=\["devs"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}$/,
  },
  "a role of more, by masters": {
    groups: ["system:masters"],
    object: { metadata: { name: "r" }, rules: secrets },
  },
  "a role of more, with escalate": {
    allowed: "escalate roles ",
    object: { metadata: { name: "r" }, rules: secrets },
  },
  "an update that changes nothing": {
    object: { metadata: { name: "r" }, rules: secrets },
    old: { metadata: { name: "r" }, rules: secrets },
  },
  "an update of finalizers only": {
    object: { metadata: { name: "r" }, rules: secrets },
    old: { metadata: { name: "r", finalizers: ["x"] }, rules: secrets },
  },
  "an update that adds": {
    object: { metadata: { name: "r" }, rules: secrets },
    old: { metadata: { name: "r" }, rules: [] },
    refused: /not currently held/,
  },
  "an update that changes a label of a bigger role": {
    object: { metadata: { name: "r", labels: { a: "b" } }, rules: secrets },
    old: { metadata: { name: "r" }, rules: secrets },
    refused: /not currently held/,
  },
  "an aggregated role": {
    resource: "clusterroles",
    object: { metadata: { name: "r" }, aggregationRule: { clusterRoleSelectors: [{}] } },
    refused: /must have cluster-admin privileges to use the aggregationRule/,
  },
  "an aggregated role, by who has all": {
    held: [rule("*", "*", "*"), url("*", "*")],
    resource: "clusterroles",
    object: { metadata: { name: "r" }, aggregationRule: { clusterRoleSelectors: [{}] } },
  },
  "an aggregation taken away": {
    resource: "clusterroles",
    object: { metadata: { name: "r" }, rules: [] },
    old: { metadata: { name: "r" }, aggregationRule: { clusterRoleSelectors: [{}] } },
    refused: /aggregationRule/,
  },
  "a binding to more": {
    resource: "rolebindings",
    object: toAdmin,
    refused: /rolebindings\.rbac.*not currently held/,
  },
  "a binding to what one has": { held: secrets, resource: "rolebindings", object: toAdmin },
  "a binding with bind": {
    allowed: "bind clusterroles big",
    resource: "rolebindings",
    object: toAdmin,
  },
  "a binding with bind of another role": {
    allowed: "bind clusterroles small",
    resource: "rolebindings",
    object: toAdmin,
    refused: /not currently held/,
  },
  "with one missing role of the user's": {
    object: { metadata: { name: "r" }, rules: secrets },
    errors: ['clusterrole.rbac.authorization.k8s.io "a" not found'],
    refused: /; resolution errors: \[roles\.rbac\.authorization\.k8s\.io "a" not found\]$/,
  },
  "with two": {
    resource: "clusterroles",
    object: { metadata: { name: "r" }, rules: secrets },
    errors: [
      'clusterrole.rbac.authorization.k8s.io "a" not found',
      'role.rbac.authorization.k8s.io "b" not found',
    ],
    refused: /: \[\[clusterroles\.\S+ "a" not found, clusterroles\.\S+ "b" not found\]\]$/,
  },
  "a binding to nothing": {
    resource: "clusterrolebindings",
    object: { metadata: { name: "b" }, roleRef: { kind: "ClusterRole", name: "gone" } },
    refused: /^clusterrolebindings\.rbac\.authorization\.k8s\.io "gone" not found$/,
  },
};
for (const [what, one] of Object.entries(cases)) {
  test(`escalation: ${what}`, async () => {
    const authorizer: Authorizer = {
      name: "one",
      authorize: ({ verb, resource, name }) => {
        const isAllowed = one.allowed === `${verb} ${resource} ${name}`;
        return { decision: isAllowed ? "Allow" : "NoOpinion", reason: "" };
      },
    };
    const roleRules = {
      rulesFor: () => ({ rules: one.held ?? [], errors: one.errors ?? [] }),
      rulesOf: ({ name }: { name?: string | undefined }) =>
        name === "big" ? { rules: secrets } : undefined,
    };
    const plugin = rbacEscalationCheck(roleRules, authorizer);
    const attributes = {
      operation: one.old === undefined ? "CREATE" : "UPDATE",
      resource: {
        group: "rbac.authorization.k8s.io",
        version: "v1",
        resource: one.resource ?? "roles",
      },
      subresource: "",
      namespace: "ns",
      name: "r",
      object: one.object,
      oldObject: one.old,
      user: { name: "bob", uid: "", groups: one.groups ?? ["devs"], extra: {} },
    } as unknown as Attributes;
    assert.ok(plugin.handles(attributes as never));
    const check = async () => plugin.admit?.(attributes as never);
    if (one.refused === undefined) await check();
    else
      await assert.rejects(
        check,
        (error) => error instanceof StatusError && (one.refused as RegExp).test(error.message),
      );
  });
}

// ---- default objects --------------------------------------------------------------------------

test("the default objects are all there", () => {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = rbacBootstrapObjects();
  const names = new Set(clusterRoles.map((one) => one.metadata?.name));
  for (const name of [
    "cluster-admin",
    "admin",
    "edit",
    "view",
    "system:node",
    "system:controller:job-controller",
  ]) {
    assert.ok(names.has(name), name);
  }
  assert.ok(clusterRoleBindings.length > 40);
  assert.equal(roles.length, roleBindings.length);
  assert.ok(nodeRules().length > 10);
});

function fakeClient(
  existing: { kind: string; metadata: { name: string; namespace?: string } }[] = [],
) {
  const calls: string[] = [];
  const client: ObjectClient = {
    list: async ({ resource }) =>
      existing.filter(({ kind }) => `${kind.toLowerCase()}s` === resource) as never,
    get: async () => undefined,
    create: async ({ resource }, _ns, { metadata }) =>
      calls.push(`create ${resource} ${metadata?.name}`),
    update: async ({ resource }, _ns, { metadata }) =>
      calls.push(`update ${resource} ${metadata?.name}`),
    delete: async ({ resource }, _ns, name) => calls.push(`delete ${resource} ${name}`),
  };
  return { client, calls };
}
test("an empty cluster gets everything, a complete one nothing", async () => {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = rbacBootstrapObjects();
  const all = [...clusterRoles, ...clusterRoleBindings, ...roles, ...roleBindings];
  const empty = fakeClient();
  await reconcileRbac(empty.client);
  assert.equal(empty.calls.length, all.length);
  const full = fakeClient(all as never);
  await reconcileRbac(full.client);
  assert.deepEqual(full.calls, []);
});
const auto = { "rbac.authorization.kubernetes.io/autoupdate": "true" };
const protectedBy = { "rbac.authorization.kubernetes.io/autoupdate": "false" };
const wantedRole = {
  metadata: { name: "r", annotations: auto, labels: { a: "1" } },
  rules: [rule("get list", "pods")],
};
const roleRows: readonly (readonly [string, object, object])[] = [
  ["nothing to add", wantedRole, { kind: "keep" }],
  ["more than wanted stays", { ...wantedRole, rules: [rule("*", "*", "*")] }, { kind: "keep" }],
  [
    "a missing verb is added",
    { ...wantedRole, rules: [rule("get", "pods")] },
    {
      kind: "update",
      object: { ...wantedRole, rules: [rule("get", "pods"), rule("list", "pods")] },
    },
  ],
  [
    "protected",
    { ...wantedRole, metadata: { ...wantedRole.metadata, annotations: protectedBy }, rules: [] },
    { kind: "keep" },
  ],
  [
    "a changed label stays",
    { ...wantedRole, metadata: { ...wantedRole.metadata, labels: { a: "2" } } },
    { kind: "keep" },
  ],
  [
    "a missing label is added",
    { ...wantedRole, metadata: { ...wantedRole.metadata, labels: { b: "2" } } },
    {
      kind: "update",
      object: { ...wantedRole, metadata: { ...wantedRole.metadata, labels: { a: "1", b: "2" } } },
    },
  ],
];
for (const [what, found, want] of roleRows) {
  test(`reconciling a role: ${what}`, () =>
    assert.deepEqual(mergeRole(wantedRole as never, found as never), want));
}
const group = (name: string) => ({ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name });
const wantedBinding = {
  metadata: { name: "b" },
  roleRef: { kind: "ClusterRole", name: "x" },
  subjects: [group("a")],
};
const bindingRows: readonly (readonly [string, object, object])[] = [
  ["nothing to add", wantedBinding, { kind: "keep" }],
  [
    "a missing subject is added",
    { ...wantedBinding, subjects: [group("b")] },
    { kind: "update", object: { ...wantedBinding, subjects: [group("b"), group("a")] } },
  ],
  [
    "another role means another binding",
    { ...wantedBinding, roleRef: { kind: "ClusterRole", name: "y" } },
    { kind: "recreate" },
  ],
  [
    "protected",
    { ...wantedBinding, metadata: { name: "b", annotations: protectedBy }, subjects: [] },
    { kind: "keep" },
  ],
];
for (const [what, found, want] of bindingRows) {
  test(`reconciling a binding: ${what}`, () =>
    assert.deepEqual(mergeBinding(wantedBinding as never, found as never), want));
}
