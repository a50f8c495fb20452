/** The plugins that fill in defaults or keep objects, all on by default. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
} from "../../../src/admission/plugins/certificates.ts";
import { defaultTolerationSeconds } from "../../../src/admission/plugins/default-toleration-seconds.ts";
import {
  defaultIngressClass,
  defaultStorageClass,
} from "../../../src/admission/plugins/defaults-by-class.ts";
import { namespaceLifecycle } from "../../../src/admission/plugins/namespace-lifecycle.ts";
import { persistentVolumeClaimResize } from "../../../src/admission/plugins/persistent-volume-claim-resize.ts";
import { podTopologyLabels } from "../../../src/admission/plugins/pod-topology-labels.ts";
import { priority } from "../../../src/admission/plugins/priority.ts";
import { runtimeClass } from "../../../src/admission/plugins/runtime-class.ts";
import { storageObjectInUseProtection } from "../../../src/admission/plugins/storage-object-in-use-protection.ts";
import { taintNodesByCondition } from "../../../src/admission/plugins/taint-nodes-by-condition.ts";
import type { KubeObject } from "../../../src/apimachinery/meta/types.ts";
import { type AnyObject, FakeCluster, podOf, run } from "../fakes.ts";

type Spec = Record<string, unknown>;
const specOf = (object: KubeObject) => (object as KubeObject & { spec: Spec }).spec;

test("NamespaceLifecycle: missing, terminating, immortal", async () => {
  const cluster = new FakeCluster();
  cluster.add("namespaces", { metadata: { name: "ns" }, status: { phase: "Active" } });
  cluster.add("namespaces", { metadata: { name: "going" }, status: { phase: "Terminating" } });
  const plugin = namespaceLifecycle(cluster);
  const create = (namespace: string) =>
    run(plugin, { plural: "configmaps", object: { metadata: { name: "c", namespace } } });
  assert.equal((await create("ns")).message, "");
  const missing = await create("none");
  assert.deepEqual([missing.error?.code, missing.message], [404, 'namespaces "none" not found']);
  const going = await create("going");
  assert.equal(
    going.message,
    'configmaps "c" is forbidden: unable to create new content in namespace going because it is being terminated',
  );
  assert.deepEqual(going.error?.details?.causes, [
    {
      reason: "NamespaceTerminating",
      message: "namespace going is being terminated",
      field: "metadata.namespace",
    },
  ]);
  for (const name of ["default", "kube-system", "kube-public", "kube-node-lease"]) {
    const given = { plural: "namespaces", operation: "DELETE" as const, name, object: {} };
    const { message } = await run(plugin, { ...given, namespace: "" });
    const text = `namespaces "${name}" is forbidden: this namespace may not be deleted`;
    assert.equal(message, name === "kube-node-lease" ? "" : text);
  }
});

test("NamespaceLifecycle: after a deletion the cache is not trusted for a while", async () => {
  const cluster = new FakeCluster();
  cluster.add("namespaces", { metadata: { name: "ns" }, status: { phase: "Active" } });
  let fresh = 0;
  cluster.getFresh = async () => {
    fresh++;
    return { metadata: { name: "ns" }, status: { phase: "Terminating" } } as never;
  };
  let now = 0;
  const plugin = namespaceLifecycle(cluster, () => now);
  const object = { metadata: { name: "c", namespace: "ns" } };
  const create = () => run(plugin, { plural: "configmaps", object });
  assert.equal((await create()).message, "");
  const remove = { plural: "namespaces", operation: "DELETE" as const, name: "ns", namespace: "" };
  await run(plugin, { ...remove, object: {}, dryRun: true });
  assert.equal((await create()).message, "");
  await run(plugin, { ...remove, object: {} });
  assert.match((await create()).message, /being terminated/);
  now += 31_000;
  assert.equal((await create()).message, "");
  assert.equal(fresh, 1);
});

test("TaintNodesByCondition", async () => {
  const taint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" };
  const of = async (taints?: Spec[]) => {
    const object: AnyObject = {
      metadata: { name: "n" },
      spec: taints === undefined ? {} : { taints },
    };
    return specOf((await run(taintNodesByCondition as never, { plural: "nodes", object })).object);
  };
  assert.deepEqual(await of(), { taints: [taint] });
  assert.deepEqual(await of([taint]), { taints: [taint] });
});

test("DefaultTolerationSeconds", async () => {
  const plugin = defaultTolerationSeconds({ notReady: 1, unreachable: 2 });
  const of = async (tolerations?: Spec[]) => {
    const object = podOf([{}], tolerations === undefined ? {} : { tolerations });
    const done = await run(plugin as never, { object });
    return (specOf(done.object)["tolerations"] as { tolerationSeconds?: number }[]).map(
      (one) => one.tolerationSeconds,
    );
  };
  assert.deepEqual(await of(), [1, 2]);
  assert.deepEqual(await of([{ operator: "Exists" }]), [undefined]);
  assert.deepEqual(await of([{ key: "node.kubernetes.io/not-ready", effect: "NoExecute" }]), [
    undefined,
    2,
  ]);
});

test("Priority", async () => {
  const cluster = new FakeCluster();
  const classes = { group: "scheduling.k8s.io", resource: "priorityclasses" };
  const add = (name: string, value: number, more: Spec = {}) =>
    cluster.add(classes, { metadata: { name }, value, ...more });
  add("high", 1000, { preemptionPolicy: "Never" });
  const plugin = priority(cluster);
  const of = (spec: Spec) => run(plugin, { object: podOf([{}], spec) });
  assert.equal(specOf((await of({})).object)["priority"], 0);
  const { object } = await of({ priorityClassName: "high" });
  assert.deepEqual(
    [specOf(object)["priority"], specOf(object)["preemptionPolicy"]],
    [1000, "Never"],
  );
  assert.equal(
    (await of({ priorityClassName: "x" })).message,
    'pods "p" is forbidden: no PriorityClass with name x was found',
  );
  assert.equal(
    (await of({ priorityClassName: "high", priority: 1 })).message,
    'pods "p" is forbidden: the integer value of priority (1) must not be provided in pod spec; priority admission controller computed 1000 from the given PriorityClass name',
  );
  add("normal", 10, { globalDefault: true });
  assert.equal(specOf((await of({})).object)["priorityClassName"], "normal");
  const second = { metadata: { name: "more" }, globalDefault: true };
  const given = { group: "scheduling.k8s.io", plural: "priorityclasses", namespace: "" };
  assert.equal(
    (await run(plugin, { ...given, object: second })).message,
    'priorityclasses.scheduling.k8s.io "more" is forbidden: PriorityClass normal is already marked as default. Only one default can exist',
  );
});

test("DefaultStorageClass and DefaultIngressClass: the newest, then by name", async () => {
  const cluster = new FakeCluster();
  const add = (group: string, resource: string, name: string, creationTimestamp: string) => {
    const prefix = resource === "storageclasses" ? "storageclass" : "ingressclass";
    const annotations = { [`${prefix}.kubernetes.io/is-default-class`]: "true" };
    cluster.add({ group, resource }, { metadata: { name, creationTimestamp, annotations } });
  };
  const claim = (spec: Spec = {}): AnyObject => ({
    metadata: { name: "c", namespace: "ns" },
    spec,
  });
  const storage = (object: AnyObject) =>
    run(defaultStorageClass(cluster) as never, { plural: "persistentvolumeclaims", object });
  assert.equal(specOf((await storage(claim())).object)["storageClassName"], undefined);
  add("storage.k8s.io", "storageclasses", "old", "2025-01-01T00:00:00Z");
  add("storage.k8s.io", "storageclasses", "new-b", "2026-01-01T00:00:00Z");
  add("storage.k8s.io", "storageclasses", "new-a", "2026-01-01T00:00:00Z");
  assert.equal(specOf((await storage(claim())).object)["storageClassName"], "new-a");
  const own = await storage(claim({ storageClassName: "" }));
  assert.equal(specOf(own.object)["storageClassName"], "");
  add("networking.k8s.io", "ingressclasses", "web", "2026-01-01T00:00:00Z");
  const ingress = { group: "networking.k8s.io", plural: "ingresses", object: claim() };
  const done = await run(defaultIngressClass(cluster) as never, ingress);
  assert.equal(specOf(done.object)["ingressClassName"], "web");
});

test("StorageObjectInUseProtection", async () => {
  const of = async (plural: string, group = "") => {
    const given = { plural, group, object: { metadata: { name: "x", finalizers: ["a"] } } };
    const { object } = await run(storageObjectInUseProtection as never, given);
    return object.metadata?.finalizers?.at(-1);
  };
  assert.equal(await of("persistentvolumes"), "kubernetes.io/pv-protection");
  assert.equal(await of("persistentvolumeclaims"), "kubernetes.io/pvc-protection");
  assert.equal(
    await of("volumeattributesclasses", "storage.k8s.io"),
    "kubernetes.io/vac-protection",
  );
  assert.equal(await of("pods"), "a");
});

test("PersistentVolumeClaimResize", async () => {
  const cluster = new FakeCluster();
  const classes = { group: "storage.k8s.io", resource: "storageclasses" };
  cluster.add(classes, { metadata: { name: "grows" }, allowVolumeExpansion: true });
  cluster.add(classes, { metadata: { name: "fixed" } });
  const claim = (storage: string, storageClassName: string, phase = "Bound"): AnyObject => ({
    metadata: { name: "c", namespace: "ns" },
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  });
  const grow = async (to: string, storageClass: string, phase?: string) => {
    const given = { plural: "persistentvolumeclaims", operation: "UPDATE" as const };
    const [object, oldObject] = [claim(to, storageClass, phase), claim("1Gi", storageClass, phase)];
    const plugin = persistentVolumeClaimResize(cluster);
    return (await run(plugin, { ...given, object, oldObject })).message;
  };
  assert.equal(await grow("2Gi", "grows"), "");
  assert.equal(await grow("1Gi", "fixed"), "");
  assert.match(await grow("2Gi", "fixed"), /only dynamically provisioned pvc can be resized/);
  assert.match(await grow("2Gi", "grows", "Pending"), /Only bound persistent volume claims/);
});

test("RuntimeClass", async () => {
  const cluster = new FakeCluster();
  const toleration = { key: "kata", operator: "Exists" };
  cluster.add(
    { group: "node.k8s.io", resource: "runtimeclasses" },
    {
      metadata: { name: "kata" },
      overhead: { podFixed: { cpu: "250m" } },
      scheduling: { nodeSelector: { vm: "yes" }, tolerations: [toleration] },
    },
  );
  const plugin = runtimeClass(cluster) as never;
  const of = (spec: Spec) => run(plugin, { object: podOf([{}], spec) });
  const { object } = await of({ runtimeClassName: "kata", tolerations: [toleration] });
  const spec = specOf(object);
  assert.deepEqual(spec["overhead"], { cpu: "250m" });
  assert.deepEqual(spec["nodeSelector"], { vm: "yes" });
  assert.deepEqual(spec["tolerations"], [toleration]);
  assert.equal(
    (await of({ runtimeClassName: "x" })).message,
    'pods "p" is forbidden: pod rejected: RuntimeClass "x" not found',
  );
  assert.match(
    (await of({ runtimeClassName: "kata", nodeSelector: { vm: "no" } })).message,
    /conflict: runtimeClass.scheduling.nodeSelector\[vm\] = yes; pod.spec.nodeSelector\[vm\] = no/,
  );
  assert.match(
    (await of({ overhead: { cpu: "1" } })).message,
    /without corresponding RuntimeClass/,
  );
});

test("PodTopologyLabels", async () => {
  const cluster = new FakeCluster();
  const zone = { "topology.kubernetes.io/zone": "z" };
  cluster.add("nodes", { metadata: { name: "n", labels: { ...zone, other: "x" } } });
  const binding: AnyObject = { metadata: { name: "p", namespace: "ns" }, target: { name: "n" } };
  const given = { subresource: "binding", object: binding };
  const { object } = await run(podTopologyLabels(cluster), given);
  assert.deepEqual(object.metadata?.labels, zone);
});

test("certificates: who may approve and sign, and what nobody may ask", async () => {
  const may = async (_user: unknown, verb: string, signer: string) =>
    verb === "approve" && signer === "good.io/*";
  const csr = (signerName: string, status: Spec = {}): AnyObject => ({
    metadata: { name: "c" },
    spec: { signerName, request: "" },
    status,
  });
  const given = {
    group: "certificates.k8s.io",
    plural: "certificatesigningrequests",
    namespace: "",
  };
  const update = (subresource: string, object: AnyObject) => ({
    ...given,
    operation: "UPDATE" as const,
    subresource,
    object,
    oldObject: csr(String(specOf(object)["signerName"])),
  });
  const approval = certificateApproval(may);
  assert.equal((await run(approval, update("approval", csr("good.io/x")))).message, "");
  assert.equal(
    (await run(approval, update("approval", csr("bad.io/x")))).message,
    'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName "bad.io/x"',
  );
  const signing = certificateSigning(may);
  assert.equal((await run(signing, update("status", csr("good.io/x")))).message, "");
  const signed = csr("good.io/x", { certificate: "x" });
  assert.match((await run(signing, update("status", signed))).message, /not permitted to sign/);
  const restriction = certificateSubjectRestriction(() => ["system:masters"]);
  const client = csr("kubernetes.io/kube-apiserver-client");
  assert.match(
    (await run(restriction, { ...given, object: client })).message,
    /use of kubernetes.io\/kube-apiserver-client signer with system:masters group is not allowed/,
  );
  assert.equal((await run(restriction, { ...given, object: csr("x/y") })).message, "");
});
