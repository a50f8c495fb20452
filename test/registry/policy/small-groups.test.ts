import { registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const metadata = { name: "x", namespace: "n", resourceVersion: "1" };

const budgets = registrationOf("policy", "poddisruptionbudgets");
const budget = {
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata,
  spec: { minAvailable: 1, selector: { matchLabels: { a: "b" } } },
};
testCreate(budgets, budget, [
  ["as it stands", {}],
  ["percentage", { "spec.minAvailable": "30%" }],
  ["percentage above all", { "spec.minAvailable": "110%" }, ["Invalid spec.minAvailable"]],
  ["negative", { "spec.minAvailable": -1 }, ["Invalid spec.minAvailable"]],
  ["no number", { "spec.minAvailable": "x" }, ["Invalid spec.minAvailable"]],
  ["both bounds", { "spec.maxUnavailable": 1 }, ["Invalid spec"]],
  [
    "selector",
    { "spec.selector.matchLabels": { "a b": "c" } },
    ["Invalid spec.selector.matchLabels"],
  ],
  [
    "eviction policy",
    { "spec.unhealthyPodEvictionPolicy": "x" },
    ["NotSupported spec.unhealthyPodEvictionPolicy"],
  ],
]);
testUpdate(
  budgets,
  budget,
  [
    ["counts", { "status.currentHealthy": 1, "status.disruptionsAllowed": 1 }],
    [
      "negative counts",
      {
        "status.currentHealthy": -1,
        "status.desiredHealthy": -1,
        "status.expectedPods": -1,
        "status.disruptionsAllowed": -1,
      },
      [
        "Invalid status.disruptionsAllowed",
        "Invalid status.currentHealthy",
        "Invalid status.desiredHealthy",
        "Invalid status.expectedPods",
      ],
    ],
  ],
  { subresource: "status" },
);

const leases = registrationOf("coordination.k8s.io", "leases");
testCreate(
  leases,
  {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata,
    spec: { holderIdentity: "h", leaseDurationSeconds: 10 },
  },
  [
    ["as it stands", {}],
    ["empty", { spec: {} }],
    ["duration", { "spec.leaseDurationSeconds": 0 }, ["Invalid spec.leaseDurationSeconds"]],
    ["transitions", { "spec.leaseTransitions": -1 }, ["Invalid spec.leaseTransitions"]],
    [
      "strategy without a domain",
      { "spec.strategy": "x y" },
      ["NotSupported spec.strategy.strategy"],
    ],
    [
      "preferred holder without a strategy",
      { "spec.preferredHolder": "p" },
      ["Forbidden spec.preferredHolder"],
    ],
  ],
);
