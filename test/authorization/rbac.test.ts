import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PolicyRule } from "../../src/apis/rbac/v1/types.ts";
import type { AuthorizationAttributes } from "../../src/authorization/authorizer.ts";
import { RbacIndex } from "../../src/authorization/rbac/index.ts";
import { rbacAuthorizer } from "../../src/authorization/rbac/rbac.ts";
import { compileRules } from "../../src/authorization/rbac/rules.ts";
import type { UserInfo } from "../../src/request/user-info.ts";

const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: "",
  groups,
  extra: {},
});
const asking = (changes: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => ({
  user: user("alice"),
  verb: "get",
  resourceRequest: true,
  apiGroup: "",
  apiVersion: "v1",
  namespace: "",
  resource: "pods",
  subresource: "",
  name: "",
  path: "",
  ...changes,
});
const path = (verb: string, text: string) =>
  asking({ verb, path: text, resourceRequest: false, resource: "" });

const rules: readonly (readonly [PolicyRule, AuthorizationAttributes, boolean])[] = [
  [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }, asking(), true],
  [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }, asking({ verb: "list" }), false],
  [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }, asking({ apiGroup: "apps" }), false],
  [{ verbs: ["get"], apiGroups: [""], resources: ["pods"] }, asking({ subresource: "log" }), false],
  [
    { verbs: ["get"], apiGroups: [""], resources: ["pods/log"] },
    asking({ subresource: "log" }),
    true,
  ],
  [{ verbs: ["get"], apiGroups: [""], resources: ["pods/log"] }, asking(), false],
  [{ verbs: ["get"], apiGroups: [""], resources: ["*/log"] }, asking({ subresource: "log" }), true],
  [
    { verbs: ["get"], apiGroups: [""], resources: ["*/log"] },
    asking({ subresource: "exec" }),
    false,
  ],
  [
    { verbs: ["get"], apiGroups: [""], resources: ["pods/*"] },
    asking({ subresource: "log" }),
    false,
  ],
  [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, asking({ subresource: "log" }), true],
  [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }, path("get", "/metrics"), false],
  [
    { verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
    asking({ name: "a" }),
    true,
  ],
  [
    { verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
    asking({ name: "b" }),
    false,
  ],
  [
    { verbs: ["create"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
    asking({ verb: "create" }),
    false,
  ],
  [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }, path("get", "/healthz"), true],
  [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }, path("get", "/healthz/x"), false],
  [{ verbs: ["get"], nonResourceURLs: ["/api/*"] }, path("get", "/api/v1"), true],
  [{ verbs: ["get"], nonResourceURLs: ["/api/*"] }, path("get", "/apis"), false],
  [{ verbs: ["get"], nonResourceURLs: ["*"] }, path("get", "/anything"), true],
  [{ verbs: ["get"], nonResourceURLs: ["*"] }, asking(), false],
  [{ verbs: ["get"], nonResourceURLs: ["/a*b"] }, path("get", "/axb"), false],
];
for (const [rule, attributes, want] of rules) {
  const { verb, resource, subresource, name, path: url } = attributes;
  const what = url || [resource, subresource, name].join("/");
  test(`${JSON.stringify(rule)} on ${verb} ${what}`, () => {
    const index = new RbacIndex();
    index.setClusterRole({ metadata: { name: "r" }, rules: [rule] });
    index.setBinding({
      metadata: { name: "b" },
      roleRef: { kind: "ClusterRole", name: "r" },
      subjects: [{ kind: "User", name: "alice" }],
    });
    const { decision } = rbacAuthorizer(index).authorize(attributes) as { decision: string };
    assert.equal(decision, want ? "Allow" : "NoOpinion");
  });
}

function cluster() {
  const index = new RbacIndex();
  const rule = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };
  index.setClusterRole({ metadata: { name: "reader" }, rules: [rule] });
  index.setRole({ metadata: { namespace: "ns", name: "local" }, rules: [rule] });
  return { index, authorizer: rbacAuthorizer(index) };
}
const clusterBinding = (subjects: object[], name = "b") => ({
  metadata: { name },
  roleRef: { kind: "ClusterRole", name: "reader" },
  subjects,
});
const localBinding = (subjects: object[], kind = "Role", role = "local") => ({
  metadata: { name: "b", namespace: "ns" },
  roleRef: { kind, name: role },
  subjects,
});

test("reasons name the binding, the role and the subject", () => {
  const { index, authorizer } = cluster();
  index.setBinding(clusterBinding([{ kind: "Group", name: "devs" }]));
  assert.deepEqual(authorizer.authorize(asking({ user: user("x", "devs") })), {
    decision: "Allow",
    reason: 'RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "reader" to Group "devs"',
  });
  index.setBinding(localBinding([{ kind: "ServiceAccount", name: "sa" }]));
  const account = user("system:serviceaccount:ns:sa");
  assert.deepEqual(authorizer.authorize(asking({ user: account, namespace: "ns" })), {
    decision: "Allow",
    reason: 'RBAC: allowed by RoleBinding "b/ns" of Role "local" to ServiceAccount "sa/"',
  });
});

const subjects: readonly (readonly [object, UserInfo, boolean])[] = [
  [{ kind: "User", name: "alice" }, user("alice"), true],
  [{ kind: "User", name: "alice" }, user("bob", "alice"), false],
  [{ kind: "Group", name: "alice" }, user("alice"), false],
  [{ kind: "Group", name: "g" }, user("x", "f", "g"), true],
  [
    { kind: "ServiceAccount", name: "sa", namespace: "ns" },
    user("system:serviceaccount:ns:sa"),
    true,
  ],
  [{ kind: "ServiceAccount", name: "sa" }, user("system:serviceaccount::sa"), false],
  [
    { kind: "ServiceAccount", name: "a", namespace: "ns" },
    user("system:serviceaccount:ns:b"),
    false,
  ],
  [{ kind: "Nobody", name: "alice" }, user("alice"), false],
];
for (const [subject, who, want] of subjects) {
  test(`${JSON.stringify(subject)} is ${who.name} [${who.groups}]: ${want}`, () => {
    const { index, authorizer } = cluster();
    index.setBinding(clusterBinding([subject]));
    const { decision } = authorizer.authorize(asking({ user: who })) as { decision: string };
    assert.equal(decision, want ? "Allow" : "NoOpinion");
  });
}

test("a RoleBinding grants in its namespace only, also of a ClusterRole", () => {
  const { index, authorizer } = cluster();
  index.setBinding(localBinding([{ kind: "User", name: "alice" }], "ClusterRole", "reader"));
  const decide = (namespace: string) =>
    (authorizer.authorize(asking({ namespace })) as { decision: string }).decision;
  assert.equal(decide("ns"), "Allow");
  assert.equal(decide("other"), "NoOpinion");
  assert.equal(decide(""), "NoOpinion");
});

test("a missing role is told, and is no grant", async () => {
  const { index, authorizer } = cluster();
  const binding = {
    ...clusterBinding([{ kind: "User", name: "alice" }]),
    roleRef: { kind: "ClusterRole", name: "gone" },
  };
  index.setBinding(binding);
  assert.deepEqual(authorizer.authorize(asking()), {
    decision: "NoOpinion",
    reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found',
  });
  index.setBinding(clusterBinding([{ kind: "User", name: "alice" }], "c"));
  assert.equal((authorizer.authorize(asking()) as { decision: string }).decision, "Allow");
  const resolved = await authorizer.rulesFor(user("alice"), "ns");
  assert.match(resolved.evaluationError, /"gone" not found/);
  assert.equal(resolved.resourceRules.length, 1);
});

test("changes count at once: rules, subjects, roles and bindings", () => {
  const { index, authorizer } = cluster();
  const alice = user("alice");
  const decide = () =>
    (authorizer.authorize(asking({ user: alice })) as { decision: string }).decision;
  assert.equal(decide(), "NoOpinion");
  index.setBinding(clusterBinding([{ kind: "User", name: "alice" }]));
  assert.equal(decide(), "Allow");
  index.setBinding(clusterBinding([{ kind: "User", name: "bob" }]));
  assert.equal(decide(), "NoOpinion");
  index.setBinding(clusterBinding([{ kind: "User", name: "alice" }]));
  index.setClusterRole({ metadata: { name: "reader" }, rules: [] });
  assert.equal(decide(), "NoOpinion");
  index.setClusterRole({
    metadata: { name: "reader" },
    rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
  });
  assert.equal(decide(), "Allow");
  index.removeBinding(clusterBinding([]));
  assert.equal(decide(), "NoOpinion");
});

test("remembered decisions do not mix up questions", () => {
  const { index, authorizer } = cluster();
  index.setClusterRole({
    metadata: { name: "reader" },
    rules: [
      { verbs: [",0"], nonResourceURLs: ["*"] },
      { verbs: ["get"], apiGroups: ["a"], resources: ["bc"] },
    ],
  });
  index.setBinding(clusterBinding([{ kind: "User", name: "alice" }]));
  const alice = user("alice");
  const decide = (attributes: AuthorizationAttributes) =>
    (authorizer.authorize({ ...attributes, user: alice }) as { decision: string }).decision;
  assert.equal(decide(asking({ apiGroup: "a", resource: "bc" })), "Allow");
  assert.equal(decide(asking({ apiGroup: "ab", resource: "c" })), "NoOpinion");
  assert.equal(decide(path(",0", "r3,1,2,0:getabc")), "Allow");
  assert.equal(decide(asking({ verb: "list", apiGroup: "a", resource: "bc" })), "NoOpinion");
});

// ---- against upstream's definition, word for word ----------------------------------------------

function ruleAllows(rule: PolicyRule, q: AuthorizationAttributes): boolean {
  const has = (list: readonly string[] = [], value: string) =>
    list.includes("*") || list.includes(value);
  if (!has(rule.verbs, q.verb)) return false;
  if (!q.resourceRequest) {
    return (rule.nonResourceURLs ?? []).some(
      (url) =>
        url === "*" ||
        url === q.path ||
        (url.endsWith("*") && q.path.startsWith(url.replace(/\*+$/, ""))),
    );
  }
  const combined = q.subresource === "" ? q.resource : `${q.resource}/${q.subresource}`;
  const resource = (rule.resources ?? []).some(
    (one) =>
      one === "*" || one === combined || (q.subresource !== "" && one === `*/${q.subresource}`),
  );
  const names = rule.resourceNames ?? [];
  return (
    has(rule.apiGroups, q.apiGroup) && resource && (names.length === 0 || names.includes(q.name))
  );
}
const some = (...values: string[]) => fc.subarray(values);
const anyRule = fc.record({
  verbs: some("get", "list", "*"),
  apiGroups: some("", "apps", "*"),
  resources: some("pods", "pods/log", "*/log", "*"),
  resourceNames: some("a", "b"),
  nonResourceURLs: some("/x", "/x/*", "*"),
});
const anyQuestion = fc.record({
  verb: fc.constantFrom("get", "list", "delete"),
  apiGroup: fc.constantFrom("", "apps"),
  resource: fc.constantFrom("pods", "nodes"),
  subresource: fc.constantFrom("", "log"),
  name: fc.constantFrom("", "a", "b", "c"),
  path: fc.constantFrom("/x", "/x/y", "/y"),
  resourceRequest: fc.boolean(),
  namespace: fc.constantFrom("", "ns", "other"),
});

test("compiled rules decide as the definition does", () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 4 }), anyQuestion, (list, changes) => {
      const q = asking(changes);
      const combined = q.subresource === "" ? q.resource : `${q.resource}/${q.subresource}`;
      const got = compileRules(list).allows({ ...q, resource: combined });
      assert.equal(
        got,
        list.some((rule) => ruleAllows(rule, q)),
      );
    }),
    { numRuns: 3_000 },
  );
});

test("the index decides as a walk over all bindings does, through any changes", () => {
  const role = fc.record({
    kind: fc.constantFrom("ClusterRole", "Role"),
    name: fc.constantFrom("r1", "r2"),
  });
  const subject = fc.constantFrom(
    { kind: "User", name: "alice" },
    { kind: "Group", name: "devs" },
    { kind: "User", name: "bob" },
  );
  const change = fc.oneof(
    fc.record({
      what: fc.constant("clusterrole" as const),
      name: fc.constantFrom("r1", "r2"),
      rules: fc.array(anyRule, { maxLength: 2 }),
    }),
    fc.record({
      what: fc.constant("role" as const),
      name: fc.constantFrom("r1", "r2"),
      rules: fc.array(anyRule, { maxLength: 2 }),
    }),
    fc.record({
      what: fc.constant("binding" as const),
      name: fc.constantFrom("b1", "b2", "b3"),
      namespace: fc.constantFrom("", "ns"),
      roleRef: role,
      subjects: fc.array(subject, { maxLength: 2 }),
      gone: fc.boolean(),
    }),
  );
  const alice = user("alice", "devs");
  fc.assert(
    fc.property(fc.array(fc.tuple(change, anyQuestion), { maxLength: 12 }), (steps) => {
      const index = new RbacIndex();
      const authorizer = rbacAuthorizer(index);
      const clusterRoles = new Map<string, PolicyRule[]>();
      const roles = new Map<string, PolicyRule[]>();
      const bindings = new Map<
        string,
        {
          namespace: string;
          roleRef: { kind: string; name: string };
          subjects: { kind: string; name: string }[];
        }
      >();
      for (const [step, question] of steps) {
        if (step.what === "clusterrole") {
          index.setClusterRole({ metadata: { name: step.name }, rules: step.rules });
          clusterRoles.set(step.name, step.rules);
        } else if (step.what === "role") {
          index.setRole({ metadata: { name: step.name, namespace: "ns" }, rules: step.rules });
          roles.set(step.name, step.rules);
        } else {
          const metadata = {
            name: step.name,
            ...(step.namespace === "" ? {} : { namespace: step.namespace }),
          };
          const key = `${step.namespace}/${step.name}`;
          if (step.gone) {
            index.removeBinding({ metadata });
            bindings.delete(key);
          } else {
            index.setBinding({ metadata, roleRef: step.roleRef, subjects: step.subjects });
            bindings.set(key, step);
          }
        }
        const q = asking({ ...question, user: alice });
        const want = [...bindings.values()].some((binding) => {
          if (binding.namespace !== "" && binding.namespace !== q.namespace) return false;
          const mine = binding.subjects.some((s) =>
            s.kind === "User" ? s.name === "alice" : s.name === "devs",
          );
          const granted =
            binding.roleRef.kind === "ClusterRole"
              ? clusterRoles.get(binding.roleRef.name)
              : binding.namespace === "ns"
                ? roles.get(binding.roleRef.name)
                : undefined;
          return mine && (granted ?? []).some((rule) => ruleAllows(rule, q));
        });
        const { decision } = authorizer.authorize(q) as { decision: string };
        assert.equal(decision === "Allow", want);
      }
    }),
    { numRuns: 500 },
  );
});
