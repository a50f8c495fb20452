import assert from "node:assert/strict";
import { test } from "node:test";
import {
  briefly,
  changed,
  contextOf,
  decoded,
  registrationOf,
  testCreate,
  testUpdate,
  updateErrors,
} from "../verdicts.ts";

const template = {
  metadata: { labels: { app: "a" } },
  spec: { containers: [{ name: "c", image: "i:1" }] },
};
const metadata = { name: "x", namespace: "n", resourceVersion: "1", uid: "u" };
const selector = { matchLabels: { app: "a" } };
const workload = (kind: string) => ({
  apiVersion: "apps/v1",
  kind,
  metadata,
  spec: { selector, template },
});

/** No selector selects nothing. */
const noSelector = ["Required spec.selector", "Invalid spec.template.metadata.labels"];

const deployments = registrationOf("apps", "deployments");
const deployment = workload("Deployment");
testCreate(deployments, deployment, [
  ["as it stands", {}],
  ["no selector", { "spec.selector": undefined }, noSelector],
  ["empty selector", { "spec.selector": {} }, ["Invalid spec.selector"]],
  [
    "other labels",
    { "spec.template.metadata.labels": { app: "b" } },
    ["Invalid spec.template.metadata.labels"],
  ],
  ["negative replicas", { "spec.replicas": -1 }, ["Invalid spec.replicas"]],
  [
    "never restarting",
    { "spec.template.spec.restartPolicy": "Never" },
    ["NotSupported spec.template.spec.restartPolicy"],
  ],
  [
    "a deadline",
    { "spec.template.spec.activeDeadlineSeconds": 5 },
    ["Forbidden spec.template.spec.activeDeadlineSeconds"],
  ],
  [
    "recreate that rolls",
    { "spec.strategy": { type: "Recreate", rollingUpdate: {} } },
    ["Forbidden spec.strategy.rollingUpdate"],
  ],
  [
    "nothing may move",
    { "spec.strategy": { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    ["Invalid spec.strategy.rollingUpdate.maxUnavailable"],
  ],
  [
    "more than all unavailable",
    { "spec.strategy": { rollingUpdate: { maxUnavailable: "110%" } } },
    ["Invalid spec.strategy.rollingUpdate.maxUnavailable"],
  ],
  [
    "no percentage",
    { "spec.strategy": { rollingUpdate: { maxSurge: "20Percent" } } },
    ["Invalid spec.strategy.rollingUpdate.maxSurge"],
  ],
  [
    "a deadline below the ready time",
    { "spec.progressDeadlineSeconds": 5, "spec.minReadySeconds": 5 },
    ["Invalid spec.progressDeadlineSeconds"],
  ],
  ["negative history", { "spec.revisionHistoryLimit": -1 }, ["Invalid spec.revisionHistoryLimit"]],
  [
    "ephemeral containers",
    { "spec.template.spec.ephemeralContainers": [{ name: "e", image: "i" }] },
    ["Forbidden spec.template.spec.ephemeralContainers"],
  ],
]);
testUpdate(deployments, deployment, [
  ["nothing", {}],
  ["image", { "spec.template.spec.containers[0].image": "i:2" }],
  [
    "selector and labels",
    {
      "spec.selector": { matchLabels: { app: "b" } },
      "spec.template.metadata.labels": { app: "b" },
    },
    ["Invalid spec.selector"],
  ],
]);
testUpdate(
  deployments,
  changed(deployment, { status: { replicas: 3, collisionCount: 2 } }),
  [
    ["fewer collisions", { "status.collisionCount": 1 }, ["Invalid status.collisionCount"]],
    ["more ready than there are", { "status.readyReplicas": 4 }, ["Invalid status.readyReplicas"]],
    [
      "more available than ready",
      { "status.readyReplicas": 1, "status.availableReplicas": 2 },
      ["Invalid status.availableReplicas"],
    ],
    ["negative", { "status.observedGeneration": -1 }, ["Invalid status.observedGeneration"]],
  ],
  { subresource: "status" },
);

const replicaSets = registrationOf("apps", "replicasets");
const replicaSet = workload("ReplicaSet");
testCreate(replicaSets, replicaSet, [
  ["as it stands", {}],
  ["no selector", { "spec.selector": undefined }, noSelector],
]);
testUpdate(replicaSets, replicaSet, [
  ["replicas", { "spec.replicas": 5 }],
  ["negative replicas, told once", { "spec.replicas": -1 }, ["Invalid spec.replicas"]],
]);

const daemonSets = registrationOf("apps", "daemonsets");
const daemonSet = workload("DaemonSet");
const rolling = "spec.updateStrategy.rollingUpdate";
testCreate(daemonSets, daemonSet, [
  ["as it stands", {}],
  [
    "surge and unavailable",
    { [rolling]: { maxSurge: 1, maxUnavailable: 1 } },
    [`Invalid ${rolling}.maxSurge`],
  ],
  [
    "neither",
    { [rolling]: { maxSurge: 0, maxUnavailable: 0 } },
    [`Required ${rolling}.maxUnavailable`],
  ],
  [
    "unknown strategy",
    { "spec.updateStrategy": { type: "x" } },
    ["NotSupported spec.updateStrategy"],
  ],
  ["negative ready time", { "spec.minReadySeconds": -1 }, ["Invalid spec.minReadySeconds"]],
]);
testUpdate(daemonSets, daemonSet, [
  ["image", { "spec.template.spec.containers[0].image": "i:2" }],
  [
    "selector",
    {
      "spec.selector": { matchLabels: { app: "b" } },
      "spec.template.metadata.labels": { app: "b" },
    },
    ["Invalid spec.selector"],
  ],
]);

test("a changed template counts up both generations of a daemon set", () => {
  const old = decoded(daemonSets, daemonSet);
  const context = contextOf(old);
  daemonSets.strategy.prepareForCreate?.(context, old);
  const generation = "deprecated.daemonset.template.generation";
  assert.equal(old.metadata?.annotations?.[generation], "1");
  const next = decoded(
    daemonSets,
    changed(daemonSet, { "spec.template.spec.containers[0].image": "i:2" }),
  );
  daemonSets.strategy.prepareForUpdate?.(context, next, old);
  assert.equal(next.metadata?.annotations?.[generation], "2");
  assert.equal(next.metadata?.generation, 2);
});

const statefulSets = registrationOf("apps", "statefulsets");
const statefulSet = changed(workload("StatefulSet"), {
  "spec.serviceName": "s",
  "spec.volumeClaimTemplates": [
    {
      metadata: { name: "v" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
  ],
});
testCreate(statefulSets, statefulSet, [
  ["as it stands", {}],
  ["no selector", { "spec.selector": undefined }, noSelector],
  ["unknown management", { "spec.podManagementPolicy": "x" }, ["Invalid spec.podManagementPolicy"]],
  [
    "a partition that does not roll",
    { "spec.updateStrategy": { type: "OnDelete", rollingUpdate: { partition: 1 } } },
    ["Invalid spec.updateStrategy.rollingUpdate"],
  ],
  [
    "negative partition",
    { [rolling]: { partition: -1 } },
    ["Invalid spec.updateStrategy.rollingUpdate.partition"],
  ],
  ["negative start", { "spec.ordinals": { start: -1 } }, ["Invalid spec.ordinals.start"]],
  ["no service name of DNS", { "spec.serviceName": "A_b" }, ["Invalid spec.serviceName"]],
  [
    "unknown retention",
    { "spec.persistentVolumeClaimRetentionPolicy": { whenScaled: "x" } },
    ["NotSupported spec.persistentVolumeClaimRetentionPolicy.whenScaled"],
  ],
]);
testUpdate(statefulSets, statefulSet, [
  ["nothing", {}],
  ["replicas and image", { "spec.replicas": 4, "spec.template.spec.containers[0].image": "i:2" }],
  ["service", { "spec.serviceName": "t" }, ["Forbidden spec"]],
  ["management", { "spec.podManagementPolicy": "Parallel" }, ["Forbidden spec"]],
]);

const revisions = registrationOf("apps", "controllerrevisions");
const revision = {
  apiVersion: "apps/v1",
  kind: "ControllerRevision",
  metadata,
  data: { a: 1 },
  revision: 1,
};
testCreate(revisions, revision, [
  ["as it stands", {}],
  ["no data", { data: undefined }, ["Required data"]],
  ["negative", { revision: -1 }, ["Invalid revision"]],
]);
testUpdate(revisions, revision, [
  ["number", { revision: 2 }],
  ["data", { data: { a: 2 } }, ["Invalid data"]],
]);

test("a status keeps what an older client sends in spec", () => {
  const old = changed(deployment, { "spec.replicas": 1 });
  const errors = updateErrors(deployments, changed(old, { "spec.replicas": -4 }), old, {
    subresource: "status",
  });
  assert.deepEqual(briefly(errors), []);
});
