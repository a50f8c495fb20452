import { registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const controllers = registrationOf("", "replicationcontrollers");
const base = {
  apiVersion: "v1",
  kind: "ReplicationController",
  metadata: { name: "x", namespace: "n", resourceVersion: "1", uid: "u" },
  spec: {
    replicas: 1,
    selector: { app: "a" },
    template: {
      metadata: { labels: { app: "a" } },
      spec: { containers: [{ name: "c", image: "i:1" }] },
    },
  },
};

testCreate(controllers, base, [
  ["as it stands", {}],
  ["the selector comes from the template", { "spec.selector": undefined }],
  ["no template", { "spec.template": undefined }, ["Required spec.template"]],
  [
    "no selector at all",
    { "spec.selector": undefined, "spec.template.metadata": undefined },
    ["Required spec.selector"],
  ],
  [
    "other labels",
    { "spec.template.metadata.labels": { app: "b" } },
    ["Invalid spec.template.metadata.labels"],
  ],
  [
    "counts before the template",
    { "spec.replicas": -1, "spec.minReadySeconds": -1, "spec.selector": { app: "b" } },
    [
      "Invalid spec.minReadySeconds",
      "Invalid spec.replicas",
      "Invalid spec.template.metadata.labels",
    ],
  ],
  [
    "not always restarting",
    { "spec.template.spec.restartPolicy": "OnFailure" },
    ["NotSupported spec.template.spec.restartPolicy"],
  ],
  [
    "a deadline",
    { "spec.template.spec.activeDeadlineSeconds": 1 },
    ["Forbidden spec.template.spec.activeDeadlineSeconds"],
  ],
]);
testUpdate(controllers, base, [
  ["replicas", { "spec.replicas": 3 }],
  ["negative replicas", { "spec.replicas": -1 }, ["Invalid spec.replicas"]],
  [
    "other labels, told once",
    { "spec.template.metadata.labels": { app: "b" } },
    ["Invalid spec.template.metadata.labels"],
  ],
]);
testUpdate(
  controllers,
  { ...base, status: { replicas: 2 } },
  [
    ["more ready than there are", { "status.readyReplicas": 3 }, ["Invalid status.readyReplicas"]],
    ["negative", { "status.observedGeneration": -1 }, ["Invalid status.observedGeneration"]],
  ],
  { subresource: "status" },
);
