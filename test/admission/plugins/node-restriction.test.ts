import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeRestriction } from "../../../src/admission/plugins/node-restriction.ts";
import type { KubeObject } from "../../../src/apimachinery/meta/types.ts";
import { type AnyObject, FakeCluster, type Given, run } from "../fakes.ts";

const user = {
  name: "system:node:me",
  uid: "",
  groups: ["system:nodes", "system:authenticated"],
  extra: {},
};

function world(audiences: readonly string[] = [], commonName: string | undefined = undefined) {
  const cluster = new FakeCluster();
  cluster.add("nodes", { metadata: { name: "me", uid: "me-uid" } });
  const pod = (name: string, nodeName: string, spec: Record<string, unknown> = {}) =>
    cluster.add("pods", {
      metadata: { name, namespace: "ns", uid: `${name}-uid` },
      spec: { nodeName, ...spec },
    });
  pod("mine", "me", {
    volumes: [
      { name: "v", projected: { sources: [{ serviceAccountToken: { audience: "vault" } }] } },
    ],
  });
  pod("theirs", "other");
  const plugin = nodeRestriction({
    listers: cluster,
    gate: (name) => name !== "AllowInsecureKubeletCertificateSigningRequests",
    mayUser: async ({ resource, verb }) => ({
      allowed: verb === "request-serviceaccounts-token-audience" && audiences.includes(resource),
      reason: "",
    }),
    commonNameOf: () => commonName,
  });
  return { cluster, plugin };
}

const owner = {
  apiVersion: "v1",
  kind: "Node",
  name: "me",
  uid: "me-uid",
  controller: true,
};
const mirror = (
  spec: Record<string, unknown> = {},
  metadata: Record<string, unknown> = {},
): AnyObject => ({
  metadata: {
    name: "p",
    namespace: "ns",
    annotations: { "kubernetes.io/config.mirror": "x" },
    ownerReferences: [owner],
    ...metadata,
  },
  spec: { nodeName: "me", containers: [{ name: "c" }], ...spec },
});
const secretVolume = { volumes: [{ name: "v", secret: { secretName: "s" } }] };
const envOf = (valueFrom: Record<string, unknown>) => ({
  containers: [{ name: "c", env: [{ name: "E", valueFrom }] }],
});
const node = (metadata: Record<string, unknown>, spec: Record<string, unknown> = {}): KubeObject =>
  ({ metadata: { name: "me", ...metadata }, spec }) as KubeObject;
const labels = (own: Record<string, string>) => node({ labels: own });
const update = { plural: "nodes", operation: "UPDATE" as const, namespace: "" };
const token = (podName: string, uid: string | undefined, audiences: readonly string[] = []) => ({
  plural: "serviceaccounts",
  subresource: "token",
  name: "sa",
  object: {
    metadata: { namespace: "ns" },
    spec: { audiences, boundObjectRef: { apiVersion: "v1", kind: "Pod", name: podName, uid } },
  } as KubeObject,
});

const rows: readonly [name: string, given: Given, says: string][] = [
  ["a mirror pod", { object: mirror() }, ""],
  [
    "a pod of its own",
    { object: mirror({}, { annotations: {} }) },
    'pods "p" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "me" can only create mirror pods',
  ],
  [
    "a pod elsewhere",
    { object: mirror({ nodeName: "x" }) },
    "can only create pods with spec.nodeName set to itself",
  ],
  [
    "no owner",
    { object: mirror({}, { ownerReferences: [] }) },
    "can only create pods with an owner reference set to itself",
  ],
  [
    "two owners",
    { object: mirror({}, { ownerReferences: [owner, owner] }) },
    "a single owner reference",
  ],
  [
    "no controller",
    { object: mirror({}, { ownerReferences: [{ ...owner, controller: false }] }) },
    "a controller owner reference",
  ],
  [
    "a blocking owner",
    { object: mirror({}, { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }) },
    "must not set blockOwnerDeletion",
  ],
  [
    "another's uid",
    { object: mirror({}, { ownerReferences: [{ ...owner, uid: "x" }] }) },
    "node me UID mismatch: expected x got me-uid",
  ],
  [
    "an account",
    { object: mirror({ serviceAccountName: "s" }) },
    "that reference a service account",
  ],
  ["a secret", { object: mirror(secretVolume) }, "that reference secrets"],
  [
    "a secret in the environment",
    { object: mirror(envOf({ secretKeyRef: { name: "s", key: "k" } })) },
    "that reference secrets",
  ],
  [
    "a config map",
    { object: mirror(envOf({ configMapKeyRef: { name: "s", key: "k" } })) },
    "that reference configmaps",
  ],
  [
    "a claim",
    { object: mirror({ volumes: [{ name: "v", persistentVolumeClaim: { claimName: "x" } }] }) },
    "that reference persistentvolumeclaims",
  ],
  [
    "a resource claim",
    { object: mirror({ resourceClaims: [{ name: "r" }] }) },
    "that reference resourceclaims",
  ],
  [
    "an update of a pod",
    { operation: "UPDATE", object: mirror(), oldObject: mirror() },
    'unexpected operation "UPDATE", node "me" can only create and delete mirror pods',
  ],
  ["deleting its pod", { operation: "DELETE", name: "mine", object: {}, namespace: "ns" }, ""],
  [
    "deleting another's",
    { operation: "DELETE", name: "theirs", object: {}, namespace: "ns" },
    "can only delete pods with spec.nodeName set to itself",
  ],
  [
    "deleting none",
    { operation: "DELETE", name: "none", object: {}, namespace: "ns" },
    'pods "none" not found',
  ],
  ["evicting its pod", { subresource: "eviction", name: "mine", object: {}, namespace: "ns" }, ""],
  [
    "evicting another's",
    { subresource: "eviction", name: "theirs", object: {}, namespace: "ns" },
    "node me can only evict pods",
  ],
  [
    "binding",
    { subresource: "binding", object: {}, namespace: "ns" },
    'unexpected pod subresource "binding", only',
  ],
  [
    "its pod's status",
    { operation: "UPDATE", subresource: "status", object: mirror(), oldObject: mirror() },
    "",
  ],
  [
    "another's status",
    {
      operation: "UPDATE",
      subresource: "status",
      object: mirror(),
      oldObject: mirror({ nodeName: "x" }),
    },
    "can only update pod status",
  ],
  [
    "labels through status",
    {
      operation: "UPDATE",
      subresource: "status",
      object: mirror({}, { labels: { a: "b" } }),
      oldObject: mirror(),
    },
    "cannot update labels through pod status",
  ],
  [
    "claims through status",
    {
      operation: "UPDATE",
      subresource: "status",
      object: { ...mirror(), status: { resourceClaimStatuses: [{ name: "x" }] } },
      oldObject: mirror(),
    },
    "cannot update resource claim statues",
  ],
  [
    "its node",
    {
      plural: "nodes",
      object: labels({ "kubernetes.io/hostname": "x", "example.com/a": "b" }),
      namespace: "",
    },
    "",
  ],
  [
    "another node",
    { plural: "nodes", object: { metadata: { name: "x" } }, namespace: "" },
    'node "me" is not allowed to modify node "x"',
  ],
  [
    "a system label",
    {
      plural: "nodes",
      object: labels({ "node-role.kubernetes.io/control-plane": "", "x.k8s.io/y": "" }),
      namespace: "",
    },
    'nodes "me" is forbidden: node "me" is not allowed to set the following labels: node-role.kubernetes.io/control-plane, x.k8s.io/y',
  ],
  [
    "kubelet labels",
    {
      plural: "nodes",
      object: labels({
        "node.kubernetes.io/x": "",
        "a.kubelet.kubernetes.io/y": "",
        "topology.kubernetes.io/zone": "z",
      }),
      namespace: "",
    },
    "",
  ],
  [
    "a restricted label",
    { ...update, object: labels({ "node-restriction.kubernetes.io/x": "" }), oldObject: node({}) },
    "is not allowed to modify labels: node-restriction.kubernetes.io/x",
  ],
  [
    "a removed label",
    { ...update, object: node({}), oldObject: labels({ "kubernetes.io/x": "" }) },
    "is not allowed to modify labels: kubernetes.io/x",
  ],
  [
    "taints",
    { ...update, object: node({}), oldObject: node({}, { taints: [{ key: "t" }] }) },
    "is not allowed to modify taints",
  ],
  [
    "owners",
    { ...update, object: node({ ownerReferences: [owner] }), oldObject: node({}) },
    "is not allowed to modify ownerReferences",
  ],
  [
    "its lease",
    {
      group: "coordination.k8s.io",
      plural: "leases",
      namespace: "kube-node-lease",
      object: { metadata: { name: "me" } },
    },
    "",
  ],
  [
    "another's lease",
    {
      group: "coordination.k8s.io",
      plural: "leases",
      namespace: "kube-node-lease",
      object: { metadata: { name: "x" } },
    },
    "with the same name as the requesting node",
  ],
  [
    "another lease",
    {
      group: "coordination.k8s.io",
      plural: "leases",
      namespace: "ns",
      object: { metadata: { name: "me" } },
    },
    'can only access leases in the "kube-node-lease" system namespace',
  ],
  [
    "its CSINode",
    {
      group: "storage.k8s.io",
      plural: "csinodes",
      namespace: "",
      object: { metadata: { name: "me" } },
    },
    "",
  ],
  [
    "another's CSINode",
    {
      group: "storage.k8s.io",
      plural: "csinodes",
      operation: "DELETE",
      namespace: "",
      name: "x",
      object: {},
    },
    "can only access CSINode",
  ],
  [
    "its slice",
    {
      group: "resource.k8s.io",
      plural: "resourceslices",
      namespace: "",
      object: { metadata: {}, spec: { nodeName: "me" } } as KubeObject,
    },
    "",
  ],
  [
    "another's slice",
    {
      group: "resource.k8s.io",
      plural: "resourceslices",
      namespace: "",
      object: { metadata: {}, spec: { nodeName: "x" } } as KubeObject,
    },
    "can only create ResourceSlice with the same NodeName",
  ],
  [
    "deleting another's slice",
    {
      group: "resource.k8s.io",
      plural: "resourceslices",
      operation: "DELETE",
      namespace: "",
      object: {},
      oldObject: { spec: { nodeName: "x" } } as KubeObject,
    },
    "can only delete ResourceSlice with the same NodeName",
  ],
  [
    "a claim's spec",
    { plural: "persistentvolumeclaims", operation: "UPDATE", object: {}, oldObject: {} },
    "may only update PVC status",
  ],
  [
    "a claim's capacity",
    {
      plural: "persistentvolumeclaims",
      operation: "UPDATE",
      subresource: "status",
      object: { status: { capacity: { storage: "1" } } } as KubeObject,
      oldObject: {},
    },
    "",
  ],
  [
    "a claim's phase",
    {
      plural: "persistentvolumeclaims",
      operation: "UPDATE",
      subresource: "status",
      object: { status: { phase: "Lost" } } as KubeObject,
      oldObject: {},
    },
    "is not allowed to update fields other than status.capacity",
  ],
  ["a token for its pod", token("mine", "mine-uid", ["vault"]), ""],
  ["a token for an audience it may", token("mine", "mine-uid", ["may"]), ""],
  [
    "a token for another audience",
    token("mine", "mine-uid", ["bank"]),
    'serviceaccounts "sa" is forbidden: audience "bank" not found in pod spec volume, system:node:me is not authorized to request tokens for this audience',
  ],
  [
    "a token for two",
    token("mine", "mine-uid", ["a", "b"]),
    "node may only request 0 or 1 audiences",
  ],
  ["a token for another's pod", token("theirs", "theirs-uid"), "scheduled on a different node"],
  ["a token without uid", token("mine", undefined), "with a pod binding without a uid"],
  ["a token for a pod that was", token("mine", "old"), "does not match the UID in record"],
  ["a config map of anyone", { plural: "configmaps", object: { metadata: { name: "c" } } }, ""],
];
for (const [name, given, says] of rows) {
  test(`a node and ${name}: ${says === "" ? "may" : "may not"}`, async () => {
    const { plugin } = world(["may"]);
    const { message, error } = await run(plugin, { user, ...given });
    if (says === "") assert.equal(message, "");
    else assert.ok(message.includes(says), message);
    if (says !== "") assert.equal(error?.code, says.startsWith('pods "none"') ? 404 : 403);
  });
}

test("certificates carry the node's name", async () => {
  const csr = (signerName: string): Given => ({
    group: "certificates.k8s.io",
    plural: "certificatesigningrequests",
    namespace: "",
    user,
    object: { metadata: { name: "c" }, spec: { signerName, request: "" } } as KubeObject,
  });
  const serving = csr("kubernetes.io/kubelet-serving");
  assert.equal((await run(world([], "system:node:me").plugin, serving)).message, "");
  const { message } = await run(world([], "system:node:x").plugin, serving);
  assert.ok(message.endsWith("can only create a node CSR with CN=system:node:me"));
  assert.match((await run(world().plugin, serving)).message, /unable to parse csr/);
  assert.equal((await run(world([], "x").plugin, csr("example.com/x"))).message, "");
});

test("who is no node is let be; a node without a name is not", async () => {
  const { plugin } = world();
  const object = { metadata: { name: "p", namespace: "ns" } };
  const as = (name: string, groups: string[]) => ({ name, uid: "", groups, extra: {} });
  assert.equal((await run(plugin, { object, user: as("system:node:me", []) })).message, "");
  assert.equal((await run(plugin, { object, user: as("me", ["system:nodes"]) })).message, "");
  assert.equal(
    (await run(plugin, { object, user: as("system:node:", ["system:nodes"]) })).message,
    'pods "p" is forbidden: could not determine node from user "system:node:"',
  );
});
