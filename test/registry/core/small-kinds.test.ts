import assert from "node:assert/strict";
import { test } from "node:test";
import {
  briefly,
  createErrors,
  decoded,
  registrationOf,
  testCreate,
  testUpdate,
} from "../verdicts.ts";

const meta = { name: "x", namespace: "n", resourceVersion: "1" };
const made = (kind: string, rest: object) => ({ apiVersion: "v1", kind, metadata: meta, ...rest });
const configMaps = registrationOf("", "configmaps");
const secrets = registrationOf("", "secrets");
const nodes = registrationOf("", "nodes");
const namespaces = registrationOf("", "namespaces");
const limitRanges = registrationOf("", "limitranges");
const quotas = registrationOf("", "resourcequotas");
const endpoints = registrationOf("", "endpoints");

testCreate(configMaps, made("ConfigMap", { data: { a: "1" } }), [
  ["as it stands", {}],
  ["key", { data: { "a/b": "1" } }, ["Invalid data[a/b]"]],
  ["dots", { data: { "..": "1" } }, ["Invalid data[..]"]],
  ["a key in both", { binaryData: { a: "MQ==" } }, ["Invalid data[a]"]],
  ["too large", { data: { a: "x".repeat(1 << 20), b: "y" } }, ["TooLong []"]],
]);
testUpdate(configMaps, made("ConfigMap", { immutable: true, data: { a: "1" } }), [
  ["labels", { "metadata.labels": { a: "b" } }],
  ["frozen data", { "data.a": "2" }, ["Forbidden data"]],
  ["thaw", { immutable: false }, ["Forbidden immutable"]],
  ["thaw by leaving out", { immutable: undefined }, ["Forbidden immutable"]],
]);

testCreate(secrets, made("Secret", { data: { a: "MQ==" } }), [
  ["as it stands", {}],
  ["key", { data: { "a/b": "" } }, ["Invalid data[a/b]"]],
  [
    "docker config",
    { type: "kubernetes.io/dockerconfigjson" },
    ["Required data[.dockerconfigjson]"],
  ],
  [
    "docker config is no JSON",
    { type: "kubernetes.io/dockercfg", data: { ".dockercfg": "e30x" } },
    ["Invalid data[.dockercfg]"],
  ],
  [
    "basic auth",
    { type: "kubernetes.io/basic-auth" },
    ["Required data[username]", "Required data[password]"],
  ],
  ["ssh auth", { type: "kubernetes.io/ssh-auth" }, ["Required data[ssh-privatekey]"]],
  ["tls", { type: "kubernetes.io/tls" }, ["Required data[tls.crt]", "Required data[tls.key]"]],
  [
    "token without an account",
    { type: "kubernetes.io/service-account-token" },
    ["Required metadata.annotations[kubernetes.io/service-account.name]"],
  ],
]);
testUpdate(secrets, made("Secret", { immutable: true, data: { a: "MQ==" } }), [
  ["type", { type: "a/b" }, ["Invalid type"]],
  ["frozen data", { "data.a": "Mg==" }, ["Forbidden data"]],
  ["thaw", { immutable: false }, ["Forbidden immutable"]],
]);

const node = { apiVersion: "v1", kind: "Node", metadata: { name: "x", resourceVersion: "1" } };
testCreate(nodes, node, [
  ["as it stands", {}],
  ["provider", { "spec.providerID": "any" }],
  [
    "taint effect",
    { "spec.taints": [{ key: "a", effect: "x" }] },
    ["NotSupported metadata.taints[0].effect"],
  ],
  [
    "taint without a key",
    { "spec.taints": [{ key: "", effect: "NoSchedule" }] },
    ["Invalid metadata.taints[0].key", "Invalid metadata.taints[0].key"],
  ],
  [
    "taint without effect",
    { "spec.taints": [{ key: "a" }] },
    ["Required metadata.taints[0].effect"],
  ],
  [
    "one taint twice",
    {
      "spec.taints": [
        { key: "a", effect: "NoSchedule" },
        { key: "a", effect: "NoSchedule", value: "v" },
      ],
    },
    ["Duplicate metadata.taints[1]"],
  ],
  ["pod CIDR", { "spec.podCIDR": "x", "spec.podCIDRs": ["x"] }, ["Invalid spec.podCIDRs[0]"]],
  [
    "two pod CIDRs of one family",
    { "spec.podCIDRs": ["10.0.0.0/24", "10.0.1.0/24"] },
    ["Invalid spec.podCIDRs"],
  ],
]);
testUpdate(nodes, node, [
  ["pod CIDR is set", { "spec.podCIDR": "10.0.0.0/24", "spec.podCIDRs": ["10.0.0.0/24"] }],
  ["provider is set", { "spec.providerID": "a" }],
  ["unschedulable", { "spec.unschedulable": true }],
]);
testUpdate(
  nodes,
  { ...node, spec: { podCIDR: "10.0.0.0/24", podCIDRs: ["10.0.0.0/24"], providerID: "a" } },
  [
    [
      "pod CIDR",
      { "spec.podCIDR": "10.0.1.0/24", "spec.podCIDRs": ["10.0.1.0/24"] },
      ["Forbidden spec.podCIDRs"],
    ],
    ["provider", { "spec.providerID": "b" }, ["Forbidden spec.providerID"]],
  ],
);
testUpdate(
  nodes,
  node,
  [
    ["addresses", { "status.addresses": [{ type: "Hostname", address: "a" }] }],
    [
      "one address twice",
      {
        "status.addresses": [
          { type: "Hostname", address: "a" },
          { type: "Hostname", address: "a" },
        ],
      },
      ["Duplicate status.addresses[1]"],
    ],
    [
      "capacity",
      { "status.capacity": { cpu: "-1" } },
      ["Invalid status.capacity.cpu", "Invalid status.allocatable.cpu"],
    ],
    ["config", { "status.config": { assigned: {} } }, ["Invalid status.config.assigned"]],
  ],
  { subresource: "status" },
);

testCreate(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "x" } }, [
  ["as it stands", {}],
  ["finalizer of no domain", { "spec.finalizers": ["bad"] }, ["Invalid spec.finalizers"]],
]);
testUpdate(
  namespaces,
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "x", resourceVersion: "1" } },
  [
    ["finalizer", { "spec.finalizers": ["example.com/a"] }],
    [
      "finalizer without a domain",
      { "spec.finalizers": ["a b"] },
      ["Invalid spec.finalizers[0]", "Invalid spec.finalizers[0]"],
    ],
  ],
  { subresource: "finalize" },
);

const limits = (limit: object) => ({ "spec.limits": [limit] });
testCreate(
  limitRanges,
  made("LimitRange", { spec: { limits: [{ type: "Pod", max: { cpu: "1" } }] } }),
  [
    ["as it stands", {}],
    ["type", limits({ type: "a b" }), ["Invalid spec.limits[0].type"]],
    ["one type twice", { "spec.limits[1]": { type: "Pod" } }, ["Duplicate spec.limits[1].type"]],
    [
      "default for pods",
      limits({ type: "Pod", default: { cpu: "1" } }),
      ["Forbidden spec.limits[0].default"],
    ],
    [
      "min above max",
      limits({ type: "Pod", min: { cpu: "2" }, max: { cpu: "1" } }),
      ["Invalid spec.limits[0].min[cpu]"],
    ],
    [
      "default below min",
      limits({
        type: "Container",
        min: { cpu: "2" },
        default: { cpu: "1" },
        defaultRequest: { cpu: "2" },
      }),
      ["Invalid spec.limits[0].defaultRequest[cpu]", "Invalid spec.limits[0].default[cpu]"],
    ],
    [
      "ratio below one",
      limits({ type: "Pod", maxLimitRequestRatio: { cpu: "800m" } }),
      ["Invalid spec.limits[0].maxLimitRequestRatio[cpu]"],
    ],
    [
      "claim without storage",
      limits({ type: "PersistentVolumeClaim" }),
      ["Required spec.limits[0].limits"],
    ],
  ],
);

testCreate(quotas, made("ResourceQuota", { spec: { hard: { cpu: "1", pods: "5" } } }), [
  ["as it stands", {}],
  ["negative", { "spec.hard": { cpu: "-1" } }, ["Invalid spec.hard[cpu]"]],
  ["part of a pod", { "spec.hard": { pods: "500m" } }, ["Invalid spec.hard[pods]"]],
  [
    "unknown",
    { "spec.hard": { bogus: "1" } },
    ["Invalid spec.hard[bogus]", "Invalid spec.hard[bogus]"],
  ],
  ["counts", { "spec.hard": { "count/jobs.batch": "1" } }],
  ["scope", { "spec.scopes": ["Bogus"] }, ["Invalid spec.scopes"]],
  [
    "both scopes",
    { "spec.hard": { pods: "1" }, "spec.scopes": ["BestEffort", "NotBestEffort"] },
    ["Invalid spec.scopes"],
  ],
  ["scope that cannot limit cpu", { "spec.scopes": ["BestEffort"] }, ["Invalid spec.scopes"]],
]);
testUpdate(
  quotas,
  made("ResourceQuota", { spec: { hard: { cpu: "1" }, scopes: ["Terminating"] } }),
  [
    ["hard", { "spec.hard.cpu": "2" }],
    ["scopes", { "spec.scopes": ["NotTerminating"] }, ["Invalid spec.scopes"]],
  ],
);

const subset = { addresses: [{ ip: "10.10.1.1" }], ports: [{ port: 80, protocol: "TCP" }] };
testCreate(endpoints, made("Endpoints", { subsets: [subset] }), [
  ["as it stands", {}],
  ["no address", { "subsets[0].addresses": [] }, ["Required subsets[0]"]],
  [
    "no IP",
    { "subsets[0].addresses[0].ip": "x" },
    ["Invalid subsets[0].addresses[0].ip", "Invalid subsets[0].addresses[0].ip"],
  ],
  [
    "loopback",
    { "subsets[0].addresses[0].ip": "127.0.0.1" },
    ["Invalid subsets[0].addresses[0].ip"],
  ],
  [
    "link-local",
    { "subsets[0].addresses[0].ip": "169.254.0.1" },
    ["Invalid subsets[0].addresses[0].ip"],
  ],
  [
    "hostname",
    { "subsets[0].addresses[0].hostname": "a.b" },
    ["Invalid subsets[0].addresses[0].hostname"],
  ],
  ["port", { "subsets[0].ports[0].port": 66000 }, ["Invalid subsets[0].ports[0].port"]],
  [
    "protocol",
    { "subsets[0].ports[0].protocol": "x" },
    ["NotSupported subsets[0].ports[0].protocol"],
  ],
  [
    "two ports want names",
    { "subsets[0].ports": [{ port: 1 }, { port: 2, name: "b" }] },
    ["Required subsets[0].ports[0].name"],
  ],
]);

test("events are checked by the version they come in", () => {
  const core = registrationOf("", "events");
  const event = made("Event", { involvedObject: { kind: "Pod", namespace: "n", name: "p" } });
  assert.deepEqual(briefly(createErrors(core, event)), []);
  const elsewhere = made("Event", {
    involvedObject: { kind: "Pod", namespace: "other", name: "p" },
  });
  assert.deepEqual(briefly(createErrors(core, elsewhere)), ["Invalid involvedObject.namespace"]);
  const series = { ...event, eventTime: "2026-01-02T03:04:05.000000Z", apiVersion: "v1" };
  const errors = briefly(createErrors(core, series, { requestApiVersion: "events.k8s.io/v1" }));
  assert.ok(errors.includes("Required reportingController"), errors.join());
});

test("the two forms of an event convert into each other", () => {
  const { converters, defaults } = registrationOf("events.k8s.io", "events");
  const event = decoded(registrationOf("events.k8s.io", "events"), {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: "e", namespace: "n" },
    eventTime: "2026-01-02T03:04:05.000000Z",
    reportingController: "c",
    reportingInstance: "i",
    action: "a",
    reason: "r",
    note: "text",
    type: "Normal",
    regarding: { kind: "Pod", name: "p", namespace: "n" },
    deprecatedCount: 3,
    deprecatedSource: { component: "s" },
  });
  assert.ok(defaults !== undefined);
  const converter = converters?.["v1"];
  assert.ok(converter);
  const stored = converter.toStorage(structuredClone(event)) as unknown as Record<string, unknown>;
  assert.equal(stored["message"], "text");
  assert.equal(stored["reportingComponent"], "c");
  assert.equal(stored["count"], 3);
  const back = converter.fromStorage(stored as never);
  assert.deepEqual({ ...back, apiVersion: "", kind: "" }, { ...event, apiVersion: "", kind: "" });
});
