/** The small plugins about pods, services, namespaces and events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { alwaysAdmit, alwaysDeny } from "../../../src/admission/plugins/always.ts";
import { alwaysPullImages } from "../../../src/admission/plugins/always-pull-images.ts";
import { clusterTrustBundleAttest } from "../../../src/admission/plugins/cluster-trust-bundle-attest.ts";
import { denyServiceExternalIps } from "../../../src/admission/plugins/deny-service-external-ips.ts";
import { eventRateLimit } from "../../../src/admission/plugins/event-rate-limit.ts";
import { extendedResourceToleration } from "../../../src/admission/plugins/extended-resource-toleration.ts";
import { limitPodHardAntiAffinityTopology } from "../../../src/admission/plugins/limit-pod-hard-anti-affinity-topology.ts";
import { namespaceAutoProvision } from "../../../src/admission/plugins/namespace-auto-provision.ts";
import { namespaceExists } from "../../../src/admission/plugins/namespace-exists.ts";
import { nodeDeclaredFeatureValidator } from "../../../src/admission/plugins/node-declared-feature-validator.ts";
import { podNodeSelector } from "../../../src/admission/plugins/pod-node-selector.ts";
import { podResizeValidator } from "../../../src/admission/plugins/pod-resize-validator.ts";
import { podTolerationRestriction } from "../../../src/admission/plugins/pod-toleration-restriction.ts";
import type { KubeObject } from "../../../src/apimachinery/meta/types.ts";
import { type AnyObject, FakeCluster, podOf, run } from "../fakes.ts";

type Spec = Record<string, unknown>;
const specOf = (object: KubeObject) => (object as KubeObject & { spec: Spec }).spec;
const configMap = { plural: "configmaps", object: { metadata: { name: "c", namespace: "new" } } };

function namespaceWith(annotations: Record<string, string>) {
  const cluster = new FakeCluster();
  cluster.add("namespaces", { metadata: { name: "ns", annotations } });
  return cluster;
}

test("AlwaysAdmit and AlwaysDeny", async () => {
  assert.equal((await run(alwaysAdmit as never, configMap)).message, "");
  assert.equal(
    (await run(alwaysDeny as never, configMap)).message,
    'configmaps "c" is forbidden: admission control is denying all modifications',
  );
});

test("NamespaceExists", async () => {
  const cluster = namespaceWith({});
  const plugin = namespaceExists(cluster);
  const { error, message } = await run(plugin, configMap);
  assert.deepEqual([error?.code, message], [404, 'namespaces "new" not found']);
  assert.equal((await run(plugin, { ...configMap, namespace: "ns" })).message, "");
});

test("NamespaceAutoProvision makes the namespace, once, and not for a dry run", async () => {
  const cluster = namespaceWith({});
  const plugin = namespaceAutoProvision(cluster, cluster);
  await run(plugin, { ...configMap, dryRun: true });
  await run(plugin, { ...configMap, operation: "UPDATE" });
  assert.deepEqual(cluster.created, []);
  await run(plugin, configMap);
  await run(plugin, configMap);
  await run(plugin, { ...configMap, namespace: "ns" });
  assert.deepEqual(cluster.created, ["new"]);
});

test("AlwaysPullImages sets every policy, and refuses what comes after it", async () => {
  const object = podOf([{ imagePullPolicy: "Never" }], {
    initContainers: [{ name: "i", image: "x" }],
    volumes: [{ name: "v", image: { reference: "r", pullPolicy: "Never" } }],
  });
  const { object: pod, message } = await run(alwaysPullImages as never, { object });
  assert.equal(message, "");
  const spec = specOf(pod) as { containers: Spec[]; volumes: { image: Spec }[] };
  assert.equal(spec.containers[0]?.["imagePullPolicy"], "Always");
  assert.equal(spec.volumes[0]?.image["pullPolicy"], "Always");
  const late = { ...alwaysPullImages, admit: () => undefined };
  assert.equal(
    (await run(late as never, { object: podOf([{ imagePullPolicy: "Never" }]) })).message,
    'pods "p" is forbidden: spec.containers[0].imagePullPolicy: Unsupported value: "Never": supported values: "Always"',
  );
  const old = podOf([{ imagePullPolicy: "Never" }]);
  const update = { operation: "UPDATE" as const, object: structuredClone(old), oldObject: old };
  assert.equal((await run(late as never, update)).message, "");
});

test("LimitPodHardAntiAffinityTopology", async () => {
  const pod = (topologyKey: string) =>
    podOf([{}], {
      affinity: {
        podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey }] },
      },
    });
  const of = (key: string) => run(limitPodHardAntiAffinityTopology as never, { object: pod(key) });
  assert.equal((await of("kubernetes.io/hostname")).message, "");
  assert.equal(
    (await of("zone")).message,
    'pods "p" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed',
  );
});

test("DenyServiceExternalIPs: old ones may stay", async () => {
  const service = (...externalIPs: string[]): AnyObject => ({
    metadata: { name: "s", namespace: "ns" },
    spec: { externalIPs },
  });
  const of = (object: AnyObject, oldObject?: AnyObject) =>
    run(denyServiceExternalIps as never, {
      plural: "services",
      operation: oldObject === undefined ? "CREATE" : "UPDATE",
      object,
      oldObject,
    });
  assert.equal((await of(service())).message, "");
  assert.equal(
    (await of(service("1.2.3.4"))).message,
    'services "s" is forbidden: Use of external IPs is denied by admission control',
  );
  assert.equal((await of(service("1.2.3.4"), service("1.2.3.4", "5.6.7.8"))).message, "");
  assert.match((await of(service("1.2.3.4"), service("5.6.7.8"))).message, /denied/);
});

test("ExtendedResourceToleration", async () => {
  const requests = {
    cpu: "1",
    "example.com/b": "1",
    "example.com/a": "2",
    "x.kubernetes.io/c": "1",
  };
  const tolerations = [
    { key: "example.com/b", operator: "Exists", effect: "NoSchedule", tolerationSeconds: 1 },
  ];
  const object = podOf([{ resources: { requests } }], { tolerations });
  const { object: pod } = await run(extendedResourceToleration as never, { object });
  assert.deepEqual(specOf(pod)["tolerations"], [
    { key: "example.com/b", operator: "Exists", effect: "NoSchedule" },
    { key: "example.com/a", operator: "Exists", effect: "NoSchedule" },
  ]);
});

test("PodNodeSelector", async () => {
  const key = "scheduler.alpha.kubernetes.io/node-selector";
  const plugin = podNodeSelector(namespaceWith({ [key]: "zone=a,disk=ssd" }), {
    clusterDefaultNodeSelector: "zone=z",
    ns: "zone=a,disk=ssd",
    free: "",
  });
  const of = (nodeSelector: Record<string, string>) =>
    run(plugin, { object: podOf([{}], { nodeSelector }) });
  const { object } = await of({ zone: "a" });
  assert.deepEqual(specOf(object)["nodeSelector"], { zone: "a", disk: "ssd" });
  assert.equal(
    (await of({ zone: "b" })).message,
    'pods "p" is forbidden: pod node label selector conflicts with its namespace node label selector',
  );
  assert.equal(
    (await of({ other: "b" })).message,
    'pods "p" is forbidden: pod node label selector labels conflict with its namespace whitelist',
  );
  const byDefault = podNodeSelector(namespaceWith({}), { clusterDefaultNodeSelector: "zone=z" });
  const { object: pod } = await run(byDefault, { object: podOf([{}]) });
  assert.deepEqual(specOf(pod)["nodeSelector"], { zone: "z" });
});

test("PodTolerationRestriction", async () => {
  const prefix = "scheduler.alpha.kubernetes.io/";
  const dedicated = { key: "dedicated", operator: "Exists", effect: "NoSchedule" };
  const cluster = namespaceWith({
    [`${prefix}defaultTolerations`]: JSON.stringify([dedicated]),
    [`${prefix}tolerationsWhitelist`]: JSON.stringify([{ key: "dedicated", operator: "Exists" }]),
  });
  const plugin = podTolerationRestriction(cluster, () => true);
  const { object } = await run(plugin, { object: podOf([{}]) });
  assert.deepEqual(specOf(object)["tolerations"], [dedicated]);
  const refused =
    "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist";
  const other = podOf([{}], { tolerations: [{ key: "x", operator: "Exists" }] });
  assert.equal((await run(plugin, { object: other })).message, refused);
  // What is not best effort tolerates memory pressure too, which this list does not have.
  const burstable = podOf([{ resources: { requests: { cpu: "1" } } }]);
  assert.equal((await run(plugin, { object: burstable })).message, refused);
  const free = podTolerationRestriction(namespaceWith({}), () => true, { default: [dedicated] });
  const { object: pod } = await run(free, {
    object: podOf([{ resources: { requests: { cpu: "1" } } }]),
  });
  assert.deepEqual(specOf(pod)["tolerations"], [
    dedicated,
    { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  ]);
});

test("EventRateLimit: a bucket for each key, filled again with time", async () => {
  let now = 0;
  const plugin = eventRateLimit(
    [
      { type: "Server", qps: 100, burst: 100 },
      { type: "Namespace", qps: 1, burst: 2 },
      { type: "SourceAndObject", qps: 1, burst: 50, cacheSize: 1 },
    ],
    () => now,
  );
  const event = (namespace: string) =>
    run(plugin, { plural: "events", object: { metadata: { name: "e", namespace } } });
  assert.equal((await event("a")).message, "");
  assert.equal((await event("a")).message, "");
  const { message, error } = await event("a");
  assert.equal(message, "limit reached on type Namespace for key a");
  assert.deepEqual([error?.code, error?.reason], [429, "TooManyRequests"]);
  assert.equal((await event("b")).message, "");
  now += 1000;
  assert.equal((await event("a")).message, "");
  assert.notEqual((await event("a")).message, "");
});

test("PodResizeValidator", async () => {
  const cluster = new FakeCluster();
  const allocatable = { cpu: "4", memory: "8Gi" };
  cluster.add("nodes", { metadata: { name: "n" }, status: { allocatable } });
  const labels = { "kubernetes.io/os": "windows" };
  cluster.add("nodes", { metadata: { name: "w", labels }, status: { allocatable } });
  const plugin = podResizeValidator(cluster);
  const at = (requests: Record<string, string>, nodeName: string) =>
    podOf([{ resources: { requests } }], { nodeName });
  const resize = (requests: Record<string, string>, nodeName = "n") =>
    run(plugin, {
      operation: "UPDATE",
      subresource: "resize",
      object: at(requests, nodeName),
      oldObject: at({ cpu: "1" }, nodeName),
    });
  assert.equal((await resize({ cpu: "4" })).message, "");
  assert.equal((await resize({ cpu: "100" }, "")).message, "");
  const { message, error } = await resize({ cpu: "4500m", memory: "9Gi" });
  assert.equal(
    message,
    `pods "p" is forbidden: node didn't have enough allocatable resources: cpu, requested: 4500, allocatable: 4000; memory, requested: ${9 * 2 ** 30}, allocatable: ${8 * 2 ** 30}`,
  );
  assert.deepEqual(error?.details?.causes, [{ reason: "NodeCapacity" }]);
  const windows = await resize({ cpu: "2" }, "w");
  assert.match(windows.message, /only supported on linux nodes, node "w" is "windows"/);
  assert.deepEqual(windows.error?.details?.causes, [{ reason: "UnsupportedPlatform" }]);
  assert.match((await resize({ cpu: "2" }, "none")).message, /node "none" not found/);
});

test("NodeDeclaredFeatureValidator", async () => {
  const cluster = new FakeCluster();
  const declaredFeatures = ["GuaranteedQoSPodCPUResize"];
  cluster.add("nodes", { metadata: { name: "able" }, status: { declaredFeatures } });
  cluster.add("nodes", { metadata: { name: "old" } });
  const plugin = nodeDeclaredFeatureValidator(cluster);
  const at = (nodeName: string, cpu: string, spec: Spec = {}): AnyObject => ({
    ...podOf([{ resources: { requests: { cpu } } }], { nodeName, ...spec }),
    status: { qosClass: "Guaranteed" },
  });
  const update = (object: AnyObject, oldObject: AnyObject) =>
    run(plugin, { operation: "UPDATE", subresource: "resize", object, oldObject });
  assert.equal((await update(at("able", "2"), at("able", "1"))).message, "");
  assert.equal((await update(at("old", "1"), at("old", "1"))).message, "");
  assert.equal(
    (await update(at("old", "2", { resources: { limits: { cpu: "1" } } }), at("old", "1"))).message,
    'pods "p" is forbidden: pod update requires features GuaranteedQoSPodCPUResize, InPlacePodLevelResourcesVerticalScaling which are not available on node "old"',
  );
});

test("ClusterTrustBundleAttest", async () => {
  const asked: string[] = [];
  const plugin = clusterTrustBundleAttest(async (_user, verb, signer) => {
    asked.push(`${verb} ${signer}`);
    return signer === "good.io/*";
  });
  const bundle = (signerName: string, metadata: Spec = {}): AnyObject => ({
    metadata: { name: "b", ...metadata },
    spec: { signerName },
  });
  const of = (object: AnyObject, oldObject?: AnyObject) =>
    run(plugin, {
      group: "certificates.k8s.io",
      plural: "clustertrustbundles",
      namespace: "",
      operation: oldObject === undefined ? "CREATE" : "UPDATE",
      object,
      oldObject,
    });
  assert.equal((await of(bundle(""))).message, "");
  assert.equal((await of(bundle("good.io/x"))).message, "");
  assert.equal(
    (await of(bundle("bad.io/x"))).message,
    'clustertrustbundles.certificates.k8s.io "b" is forbidden: user not permitted to attest for signerName "bad.io/x"',
  );
  assert.equal(
    (await of(bundle("bad.io/x", { finalizers: ["f"] }), bundle("bad.io/x"))).message,
    "",
  );
  assert.deepEqual(asked.slice(0, 2), ["attest good.io/x", "attest good.io/*"]);
});
