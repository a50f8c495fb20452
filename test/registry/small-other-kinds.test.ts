import { registrationOf, testCreate, testUpdate } from "./verdicts.ts";

const classes = registrationOf("scheduling.k8s.io", "priorityclasses");
const priorityClass = {
  apiVersion: "scheduling.k8s.io/v1",
  kind: "PriorityClass",
  metadata: { name: "pc" },
  value: 10,
};
testCreate(classes, priorityClass, [
  ["a value", {}],
  ["the highest", { value: 1_000_000_000 }],
  ["beyond", { value: 1_000_000_001 }, ["Forbidden value"]],
  ["a system name", { "metadata.name": "system-x" }, ["Forbidden metadata.name"]],
  ["a system class", { "metadata.name": "system-node-critical", value: 2_000_001_000 }],
  [
    "a system class with another value",
    { "metadata.name": "system-node-critical" },
    ["Forbidden metadata.name"],
  ],
  ["a policy", { preemptionPolicy: "x" }, ["NotSupported preemptionPolicy"]],
]);
testUpdate(classes, priorityClass, [
  ["description", { description: "x" }],
  ["value", { value: 11 }, ["Forbidden value"]],
  ["policy", { preemptionPolicy: "Never" }, ["Invalid preemptionPolicy"]],
]);

const runtimes = registrationOf("node.k8s.io", "runtimeclasses");
const runtime = {
  apiVersion: "node.k8s.io/v1",
  kind: "RuntimeClass",
  metadata: { name: "rt" },
  handler: "runc",
};
const toleration = { key: "a", operator: "Exists" };
testCreate(runtimes, runtime, [
  ["a handler", {}],
  ["no handler", { handler: undefined }, ["Invalid handler"]],
  ["overhead", { "overhead.podFixed": { memory: "1Gi" } }],
  [
    "overhead of nothing",
    { "overhead.podFixed": { gizmo: "1" } },
    ["Invalid overhead.limits[gizmo]", "Invalid overhead.limits[gizmo]"],
  ],
  ["a selector", { "scheduling.nodeSelector": { a: "x y" } }, ["Invalid scheduling.nodeSelector"]],
  [
    "a toleration twice",
    { "scheduling.tolerations": [toleration, toleration] },
    ["Duplicate scheduling.tolerations[1]"],
  ],
]);
testUpdate(runtimes, runtime, [["handler", { handler: "kata" }, ["Invalid handler"]]]);

const services = registrationOf("apiregistration.k8s.io", "apiservices");
const service = {
  apiVersion: "apiregistration.k8s.io/v1",
  kind: "APIService",
  metadata: { name: "v1.a.b" },
  spec: {
    group: "a.b",
    version: "v1",
    groupPriorityMinimum: 100,
    versionPriority: 10,
    service: { name: "s", namespace: "ns" },
    insecureSkipTLSVerify: true,
  },
};
testCreate(services, service, [
  ["a remote one", {}],
  ["another name", { "metadata.name": "v1.x" }, ["Invalid metadata.name"]],
  ["a CA besides", { "spec.caBundle": "YQ==" }, ["Invalid spec.insecureSkipTLSVerify"]],
  ["a local one", { "spec.service": undefined, "spec.insecureSkipTLSVerify": undefined }],
  [
    "a local one without TLS",
    { "spec.service": undefined },
    ["Invalid spec.insecureSkipTLSVerify"],
  ],
  ["a port", { "spec.service.port": 0 }, ["Invalid spec.service.port"]],
  ["no priority", { "spec.versionPriority": 0 }, ["Invalid spec.versionPriority"]],
]);

const reviews = registrationOf("authorization.k8s.io", "localsubjectaccessreviews");
testCreate(
  reviews,
  {
    apiVersion: "authorization.k8s.io/v1",
    kind: "LocalSubjectAccessReview",
    metadata: { namespace: "ns" },
    spec: { user: "u", resourceAttributes: { namespace: "ns", verb: "get", resource: "pods" } },
  },
  [
    ["of its namespace", {}],
    [
      "of another",
      { "spec.resourceAttributes.namespace": "x" },
      ["Invalid spec.resourceAttributes.namespace"],
    ],
    ["of nobody", { "spec.user": undefined }, ["Invalid spec.user"]],
    ["with a name", { "metadata.name": "x" }, ["Invalid metadata"]],
    [
      "of both",
      { "spec.nonResourceAttributes": { path: "/", verb: "get" } },
      ["Invalid spec.nonResourceAttributes", "Invalid spec.nonResourceAttributes"],
    ],
    [
      "an empty selector",
      { "spec.resourceAttributes.fieldSelector": {} },
      ["Required spec.resourceAttributes.fieldSelector.requirements"],
    ],
  ],
);
