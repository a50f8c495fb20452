import assert from "node:assert/strict";
import { test } from "node:test";
import {
  briefly,
  changed,
  createErrors,
  registrationOf,
  testCreate,
  testUpdate,
} from "./verdicts.ts";

const GATES = [
  "DRAWorkloadResourceClaims",
  "TopologyAwareWorkloadScheduling",
  "WorkloadAwarePreemption",
];

const workloads = registrationOf("scheduling.k8s.io", "workloads");
const workload = {
  apiVersion: "scheduling.k8s.io/v1alpha2",
  kind: "Workload",
  metadata: { name: "w", namespace: "default" },
  spec: { podGroupTemplates: [{ name: "main", schedulingPolicy: { gang: { minCount: 1 } } }] },
};
const TEMPLATE = "spec.podGroupTemplates[0]";
testCreate(workloads, workload, [
  ["a gang", {}],
  ["no templates", { "spec.podGroupTemplates": [] }, ["Required spec.podGroupTemplates"]],
  [
    "too many templates",
    {
      "spec.podGroupTemplates": Array.from({ length: 9 }, (_, i) => ({
        name: `g${i}`,
        schedulingPolicy: { basic: {} },
      })),
    },
    ["TooMany spec.podGroupTemplates"],
  ],
  [
    "a name twice",
    {
      "spec.podGroupTemplates": [
        { name: "a", schedulingPolicy: { basic: {} } },
        { name: "a", schedulingPolicy: { basic: {} } },
      ],
    },
    ["Duplicate spec.podGroupTemplates[1]"],
  ],
  [
    "a name that is no label",
    { "spec.podGroupTemplates.0.name": "A_b" },
    [`Invalid ${TEMPLATE}.name`],
  ],
  [
    "a gang of none",
    { "spec.podGroupTemplates.0.schedulingPolicy.gang.minCount": 0 },
    [`Required ${TEMPLATE}.schedulingPolicy.gang.minCount`],
  ],
  [
    "no policy",
    { "spec.podGroupTemplates.0.schedulingPolicy": {} },
    [`Invalid ${TEMPLATE}.schedulingPolicy`],
  ],
  [
    "two policies",
    { "spec.podGroupTemplates.0.schedulingPolicy.basic": {} },
    [`Invalid ${TEMPLATE}.schedulingPolicy`],
  ],
  ["a controller", { "spec.controllerRef": { apiGroup: "apps", kind: "Deployment", name: "d" } }],
  [
    "a controller of nothing",
    { "spec.controllerRef": { apiGroup: "a_b" } },
    [
      "Invalid spec.controllerRef.apiGroup",
      "Required spec.controllerRef.kind",
      "Required spec.controllerRef.name",
    ],
  ],
  [
    "a disruption mode",
    { "spec.podGroupTemplates.0.disruptionMode": "x" },
    [`NotSupported ${TEMPLATE}.disruptionMode`],
  ],
  [
    "topology",
    { "spec.podGroupTemplates.0.schedulingConstraints": { topology: [{ key: "Example.com/x" }] } },
    [`Invalid ${TEMPLATE}.schedulingConstraints.topology[0].key`],
  ],
  [
    "claims",
    {
      "spec.podGroupTemplates.0.resourceClaims": [
        { name: "a", resourceClaimName: "x" },
        { name: "a" },
      ],
    },
    [`Duplicate ${TEMPLATE}.resourceClaims[1]`, `Invalid ${TEMPLATE}.resourceClaims[1]`],
  ],
]);
testUpdate(workloads, workload, [
  ["nothing", {}],
  [
    "a controller",
    { "spec.controllerRef": { kind: "Pod", name: "p" } },
    ["Invalid spec.controllerRef"],
  ],
  [
    "the templates",
    { "spec.podGroupTemplates.0.schedulingPolicy.gang.minCount": 2 },
    ["Invalid spec.podGroupTemplates"],
  ],
  [
    "no templates",
    { "spec.podGroupTemplates": [] },
    ["Required spec.podGroupTemplates", "Invalid spec.podGroupTemplates"],
  ],
]);

const groups = registrationOf("scheduling.k8s.io", "podgroups");
const group = {
  apiVersion: "scheduling.k8s.io/v1alpha2",
  kind: "PodGroup",
  metadata: { name: "g", namespace: "default" },
  spec: {
    podGroupTemplateRef: { workload: { workloadName: "w", podGroupTemplateName: "t" } },
    schedulingPolicy: { gang: { minCount: 5 } },
  },
};
testCreate(groups, group, [
  ["a gang", {}],
  ["no template", { "spec.podGroupTemplateRef": undefined }],
  ["an empty reference", { "spec.podGroupTemplateRef": {} }, ["Invalid spec.podGroupTemplateRef"]],
  [
    "names that are none",
    { "spec.podGroupTemplateRef.workload": { workloadName: "w/x", podGroupTemplateName: "" } },
    [
      "Invalid spec.podGroupTemplateRef.workload.workloadName",
      "Required spec.podGroupTemplateRef.workload.podGroupTemplateName",
    ],
  ],
  ["a priority", { "spec.priority": 1_000_000_001 }, ["Invalid spec.priority"]],
]);
for (const [of, base, path] of [
  [workloads, workload, TEMPLATE],
  [groups, group, "spec"],
] as const) {
  test(`create ${of.resource}: fields behind gates that are off are dropped`, () => {
    const object = changed(base, { [`${path}.priority`]: -1, [`${path}.disruptionMode`]: "x" });
    assert.deepEqual(briefly(createErrors(of, object, { without: GATES })), []);
  });
}
testUpdate(groups, group, [
  ["nothing", {}],
  ["the policy", { "spec.schedulingPolicy": { basic: {} } }, ["Invalid spec.schedulingPolicy"]],
  ["the template", { "spec.podGroupTemplateRef": undefined }, ["Invalid spec.podGroupTemplateRef"]],
]);
testUpdate(
  groups,
  { ...group, status: {} },
  [
    [
      "no such claim",
      { "status.resourceClaimStatuses": [{ name: "x" }] },
      ["Invalid status.resourceClaimStatuses[0].name"],
    ],
  ],
  { subresource: "status" },
);
