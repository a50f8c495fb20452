import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceQuota } from "../../../src/admission/plugins/resource-quota.ts";
import type { LimitedResource } from "../../../src/admission/quota/check.ts";
import type { KubeObject } from "../../../src/apimachinery/meta/types.ts";
import { FakeCluster, type Given, podOf, run } from "../fakes.ts";

type List = Record<string, string>;

const sleep = async () => undefined;

function clusterWith(hard: List, used: List, spec: Record<string, unknown> = {}, name = "q") {
  const cluster = new FakeCluster();
  addQuota(cluster, hard, used, spec, name);
  return cluster;
}
function addQuota(
  cluster: FakeCluster,
  hard: List,
  used: List,
  spec: Record<string, unknown> = {},
  name = "q",
) {
  const metadata = { name, namespace: "ns", uid: name };
  return cluster.add("resourcequotas", {
    metadata,
    spec: { hard, ...spec },
    status: { hard, used },
  });
}
const pluginOf = (cluster: FakeCluster, limitedResources: readonly LimitedResource[] = []) =>
  resourceQuota(cluster, cluster, {
    gate: () => true,
    limitedResources,
    sleep,
    now: () => Date.parse("2026-01-01T00:00:00Z"),
  });
function usedOf(cluster: FakeCluster, name = "q"): List {
  const quotas = cluster.objects.get("/resourcequotas") ?? [];
  const found = quotas.find(({ metadata }) => metadata?.name === name);
  return (found as KubeObject & { status: { used: List } }).status.used;
}
const configMap = (name: string): Given => ({
  plural: "configmaps",
  object: { metadata: { name, namespace: "ns" } },
});
const resources = (requests: List, limits: List = {}) => ({ resources: { requests, limits } });

test("fifty at once against ten give ten", async () => {
  const cluster = clusterWith({ "count/configmaps": "10" }, { "count/configmaps": "0" });
  const plugin = pluginOf(cluster);
  const outcomes = await Promise.all(
    Array.from({ length: 50 }, (_, i) => run(plugin, configMap(`c${i}`))),
  );
  assert.equal(outcomes.filter(({ message }) => message === "").length, 10);
  assert.equal(
    outcomes.at(-1)?.message,
    'configmaps "c49" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=10, limited: count/configmaps=10',
  );
  assert.deepEqual(usedOf(cluster), { "count/configmaps": "10" });
});

test("four servers with fifty each against twenty give twenty", async () => {
  const cluster = clusterWith({ "count/configmaps": "20" }, { "count/configmaps": "0" });
  // Lets the servers read before any of them writes.
  cluster.beforeReplace = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
  const plugins = Array.from({ length: 4 }, () =>
    resourceQuota(cluster, cluster, { gate: () => true }),
  );
  const outcomes = await Promise.all(
    plugins.flatMap((plugin, p) =>
      Array.from({ length: 50 }, (_, i) => run(plugin, configMap(`c${p}-${i}`))),
    ),
  );
  assert.equal(outcomes.filter(({ message }) => message === "").length, 20);
  assert.deepEqual(usedOf(cluster), { "count/configmaps": "20" });
});

test("a dry run is judged and costs nothing", async () => {
  const cluster = clusterWith({ "count/configmaps": "1" }, { "count/configmaps": "0" });
  const plugin = pluginOf(cluster);
  const dry = { ...configMap("c"), dryRun: true };
  assert.equal((await run(plugin, dry)).message, "");
  assert.equal((await run(plugin, dry)).message, "");
  assert.deepEqual(usedOf(cluster), { "count/configmaps": "0" });
  assert.equal((await run(plugin, configMap("c"))).message, "");
  assert.match((await run(plugin, dry)).message, /exceeded quota/);
});

test("deletions and other verbs cost nothing", async () => {
  const cluster = clusterWith({ "count/configmaps": "1" }, { "count/configmaps": "1" });
  const plugin = pluginOf(cluster);
  const operations = ["DELETE", "UPDATE", "CONNECT"] as const;
  for (const operation of operations) {
    const given = { ...configMap("c"), operation, oldObject: { metadata: { name: "c" } } };
    assert.equal((await run(plugin, given)).message, "");
  }
  assert.deepEqual(usedOf(cluster), { "count/configmaps": "1" });
});

test("a quota whose controller has not counted yet says so", async () => {
  const cluster = clusterWith({ "count/configmaps": "1" }, {});
  assert.equal(
    (await run(pluginOf(cluster), configMap("c"))).message,
    'configmaps "c" is forbidden: status unknown for quota: q, resources: count/configmaps',
  );
  const silent = new FakeCluster();
  silent.add("resourcequotas", {
    metadata: { name: "q", namespace: "ns" },
    spec: { hard: { "count/configmaps": "0" } },
  });
  assert.equal((await run(pluginOf(silent), configMap("c"))).message, "");
});

test("a quota of cpu makes every container say its cpu", async () => {
  const hard = { cpu: "2", "limits.memory": "1Gi" };
  const cluster = clusterWith(hard, { cpu: "0", "limits.memory": "0" });
  const plugin = pluginOf(cluster);
  const object = podOf([{}, resources({ cpu: "1" }), resources({}, { memory: "1Mi" })]);
  assert.equal(
    (await run(plugin, { object })).message,
    'pods "p" is forbidden: failed quota: q: must specify cpu for: c1,c3; limits.memory for: c1,c2',
  );
  const podLevel = podOf([{}], resources({ cpu: "1" }, { memory: "1Mi" }));
  assert.equal((await run(plugin, { object: podLevel })).message, "");
  assert.deepEqual(usedOf(cluster), { cpu: "1", "limits.memory": "1Mi" });
});

test("pods: every name they are counted under", async () => {
  const hard = {
    pods: "9",
    "count/pods": "9",
    "requests.cpu": "9",
    "limits.cpu": "9",
    "requests.memory": "9Gi",
    "requests.example.com/gpu": "9",
    "hugepages-2Mi": "1Gi",
    "requests.ephemeral-storage": "9Gi",
  };
  const zero = Object.fromEntries(Object.keys(hard).map((name) => [name, "0"]));
  const cluster = clusterWith(hard, zero);
  const asked = {
    cpu: "500m",
    memory: "1Gi",
    "example.com/gpu": "2",
    "hugepages-2Mi": "4Mi",
    "ephemeral-storage": "1Gi",
  };
  const object = podOf([resources(asked, { cpu: "1" }), resources(asked, { cpu: "1" })], {
    overhead: { cpu: "100m" },
  });
  const { message } = await run(pluginOf(cluster), { object });
  assert.equal(message, "");
  assert.deepEqual(usedOf(cluster), {
    pods: "1",
    "count/pods": "1",
    "requests.cpu": "1100m",
    "limits.cpu": "2100m",
    "requests.memory": "2Gi",
    "requests.example.com/gpu": "4",
    "hugepages-2Mi": "8Mi",
    "requests.ephemeral-storage": "2Gi",
  });
});

test("only what is exceeded is named", async () => {
  const cluster = clusterWith(
    { pods: "5", "requests.cpu": "1", "requests.memory": "1Gi" },
    { pods: "1", "requests.cpu": "800m", "requests.memory": "900Mi" },
  );
  const object = podOf([resources({ cpu: "300m", memory: "200Mi" })]);
  assert.equal(
    (await run(pluginOf(cluster), { object })).message,
    'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=300m,requests.memory=200Mi, used: requests.cpu=800m,requests.memory=900Mi, limited: requests.cpu=1,requests.memory=1Gi',
  );
});

const affinityTerm = { topologyKey: "z", namespaces: ["other"] };
const crossing = {
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [affinityTerm] } },
};
const classIn = (operator: string, ...values: string[]) => ({
  scopeSelector: {
    matchExpressions: [
      { scopeName: "PriorityClass", operator, ...(values.length > 0 ? { values } : {}) },
    ],
  },
});
const scopes: readonly [Record<string, unknown>, Record<string, unknown>, boolean][] = [
  [{ scopes: ["Terminating"] }, { activeDeadlineSeconds: 0 }, true],
  [{ scopes: ["Terminating"] }, {}, false],
  [{ scopes: ["NotTerminating"] }, {}, true],
  [{ scopes: ["NotTerminating"] }, { activeDeadlineSeconds: 5 }, false],
  [{ scopes: ["BestEffort"] }, {}, true],
  [{ scopes: ["NotBestEffort"] }, {}, false],
  [{ scopes: ["NotBestEffort", "NotTerminating"] }, resources({ cpu: "1" }), true],
  [{ scopes: ["CrossNamespacePodAffinity"] }, crossing, true],
  [{ scopes: ["CrossNamespacePodAffinity"] }, {}, false],
  [{ scopes: ["PriorityClass"] }, { priorityClassName: "x" }, true],
  [{ scopes: ["PriorityClass"] }, {}, false],
  [{ scopes: ["VolumeAttributesClass"] }, {}, false],
  [classIn("In", "a", "b"), { priorityClassName: "b" }, true],
  [classIn("In", "a"), { priorityClassName: "b" }, false],
  [classIn("NotIn", "a"), { priorityClassName: "b" }, true],
  [classIn("NotIn", "a"), {}, true],
  [classIn("Exists"), {}, false],
  [classIn("DoesNotExist"), {}, true],
];
for (const [spec, podSpec, counts] of scopes) {
  test(`scope ${JSON.stringify(spec)} of ${JSON.stringify(podSpec)}: ${counts}`, async () => {
    const cluster = clusterWith({ pods: "5" }, { pods: "0" }, spec);
    await run(pluginOf(cluster), { object: podOf([{}], podSpec) });
    assert.deepEqual(usedOf(cluster), { pods: counts ? "1" : "0" });
  });
}

test("services: a changed type costs its ports", async () => {
  const hard = { services: "5", "services.nodeports": "3", "services.loadbalancers": "1" };
  const cluster = clusterWith(hard, {
    services: "1",
    "services.nodeports": "0",
    "services.loadbalancers": "0",
  });
  const service = (spec: Record<string, unknown>) => ({
    metadata: { name: "s", namespace: "ns", resourceVersion: "1" },
    spec: { ports: [{ port: 1 }, { port: 2 }], ...spec },
  });
  const plugin = pluginOf(cluster);
  const update = (spec: Record<string, unknown>, from: Record<string, unknown>) =>
    run(plugin, {
      plural: "services",
      operation: "UPDATE",
      object: service(spec),
      oldObject: service(from),
    });
  assert.equal((await update({ type: "NodePort" }, { type: "ClusterIP" })).message, "");
  assert.deepEqual(usedOf(cluster), {
    services: "1",
    "services.nodeports": "2",
    "services.loadbalancers": "0",
  });
  assert.equal((await update({ type: "NodePort" }, { type: "NodePort" })).message, "");
  const { message } = await update({ type: "LoadBalancer" }, { type: "ClusterIP" });
  assert.equal(
    message,
    'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=2, limited: services.nodeports=3',
  );
  const without = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
  assert.equal((await update(without, { type: "ClusterIP" })).message, "");
  assert.equal(usedOf(cluster)["services.loadbalancers"], "1");
});

test("claims: by class, by growth, in whole bytes", async () => {
  const gold = "gold.storageclass.storage.k8s.io/requests.storage";
  const goldClaims = "gold.storageclass.storage.k8s.io/persistentvolumeclaims";
  const hard = {
    persistentvolumeclaims: "2",
    "requests.storage": "10Gi",
    [gold]: "3Gi",
    [goldClaims]: "5",
  };
  const cluster = clusterWith(hard, {
    persistentvolumeclaims: "0",
    "requests.storage": "0",
    [gold]: "0",
    [goldClaims]: "0",
  });
  const plugin = pluginOf(cluster);
  const claim = (storage: string, storageClassName: string) => ({
    metadata: { name: "c", namespace: "ns", resourceVersion: "1" },
    spec: { storageClassName, resources: { requests: { storage } } },
  });
  const given = { plural: "persistentvolumeclaims" };
  assert.equal((await run(plugin, { ...given, object: claim("2Gi", "gold") })).message, "");
  assert.deepEqual(usedOf(cluster), {
    persistentvolumeclaims: "1",
    "requests.storage": "2Gi",
    [gold]: "2Gi",
    [goldClaims]: "1",
  });
  const grow = {
    ...given,
    operation: "UPDATE" as const,
    object: claim("4Gi", "gold"),
    oldObject: claim("2Gi", "gold"),
  };
  assert.equal(
    (await run(plugin, grow)).message,
    `persistentvolumeclaims "c" is forbidden: exceeded quota: q, requested: ${gold}=2Gi, used: ${gold}=2Gi, limited: ${gold}=3Gi`,
  );
  assert.equal((await run(plugin, { ...given, object: claim("1500m", "tin") })).message, "");
  assert.equal(usedOf(cluster)["requests.storage"], String(2 * 2 ** 30 + 2));
});

test("resource claims: the most devices they can get", async () => {
  const name = "gpu.deviceclass.resource.k8s.io/devices";
  const cluster = clusterWith({ [name]: "40" }, { [name]: "0" });
  const request = (mode: string, count?: number) => ({
    deviceClassName: "gpu",
    allocationMode: mode,
    ...(count === undefined ? {} : { count }),
  });
  const requests = [
    { name: "a", exactly: request("ExactCount", 2) },
    { name: "b", firstAvailable: [request("ExactCount", 1), request("All")] },
  ];
  const object = { metadata: { name: "c", namespace: "ns" }, spec: { devices: { requests } } };
  const given = { group: "resource.k8s.io", plural: "resourceclaims", object };
  assert.equal((await run(pluginOf(cluster), given)).message, "");
  assert.deepEqual(usedOf(cluster), { [name]: "34" });
});

test("a namespace's several quotas are all charged, and other kinds by their count", async () => {
  const cluster = clusterWith({ "count/deployments.apps": "2" }, { "count/deployments.apps": "0" });
  addQuota(cluster, { "count/deployments.apps": "1" }, { "count/deployments.apps": "0" }, {}, "r");
  const given = {
    group: "apps",
    plural: "deployments",
    object: { metadata: { name: "d", namespace: "ns" } },
  };
  const plugin = pluginOf(cluster);
  assert.equal((await run(plugin, given)).message, "");
  assert.match(
    (await run(plugin, given)).message,
    /^deployments.apps "d" is forbidden: exceeded quota: r,/,
  );
  assert.deepEqual(usedOf(cluster), { "count/deployments.apps": "1" });
  assert.deepEqual(usedOf(cluster, "r"), { "count/deployments.apps": "1" });
});

test("what the configuration limits needs a quota", async () => {
  const cluster = new FakeCluster();
  const limited = [{ resource: "pods", matchContains: ["pods", "requests.cpu"] }];
  const plugin = pluginOf(cluster, limited);
  const object = podOf([resources({ cpu: "1" })]);
  assert.equal(
    (await run(plugin, { object })).message,
    'pods "p" is forbidden: insufficient quota to consume: count/pods,pods,requests.cpu',
  );
  const hard = { pods: "1", "count/pods": "1", "requests.cpu": "1" };
  addQuota(cluster, hard, { pods: "0", "count/pods": "0", "requests.cpu": "0" });
  assert.equal((await run(plugin, { object })).message, "");
  const scoped = pluginOf(cluster, [
    {
      resource: "pods",
      matchScopes: [{ scopeName: "PriorityClass", operator: "In", values: ["x"] }],
    },
  ]);
  const urgent = podOf([resources({ cpu: "0" })], { priorityClassName: "x" });
  assert.match(
    (await run(scoped, { object: urgent })).message,
    /insufficient quota to match these scopes: \[\{PriorityClass In \[x\]\}\]/,
  );
});

test("a pod that is over is counted as an object only", async () => {
  const cluster = clusterWith({ pods: "0", "count/pods": "1" }, { pods: "0", "count/pods": "0" });
  const object = { ...podOf([{}]), status: { phase: "Succeeded" } };
  assert.equal((await run(pluginOf(cluster), { object })).message, "");
  assert.deepEqual(usedOf(cluster), { pods: "0", "count/pods": "1" });
});

test("a resize costs its growth", async () => {
  const cluster = clusterWith({ "requests.cpu": "3" }, { "requests.cpu": "1" });
  const at = (cpu: string) => {
    const pod = podOf([resources({ cpu })]);
    pod.metadata = { ...pod.metadata, resourceVersion: "1" };
    return pod;
  };
  const resize = (from: string, to: string) => ({
    operation: "UPDATE" as const,
    subresource: "resize",
    object: at(to),
    oldObject: at(from),
  });
  const plugin = pluginOf(cluster);
  assert.equal((await run(plugin, resize("1", "2"))).message, "");
  assert.deepEqual(usedOf(cluster), { "requests.cpu": "2" });
  assert.match((await run(plugin, resize("2", "4"))).message, /requested: requests.cpu=2, used/);
  assert.equal((await run(plugin, resize("2", "1"))).message, "");
  assert.deepEqual(usedOf(cluster), { "requests.cpu": "2" });
});
