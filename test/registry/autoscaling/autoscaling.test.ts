import assert from "node:assert/strict";
import { test } from "node:test";
import { fromV2, toV2 } from "../../../src/apis/autoscaling/v1/conversion.ts";
import { decoded, registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const autoscalers = registrationOf("autoscaling", "horizontalpodautoscalers");
const autoscaler = {
  apiVersion: "autoscaling/v2",
  kind: "HorizontalPodAutoscaler",
  metadata: { name: "a", namespace: "ns" },
  spec: {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
    maxReplicas: 3,
    metrics: [
      {
        type: "Pods",
        pods: { metric: { name: "m" }, target: { type: "AverageValue", averageValue: "1" } },
      },
    ],
  },
};
const METRIC = "spec.metrics[0]";
testCreate(autoscalers, autoscaler, [
  ["a metric", {}],
  ["no metric", { "spec.metrics": [] }],
  ["zero", { "spec.minReplicas": 0 }, ["Forbidden spec.metrics"]],
  ["below the minimum", { "spec.minReplicas": 4 }, ["Invalid spec.maxReplicas"]],
  [
    "no target group",
    { "spec.scaleTargetRef.apiVersion": "v1" },
    ["Invalid spec.scaleTargetRef.apiVersion"],
  ],
  [
    "a controller of the core group",
    {
      "spec.scaleTargetRef": { apiVersion: "v1", kind: "ReplicationController", name: "rc" },
    },
  ],
  [
    "two sources",
    {
      "spec.metrics[0].resource": {
        name: "cpu",
        target: { type: "Utilization", averageUtilization: 1 },
      },
    },
    [`Forbidden ${METRIC}.resource`],
  ],
  ["the wrong source", { "spec.metrics[0].type": "Resource" }, [`Required ${METRIC}.resource`]],
  [
    "a value of zero",
    { "spec.metrics[0].pods.target.averageValue": "0" },
    [`Invalid ${METRIC}.pods.target.averageValue`],
  ],
  [
    "a long window",
    { "spec.behavior.scaleUp.stabilizationWindowSeconds": 3601 },
    ["Invalid spec.behavior.scaleUp.stabilizationWindowSeconds"],
  ],
  [
    "a negative tolerance",
    { "spec.behavior.scaleUp.tolerance": "-1" },
    ["Invalid spec.behavior.scaleUp.tolerance"],
  ],
]);
testUpdate(autoscalers, autoscaler, [
  ["more", { "spec.maxReplicas": 5 }],
  [
    "another target",
    { "spec.scaleTargetRef.apiVersion": "v1" },
    ["Invalid spec.scaleTargetRef.apiVersion"],
  ],
]);

test("v2 through v1 and back is what it was", () => {
  const behavior = { scaleUp: { policies: [{ type: "Pods", value: 1, periodSeconds: 15 }] } };
  const condition = { type: "AbleToScale", status: "True", reason: "r", message: "m" };
  const current = { value: "3", averageValue: "1" };
  const plain = {
    ...autoscaler,
    metadata: { ...autoscaler.metadata, annotations: { a: "b" } },
    spec: {
      ...autoscaler.spec,
      behavior,
      metrics: [
        ...autoscaler.spec.metrics,
        {
          type: "Object",
          object: {
            describedObject: { kind: "Service", name: "s", apiVersion: "v1" },
            metric: { name: "m", selector: { matchLabels: { a: "b" } } },
            target: { type: "Value", value: "10k" },
          },
        },
        {
          type: "External",
          external: { metric: { name: "e" }, target: { type: "AverageValue", averageValue: "2" } },
        },
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
    },
    status: {
      currentReplicas: 1,
      conditions: [condition],
      currentMetrics: [{ type: "External", external: { metric: { name: "e" }, current } }],
    },
  };
  const object = decoded(autoscalers, plain);
  const v1 = fromV2(object) as { spec?: { targetCPUUtilizationPercentage?: number } };
  assert.equal(v1.spec?.targetCPUUtilizationPercentage, 50);
  assert.deepEqual(toV2(fromV2(object)), object);
});

test("annotations that do not parse are dropped", () => {
  const annotations = {
    "autoscaling.alpha.kubernetes.io/metrics": "{",
    "autoscaling.alpha.kubernetes.io/behavior": "[]",
    kept: "x",
  };
  const object = {
    apiVersion: "autoscaling/v1",
    metadata: { annotations },
    spec: { maxReplicas: 1 },
  };
  const { metadata, spec } = toV2(object) as typeof object & { spec: { metrics?: unknown } };
  assert.deepEqual(metadata.annotations, { kept: "x" });
  assert.equal(spec.metrics, undefined);
});
