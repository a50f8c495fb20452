import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseFieldSelector } from "../../src/apimachinery/fields/selector.ts";
import type { AuthorizationAttributes } from "../../src/authorization/authorizer.ts";
import { NodeGraph } from "../../src/authorization/node/graph.ts";
import { nodeAuthorizer } from "../../src/authorization/node/node.ts";
import { type PodDigest, readPod } from "../../src/authorization/node/pod-digest.ts";
import { nodeRules } from "../../src/registry/rbac/bootstrap.ts";

const digestOf = (pod: object, known?: PodDigest) =>
  readPod(Buffer.from(JSON.stringify(pod)), () => known);
const graph = new NodeGraph();
const podOf = (name: string, nodeName: string, spec: object = {}, metadata: object = {}) =>
  digestOf({ metadata: { namespace: "ns", name, ...metadata }, spec: { nodeName, ...spec } });
graph.setPod(
  podOf("web", "n1", {
    serviceAccountName: "sa",
    imagePullSecrets: [{ name: "pull" }],
    initContainers: [{ name: "i", envFrom: [{ configMapRef: { name: "env-from" } }] }],
    containers: [
      {
        name: "c",
        env: [
          { name: "A", valueFrom: { secretKeyRef: { name: "env-secret", key: "k" } } },
          { name: "B", valueFrom: { configMapKeyRef: { name: "env-map", key: "k" } } },
        ],
      },
    ],
    volumes: [
      { name: "s", secret: { secretName: "vol-secret" } },
      { name: "m", configMap: { name: "vol-map" } },
      { name: "p", persistentVolumeClaim: { claimName: "claim" } },
      { name: "scratch", ephemeral: { volumeClaimTemplate: {} } },
      {
        name: "j",
        projected: {
          sources: [{ secret: { name: "proj-secret" } }, { configMap: { name: "proj-map" } }],
        },
      },
    ],
    resourceClaims: [{ name: "gpu", resourceClaimName: "gpu-claim" }],
  }),
);
graph.setPod(
  podOf("other", "n2", { volumes: [{ name: "s", secret: { secretName: "n2-secret" } }] }),
);
graph.setPod(podOf("unbound", "", { volumes: [{ name: "s", secret: { secretName: "nobodys" } }] }));
graph.setPod(
  podOf(
    "mirror",
    "n1",
    { volumes: [{ name: "s", secret: { secretName: "grab" } }] },
    {
      annotations: { "kubernetes.io/config.mirror": "x" },
    },
  ),
);
graph.setVolume({
  metadata: { name: "pv" },
  spec: {
    claimRef: { namespace: "ns", name: "claim" },
    csi: { nodePublishSecretRef: { namespace: "vault", name: "pv-secret" } },
  },
} as never);
graph.setAttachment({ metadata: { name: "va" }, spec: { nodeName: "n1" } });
graph.setSlice({ metadata: { name: "slice" }, spec: { nodeName: "n1" } });

const authorizer = nodeAuthorizer(async () => graph, nodeRules());
const node = { name: "system:node:n1", uid: "", groups: ["system:nodes"], extra: {} };
const decide = async (changes: Partial<AuthorizationAttributes>) =>
  authorizer.authorize({
    user: node,
    verb: "get",
    resourceRequest: true,
    apiGroup: "",
    apiVersion: "v1",
    namespace: "ns",
    resource: "secrets",
    subresource: "",
    name: "",
    path: "",
    ...changes,
  });

const none = "no relationship found between node 'n1' and this object";
type Row = readonly [Partial<AuthorizationAttributes>, true | string];
const of = (resource: string, name: string, changes: Partial<AuthorizationAttributes> = {}) => ({
  resource,
  name,
  ...changes,
});
const rows: readonly Row[] = [
  ...["vol-secret", "env-secret", "pull", "proj-secret"].map(
    (name): Row => [of("secrets", name), true],
  ),
  ...["env-map", "env-from", "vol-map", "proj-map"].map(
    (name): Row => [of("configmaps", name), true],
  ),
  [of("secrets", "pv-secret", { namespace: "vault" }), true],
  [of("secrets", "pv-secret"), none],
  [of("secrets", "n2-secret"), none],
  [of("secrets", "nobodys"), none],
  [of("secrets", "grab"), none],
  [of("secrets", "vol-secret", { namespace: "other" }), none],
  [of("secrets", "vol-secret", { verb: "watch" }), true],
  [of("secrets", "", { verb: "list" }), "No Object name found"],
  [of("secrets", "vol-secret", { verb: "update" }), "can only read resources of this type"],
  [of("secrets", "vol-secret", { namespace: "" }), "can only read namespaced object of this type"],
  [of("secrets", "vol-secret", { subresource: "x" }), "cannot read subresource"],
  [of("persistentvolumeclaims", "claim"), true],
  [of("persistentvolumeclaims", "web-scratch"), true],
  [
    of("persistentvolumeclaims", "claim", { verb: "list" }),
    "can only get individual resources of this type",
  ],
  [of("persistentvolumeclaims", "claim", { subresource: "status", verb: "patch" }), true],
  [of("persistentvolumeclaims", "x", { subresource: "status", verb: "patch" }), none],
  [of("persistentvolumes", "pv", { namespace: "" }), true],
  [of("persistentvolumes", "pv2", { namespace: "" }), none],
  [of("resourceclaims", "gpu-claim", { apiGroup: "resource.k8s.io" }), true],
  [of("volumeattachments", "va", { apiGroup: "storage.k8s.io", namespace: "" }), true],
  [of("volumeattachments", "vb", { apiGroup: "storage.k8s.io", namespace: "" }), none],
  [of("serviceaccounts", "sa", { verb: "create", subresource: "token" }), true],
  [of("serviceaccounts", "admin", { verb: "create", subresource: "token" }), none],
  [of("serviceaccounts", "sa"), "can only create tokens for individual service accounts"],
  [
    of("leases", "n1", {
      apiGroup: "coordination.k8s.io",
      namespace: "kube-node-lease",
      verb: "update",
    }),
    true,
  ],
  [
    of("leases", "n2", { apiGroup: "coordination.k8s.io", namespace: "kube-node-lease" }),
    "can only access node lease with the same name as the requesting node",
  ],
  [
    of("leases", "n1", { apiGroup: "coordination.k8s.io" }),
    'can only access leases in the "kube-node-lease" system namespace',
  ],
  [of("csinodes", "n1", { apiGroup: "storage.k8s.io", namespace: "", verb: "update" }), true],
  [
    of("csinodes", "n2", { apiGroup: "storage.k8s.io", namespace: "" }),
    "can only access CSINode with the same name as the requesting node",
  ],
  [
    of("resourceslices", "slice", { apiGroup: "resource.k8s.io", namespace: "", verb: "delete" }),
    true,
  ],
  [of("resourceslices", "x", { apiGroup: "resource.k8s.io", namespace: "", verb: "delete" }), none],
  [
    of("resourceslices", "", {
      apiGroup: "resource.k8s.io",
      verb: "list",
      fieldSelector: parseFieldSelector("spec.nodeName=n1"),
    }),
    true,
  ],
  [
    of("resourceslices", "", { apiGroup: "resource.k8s.io", verb: "list" }),
    "can only list/watch/deletecollection resourceslices with nodeName field selector",
  ],
  [of("nodes", "n1", { namespace: "" }), true],
  [of("nodes", "n2", { namespace: "" }), "node 'n1' cannot read 'n2', only its own Node object"],
  [
    of("nodes", "", { namespace: "", verb: "list" }),
    "node 'n1' cannot read all nodes, only its own Node object",
  ],
  [of("nodes", "n1", { namespace: "", verb: "patch", subresource: "status" }), true],
  [of("nodes", "n1", { namespace: "", verb: "delete" }), ""],
  [of("pods", "web"), true],
  [of("pods", "mirror"), true],
  [of("pods", "other"), none],
  [of("pods", "", { verb: "list", fieldSelector: parseFieldSelector("spec.nodeName=n1") }), true],
  [
    of("pods", "", { verb: "list", fieldSelector: parseFieldSelector("spec.nodeName=n2") }),
    "can only list/watch pods with spec.nodeName field selector",
  ],
  [
    of("pods", "", { verb: "list", fieldSelector: parseFieldSelector("spec.nodeName!=n1") }),
    "can only list/watch pods with spec.nodeName field selector",
  ],
  [of("pods", "other", { verb: "delete" }), true], // the NodeRestriction plugin decides
  [of("pods", "other", { verb: "create", subresource: "eviction" }), true],
  [of("pods", "web", { verb: "create", subresource: "exec" }), ""],
  [of("services", "", { verb: "list", namespace: "" }), true],
  [of("services", "s", { verb: "delete" }), ""],
  [of("secrets", "vol-secret", { user: { ...node, groups: [] } }), ""],
  [of("secrets", "vol-secret", { user: { ...node, name: "n1" } }), ""],
  [
    of("secrets", "vol-secret", { user: { ...node, name: "system:node:" } }),
    'unknown node for user "system:node:"',
  ],
];
for (const [changes, want] of rows) {
  const { verb = "get", resource, subresource, name, user } = changes;
  const who = user === undefined ? "" : ` as ${user.name}[${user.groups}]`;
  test(`node n1 ${verb} ${[resource, subresource, name].filter(Boolean).join("/")}${who}: ${want}`, async () => {
    const { decision, reason } = await decide(changes);
    if (want === true) assert.equal(decision, "Allow");
    else assert.deepEqual({ decision, reason }, { decision: "NoOpinion", reason: want });
  });
}

test("a pod's status does not change what it leads to, its claims do", () => {
  const pod = (status: object, more: object = {}, uid = "u") => ({
    apiVersion: "v1",
    metadata: { name: "p", namespace: "ns", uid, annotations: { nodeName: "no", uid: "no" } },
    spec: { containers: [{ name: "c", image: 'a"\\' }], nodeName: "n1", ...more },
    status,
  });
  const first = digestOf(pod({}));
  assert.equal(first.node, "n1");
  assert.equal(digestOf(pod({ phase: "Running", nodeName: "x" }), first), first);
  const claims = [{ name: "c", resourceClaimName: "gpu" }];
  const claimed = digestOf(pod({ resourceClaimStatuses: claims }), first);
  assert.ok(claimed.references.includes("resourceclaim:ns/gpu"));
  const ephemeralContainers = [{ envFrom: [{ secretRef: { name: "debug" } }] }];
  const debugged = digestOf(pod({}, { ephemeralContainers }), first);
  assert.ok(debugged.references.includes("secret:ns/debug"));
  for (const other of [pod({}, { nodeName: "n2" }), pod({}, {}, "u2")]) {
    assert.notEqual(digestOf(other, first), first);
  }
});

test("pods are read as JSON.parse reads them", () => {
  const text = fc.string({ unit: "binary" });
  const named = fc.record(
    { name: text, namespace: text, uid: text, nodeName: text, x: fc.jsonValue() },
    { requiredKeys: [] },
  );
  const pod = fc.record(
    { z: fc.jsonValue(), metadata: named, a: fc.jsonValue(), spec: named, status: named },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(pod, fc.constantFrom(undefined, 2), (value, indent) => {
      const json = Buffer.from(JSON.stringify(value, null, indent));
      const { metadata, node } = readPod(json, () => undefined);
      const read = JSON.parse(json.toString()) as typeof value;
      assert.deepEqual(metadata, {
        namespace: read.metadata?.namespace ?? "",
        name: read.metadata?.name ?? "",
      });
      assert.equal(node, read.spec?.nodeName ?? "");
    }),
  );
});

test("bytes that are no JSON end somewhere", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom('{"metadata":{"name":', "{", ""), (tail, head) => {
      try {
        readPod(Buffer.concat([Buffer.from(head), tail]), () => undefined);
      } catch (error) {
        assert.ok(error instanceof SyntaxError);
      }
    }),
  );
});

test("what a pod led to goes with its last pod", () => {
  const own = new NodeGraph();
  const using = (name: string, nodeName = "n1") =>
    podOf(name, nodeName, { volumes: [{ name: "v", secret: { secretName: "shared" } }] });
  const has = (nodeName = "n1") => own.reaches(nodeName, "secret", "ns", "shared");
  own.setPod(using("a"));
  own.setPod(using("b"));
  own.setPod(using("b"));
  own.removePod(using("a"));
  assert.ok(has());
  own.setPod(using("b", "n2"));
  assert.ok(!has() && has("n2"));
  own.removePod(using("b"));
  assert.ok(!has("n2"));
});
