// Unions, ABAC, the webhook, configuration files, impersonation and the gate.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../src/apimachinery/api/errors.ts";
import { AbacError, abacAuthorizer, parseAbacPolicies } from "../../src/authorization/abac.ts";
import {
  AuthorizationConfigError,
  parseAuthorizationConfig,
} from "../../src/authorization/authorization-config.ts";
import type {
  AuthorizationAttributes,
  AuthorizationResult,
  Authorizer,
} from "../../src/authorization/authorizer.ts";
import { alwaysDeny, privilegedGroups } from "../../src/authorization/builtin.ts";
import { markAuthorized } from "../../src/authorization/gate.ts";
import { createImpersonate } from "../../src/authorization/impersonation.ts";
import { unionAuthorizer, unionRuleResolver } from "../../src/authorization/union.ts";
import { webhookAuthorizer } from "../../src/authorization/webhook.ts";
import type { UserInfo } from "../../src/request/user-info.ts";
import { type Headers, requestWith } from "../authentication/requests.ts";

const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: "",
  groups,
  extra: {},
});
const asking = (changes: Partial<AuthorizationAttributes> = {}): AuthorizationAttributes => ({
  user: user("alice", "system:authenticated"),
  verb: "get",
  resourceRequest: true,
  apiGroup: "",
  apiVersion: "v1",
  namespace: "ns",
  resource: "pods",
  subresource: "",
  name: "",
  path: "",
  ...changes,
});
const answering = (result: AuthorizationResult | Error, late = false): Authorizer => ({
  name: "fixed",
  authorize: () => {
    if (result instanceof Error && !late) throw result;
    return late
      ? Promise.resolve().then(() => {
          if (result instanceof Error) throw result;
          return result;
        })
      : (result as AuthorizationResult);
  },
});
const allow = { decision: "Allow", reason: "yes" } as const;
const deny = { decision: "Deny", reason: "no" } as const;
const nothing = (reason = "") => ({ decision: "NoOpinion", reason }) as const;

const unions: readonly (readonly [(AuthorizationResult | Error)[], AuthorizationResult])[] = [
  [[], nothing()],
  [[nothing("a"), allow, deny], allow],
  [[nothing("a"), deny, allow], deny],
  [[nothing("a"), nothing(), nothing("b")], nothing("a\nb")],
  [[new Error("broken"), allow], allow],
  [[new Error("broken"), nothing("a")], { decision: "NoOpinion", reason: "a", error: "broken" }],
  [[new Error("x"), new Error("y")], { decision: "NoOpinion", reason: "", error: "[x, y]" }],
];
for (const late of [false, true]) {
  for (const [results, want] of unions) {
    const text = results.map((one) => (one instanceof Error ? "error" : one.decision)).join(", ");
    test(`union of ${text || "nobody"}${late ? ", asynchronous" : ""}`, async () => {
      const union = unionAuthorizer([
        ...results.map((one) => answering(one, late)),
        answering(nothing()),
      ]);
      assert.deepEqual(await union.authorize(asking()), want);
    });
  }
}

test("system:masters comes before everything", async () => {
  const union = unionAuthorizer([privilegedGroups, answering(deny)]);
  const { decision } = await union.authorize(asking({ user: user("x", "system:masters") }));
  assert.equal(decision, "Allow");
  assert.equal((await union.authorize(asking())).decision, "Deny");
});

test("rules of all resolvers together", async () => {
  const one = {
    resourceRules: [],
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/a"] }],
    incomplete: true,
    evaluationError: "x",
  };
  const two = { ...one, incomplete: false, evaluationError: "y" };
  const all = unionRuleResolver([{ rulesFor: async () => one }, { rulesFor: async () => two }]);
  const rules = await all.rulesFor(user("a"), "ns");
  assert.equal(rules.nonResourceRules.length, 2);
  assert.equal(rules.incomplete, true);
  assert.equal(rules.evaluationError, "[x, y]");
});

// ---- the gate ---------------------------------------------------------------------------------

const asUser = (
  name: string,
  headers: Headers = [],
  target = "/api/v1/namespaces/ns/pods/p",
  ...groups: string[]
) => Object.assign(requestWith(headers, { target }), { user: user(name, ...groups) });
const gateErrors: readonly (readonly [string, AuthorizationResult, number, string])[] = [
  [
    "/api/v1/namespaces/ns/pods/p",
    nothing(),
    403,
    'pods "p" is forbidden: User "alice" cannot get resource "pods" in API group "" in the namespace "ns"',
  ],
  [
    "/api/v1/nodes",
    nothing("why"),
    403,
    'nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope: why',
  ],
  [
    "/apis/apps/v1/namespaces/ns/deployments/d/scale",
    deny,
    403,
    'deployments.apps "d" is forbidden: User "alice" cannot get resource "deployments/scale" in API group "apps" in the namespace "ns": no',
  ],
  ["/metrics", nothing(), 403, 'forbidden: User "alice" cannot get path "/metrics"'],
  ["/metrics", { ...nothing(), error: "broken" }, 500, "Internal error occurred: broken"],
];
for (const [target, result, code, message] of gateErrors) {
  test(`${result.decision} on ${target} is ${code}`, async () => {
    const check = markAuthorized(answering(result), asUser("alice", [], target));
    await assert.rejects(check, (error) => {
      assert.ok(error instanceof StatusError);
      assert.equal(error.code, code);
      assert.equal(error.message, message);
      return true;
    });
  });
}

// ---- ABAC -------------------------------------------------------------------------------------

const abac = abacAuthorizer(
  parseAbacPolicies(
    [
      "# who may do what",
      '{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":{"user":"alice","namespace":"*","resource":"*","apiGroup":"*"}}',
      "",
      '{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":{"group":"readers","namespace":"ns","resource":"pods","readonly":true}}',
      '{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":{"user":"*","nonResourcePath":"/api*","readonly":true}}',
      '{"apiVersion":"abac.authorization.kubernetes.io/v1beta1","kind":"Policy","spec":{"namespace":"*","resource":"*"}}',
    ].join("\n"),
  ),
);
const abacRows: readonly (readonly [Partial<AuthorizationAttributes>, boolean])[] = [
  [{ verb: "delete" }, true],
  [{ user: user("bob", "readers"), verb: "list" }, true],
  [{ user: user("bob", "readers"), verb: "delete" }, false],
  [{ user: user("bob", "readers"), resource: "secrets" }, false],
  [{ user: user("bob", "readers"), namespace: "other" }, false],
  [{ user: user("bob", "readers"), apiGroup: "apps" }, false],
  [{ user: user("bob", "system:authenticated"), resourceRequest: false, path: "/api/v1" }, true],
  [{ user: user("bob", "system:authenticated"), resourceRequest: false, path: "/metrics" }, false],
  [
    {
      user: user("bob", "system:authenticated"),
      resourceRequest: false,
      path: "/api",
      verb: "post",
    },
    false,
  ],
  [{ user: user("bob", "system:authenticated") }, false],
];
for (const [changes, want] of abacRows) {
  test(`ABAC ${JSON.stringify(changes)}: ${want}`, async () => {
    const { decision } = await abac.authorize(asking(changes));
    assert.equal(decision, want ? "Allow" : "NoOpinion");
  });
}
test("ABAC files that can not be used", () => {
  assert.throws(() => parseAbacPolicies("{"), AbacError);
  assert.throws(() => parseAbacPolicies('{"apiVersion":"v9","kind":"Policy"}'), AbacError);
  assert.throws(() => parseAbacPolicies("[]"), AbacError);
});

// ---- webhook ----------------------------------------------------------------------------------

function webhook(answer: unknown, onFailure: "NoOpinion" | "Deny" = "NoOpinion", version = "v1") {
  const sent: string[] = [];
  let now = 0;
  const authorizer = webhookAuthorizer({
    name: "w",
    version,
    authorizedTtlMs: 1000,
    unauthorizedTtlMs: 100,
    onFailure,
    now: () => now,
    client: {
      post: async (body) => {
        sent.push(body);
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
  });
  return {
    authorizer,
    sent,
    tick: (ms: number) => {
      now += ms;
    },
  };
}
const webhookRows: readonly (readonly [unknown, string])[] = [
  [{ status: { allowed: true, reason: "r" } }, "Allow"],
  [{ status: { allowed: false } }, "NoOpinion"],
  [{ status: { denied: true } }, "Deny"],
  [{ status: { denied: true, allowed: true } }, "Deny"],
  [{ status: { allowed: "true" } }, "NoOpinion"],
  [{ status: {} }, "NoOpinion"],
  [{}, "NoOpinion"],
  [undefined, "NoOpinion"],
  [new Error("down"), "NoOpinion"],
];
for (const [answer, want] of webhookRows) {
  test(`webhook answers ${JSON.stringify(answer)}`, async () => {
    assert.equal((await webhook(answer).authorizer.authorize(asking())).decision, want);
  });
}
test("a webhook that fails may mean no", async () => {
  const result = await webhook(new Error("down"), "Deny").authorizer.authorize(asking());
  assert.deepEqual(result, { decision: "Deny", reason: "", error: "down" });
});
test("webhook answers are kept for their time, failures not at all", async () => {
  const { authorizer, sent, tick } = webhook({ status: { allowed: true } });
  for (const [ms, calls] of [
    [0, 1],
    [999, 1],
    [1, 2],
  ] as const) {
    tick(ms);
    await authorizer.authorize(asking());
    assert.equal(sent.length, calls);
  }
  const down = webhook(new Error("down"));
  await down.authorizer.authorize(asking());
  await down.authorizer.authorize(asking());
  assert.equal(down.sent.length, 2);
});
test("what a webhook is asked, in both versions", async () => {
  const changes = {
    user: { name: "u", uid: "1", groups: ["g"], extra: { k: ["v"] } },
    labelSelector: { requirements: [{ key: "a", operator: "In", values: ["b"] }] },
  } as const;
  const v1 = webhook({ status: {} });
  await v1.authorizer.authorize(asking(changes));
  assert.deepEqual(JSON.parse(v1.sent[0] ?? "").spec, {
    resourceAttributes: {
      namespace: "ns",
      verb: "get",
      version: "v1",
      resource: "pods",
      labelSelector: { requirements: [{ key: "a", operator: "In", values: ["b"] }] },
    },
    user: "u",
    groups: ["g"],
    extra: { k: ["v"] },
    uid: "1",
  });
  const beta = webhook({ status: {} }, "NoOpinion", "v1beta1");
  await beta.authorizer.authorize(asking({ ...changes, resourceRequest: false, path: "/x" }));
  const { spec, apiVersion } = JSON.parse(beta.sent[0] ?? "");
  assert.equal(apiVersion, "authorization.k8s.io/v1beta1");
  assert.deepEqual(spec.group, ["g"]);
  assert.deepEqual(spec.nonResourceAttributes, { path: "/x", verb: "get" });
});

const authz = (authorizers: string) =>
  `apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n${authorizers}`;
const hook = `- type: Webhook
  name: w
  webhook:
    timeout: 3s
    subjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: /etc/w}
`;
test("an authorization configuration", () => {
  const [node, w, rbac] = parseAuthorizationConfig(
    authz(`- {type: Node, name: node}\n${hook}- {type: RBAC, name: rbac}`),
  );
  assert.deepEqual([node?.type, w?.type, rbac?.type], ["Node", "Webhook", "RBAC"]);
  assert.deepEqual(w?.webhook, {
    kubeconfig: "/etc/w",
    version: "v1",
    authorizedTtlMs: 300_000,
    unauthorizedTtlMs: 30_000,
    timeoutMs: 3_000,
    onFailure: "Deny",
    matchConditions: [],
  });
});
const authzErrors: readonly (readonly [string, RegExp])[] = [
  [authz(" []"), /at least one/],
  [authz("- {type: RBAC, name: a}\n- {type: RBAC, name: b}"), /type: Duplicate value/],
  [authz(`${hook}${hook}`), /name: Duplicate value/],
  [authz("- {type: Magic, name: a}"), /Unsupported value/],
  [authz("- {type: RBAC}"), /Required value/],
  [authz(hook.replace("3s", "31s")), /at most 30s/],
  [authz(hook.replace("Deny", "Allow")), /NoOpinion/],
  [authz(hook.replace("v1\n", "v7\n")), /supported values/],
  [authz(hook.replace("KubeConfigFile,", "InClusterConfig,")), /KubeConfigFile only/],
  [
    authz(`${hook}    matchConditions: [{expression: "request.nobody"}]`),
    /undefined field 'nobody'/,
  ],
];
for (const [text, why] of authzErrors) {
  test(`refused configuration: ${why}`, () => {
    assert.throws(
      () => parseAuthorizationConfig(text),
      (error) => error instanceof AuthorizationConfigError && why.test(error.message),
    );
  });
}

// ---- impersonation ----------------------------------------------------------------------------

/** Allows `verb group/resource[/sub] [ns/]name` lines. */
function allowing(...lines: string[]): Authorizer {
  return {
    name: "lines",
    authorize: ({ verb, apiGroup, resource, subresource, namespace, name }) => {
      const what = [apiGroup, resource, subresource].filter((part) => part !== "").join("/");
      const line = `${verb} ${what} ${namespace === "" ? "" : `${namespace}/`}${name}`.trim();
      return lines.includes(line) ? allow : nothing();
    },
  };
}
const legacy = (authorizer: Authorizer) => createImpersonate(authorizer, false);
const constrained = (authorizer: Authorizer) => createImpersonate(authorizer, true);
const podsList = "/api/v1/namespaces/ns/pods";
const become: readonly (readonly [
  string,
  Headers,
  Authorizer,
  boolean,
  Partial<UserInfo> | RegExp,
])[] = [
  [
    "a user",
    [["Impersonate-User", "bob"]],
    allowing("impersonate users bob"),
    false,
    { name: "bob", groups: ["system:authenticated"] },
  ],
  [
    "a user with groups",
    [
      ["Impersonate-User", "bob"],
      ["Impersonate-Group", "a"],
      ["Impersonate-Group", "b"],
    ],
    allowing("impersonate users bob", "impersonate groups a", "impersonate groups b"),
    false,
    { name: "bob", groups: ["a", "b", "system:authenticated"] },
  ],
  [
    "one group too many",
    [
      ["Impersonate-User", "bob"],
      ["Impersonate-Group", "a"],
      ["Impersonate-Group", "system:masters"],
    ],
    allowing("impersonate users bob", "impersonate groups a"),
    false,
    /groups "system:masters" is forbidden: User "alice" cannot impersonate resource "groups" in API group "" at the cluster scope/,
  ],
  [
    "nobody",
    [["Impersonate-User", "system:anonymous"]],
    allowing("impersonate users system:anonymous"),
    false,
    { groups: ["system:unauthenticated"] },
  ],
  [
    "a service account",
    [["Impersonate-User", "system:serviceaccount:ns:sa"]],
    allowing("impersonate serviceaccounts ns/sa"),
    false,
    { groups: ["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"] },
  ],
  [
    "a service account as a user",
    [["Impersonate-User", "system:serviceaccount:ns:sa"]],
    allowing("impersonate users system:serviceaccount:ns:sa"),
    false,
    /serviceaccounts "sa" is forbidden/,
  ],
  [
    "a UID",
    [
      ["Impersonate-User", "bob"],
      ["Impersonate-Uid", "7"],
    ],
    allowing("impersonate users bob", "impersonate authentication.k8s.io/uids 7"),
    false,
    { uid: "7" },
  ],
  [
    "a UID without leave",
    [
      ["Impersonate-User", "bob"],
      ["Impersonate-Uid", "7"],
    ],
    allowing("impersonate users bob"),
    false,
    /uids.authentication.k8s.io "7" is forbidden/,
  ],
  [
    "extra",
    [
      ["Impersonate-User", "bob"],
      ["Impersonate-Extra-Acme.io%2Fx", "v"],
    ],
    allowing("impersonate users bob", "impersonate authentication.k8s.io/userextras/acme.io/x v"),
    false,
    { extra: { "acme.io/x": ["v"] } },
  ],
  [
    "extra without leave",
    [
      ["Impersonate-User", "bob"],
      ["Impersonate-Extra-__proto__", "v"],
    ],
    allowing("impersonate users bob"),
    false,
    /userextras.authentication.k8s.io "v" is forbidden/,
  ],
  [
    "groups without a user",
    [["Impersonate-Group", "a"]],
    allowing(),
    false,
    /requested &user.DefaultInfo\{Name:"", UID:"", Groups:\[\]string\{"a"\}, Extra:map\[string\]\[\]string\(nil\)\} without impersonating a user name$/,
  ],
  [
    "the legacy way, when constrained is on",
    [["Impersonate-User", "bob"]],
    allowing("impersonate users bob"),
    true,
    { name: "bob" },
  ],
  [
    "user-info for one verb",
    [["Impersonate-User", "bob"]],
    allowing(
      "impersonate-on:user-info:list pods ns/",
      "impersonate:user-info authentication.k8s.io/users bob",
    ),
    true,
    { name: "bob" },
  ],
  [
    "user-info for another verb",
    [["Impersonate-User", "bob"]],
    allowing(
      "impersonate-on:user-info:get pods ns/",
      "impersonate:user-info authentication.k8s.io/users bob",
    ),
    true,
    /cannot impersonate-on:user-info:list resource "pods"/,
  ],
  [
    "masters by user-info",
    [
      ["Impersonate-User", "bob"],
      ["Impersonate-Group", "system:masters"],
    ],
    allowing(
      "impersonate-on:user-info:list pods ns/",
      "impersonate:user-info authentication.k8s.io/users bob",
      "impersonate:user-info authentication.k8s.io/groups system:masters",
    ),
    true,
    /impersonating the system:masters group is not allowed/,
  ],
  [
    "a node",
    [["Impersonate-User", "system:node:n1"]],
    allowing(
      "impersonate-on:arbitrary-node:list pods ns/",
      "impersonate:arbitrary-node authentication.k8s.io/nodes n1",
    ),
    true,
    { groups: ["system:nodes", "system:authenticated"] },
  ],
  [
    "a node by user-info",
    [["Impersonate-User", "system:node:n1"]],
    allowing(
      "impersonate-on:user-info:list pods ns/",
      "impersonate:user-info authentication.k8s.io/users system:node:n1",
    ),
    true,
    /impersonate-on:arbitrary-node:list/,
  ],
  [
    "a service account, constrained",
    [["Impersonate-User", "system:serviceaccount:ns:sa"]],
    allowing(
      "impersonate-on:serviceaccount:list pods ns/",
      "impersonate:serviceaccount authentication.k8s.io/serviceaccounts ns/sa",
    ),
    true,
    { groups: ["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"] },
  ],
];
for (const [what, headers, authorizer, isConstrained, want] of become) {
  test(`impersonating ${what}`, async () => {
    const impersonate = isConstrained ? constrained(authorizer) : legacy(authorizer);
    const request = asUser("alice", headers, podsList);
    if (want instanceof RegExp) {
      await assert.rejects(impersonate(request), want);
      assert.equal(request.user.name, "alice");
      return;
    }
    const done = await impersonate(request);
    assert.equal(done.impersonator?.name, "alice");
    for (const [key, value] of Object.entries(want)) {
      assert.deepEqual(JSON.parse(JSON.stringify(done.user[key as keyof UserInfo])), value);
    }
  });
}
test("an agent may be the node it runs on, and no other", async () => {
  const agent = {
    ...user("system:serviceaccount:ns:agent"),
    extra: { "authentication.kubernetes.io/node-name": ["n1"] },
  };
  const authorizer = allowing(
    "impersonate-on:associated-node:list pods ns/",
    "impersonate:associated-node authentication.k8s.io/nodes *",
  );
  const as = (node: string) => {
    const request = Object.assign(
      requestWith([["Impersonate-User", `system:node:${node}`]], { target: podsList }),
      { user: agent },
    );
    return constrained(authorizer)(request);
  };
  assert.equal((await as("n1")).user.name, "system:node:n1");
  assert.equal((await as("n1")).impersonationConstraint, "impersonate:associated-node");
  await assert.rejects(as("n2"), /forbidden/);
});
test("without the headers nobody is asked", async () => {
  const request = asUser("alice");
  assert.equal(await constrained(alwaysDeny)(request), request);
});
