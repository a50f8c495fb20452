import { registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const GROUP = "rbac.authorization.k8s.io";
const base = (kind: string, rest: object) => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name: "x", namespace: kind.startsWith("Cluster") ? undefined : "ns" },
  ...rest,
});
const rule = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };

testCreate(registrationOf(GROUP, "roles"), base("Role", { rules: [rule] }), [
  ["a rule", {}],
  ["no rules", { rules: [] }],
  ["no verbs", { "rules[0].verbs": [] }, ["Required rules[0].verbs"]],
  ["no groups", { "rules[0].apiGroups": undefined }, ["Required rules[0].apiGroups"]],
  [
    "URLs",
    { "rules[0].nonResourceURLs": ["/a"] },
    ["Invalid rules[0].nonResourceURLs", "Invalid rules[0].nonResourceURLs"],
  ],
]);

const clusterRole = base("ClusterRole", { rules: [rule] });
testCreate(registrationOf(GROUP, "clusterroles"), clusterRole, [
  ["URLs alone", { rules: [{ verbs: ["get"], nonResourceURLs: ["/healthz"] }] }],
  [
    "URLs and resources",
    { "rules[0].nonResourceURLs": ["/a"] },
    ["Invalid rules[0].nonResourceURLs"],
  ],
  [
    "an empty aggregation",
    { aggregationRule: {} },
    ["Required aggregationRule.clusterRoleSelectors"],
  ],
  [
    "a bad selector",
    { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "x y" } }] } },
    [
      "Invalid aggregationRule.clusterRoleSelectors[0].matchLabels",
      "Invalid aggregationRule.clusterRoleSelectors[0]",
    ],
  ],
]);

const roleRef = { apiGroup: GROUP, kind: "ClusterRole", name: "r" };
const bindings = registrationOf(GROUP, "rolebindings");
const binding = base("RoleBinding", { roleRef, subjects: [{ kind: "User", name: "u" }] });
testCreate(bindings, binding, [
  ["a user", {}],
  ["no subject", { subjects: [] }],
  ["another group", { "roleRef.apiGroup": "x" }, ["NotSupported roleRef.apiGroup"]],
  ["another kind", { "roleRef.kind": "x" }, ["NotSupported roleRef.kind"]],
  ["no name", { "roleRef.name": undefined }, ["Required roleRef.name"]],
  ["a path for a name", { "roleRef.name": "a/b" }, ["Invalid roleRef.name"]],
  ["a service account of here", { subjects: [{ kind: "ServiceAccount", name: "a" }] }],
  [
    "a service account's group",
    { subjects: [{ kind: "ServiceAccount", name: "a", apiGroup: "x" }] },
    ["NotSupported subjects[0].apiGroup"],
  ],
  [
    "an unknown subject",
    { subjects: [{ kind: "X", name: "a" }] },
    ["NotSupported subjects[0].kind"],
  ],
]);
testUpdate(bindings, binding, [
  ["other subjects", { subjects: [] }],
  ["another role", { "roleRef.name": "other" }, ["Invalid roleRef"]],
]);

testCreate(registrationOf(GROUP, "clusterrolebindings"), base("ClusterRoleBinding", { roleRef }), [
  ["a cluster role", {}],
  ["a role", { "roleRef.kind": "Role" }, ["NotSupported roleRef.kind"]],
  [
    "a service account of nowhere",
    { subjects: [{ kind: "ServiceAccount", name: "a" }] },
    ["Required subjects[0].namespace"],
  ],
]);
