import assert from "node:assert/strict";
import { test } from "node:test";
import {
  changed,
  createErrors,
  decoded,
  registrationOf,
  testCreate,
  testUpdate,
} from "../verdicts.ts";

const services = registrationOf("", "services");
const base = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "s", namespace: "n", resourceVersion: "1", uid: "u" },
  spec: {
    type: "ClusterIP",
    clusterIP: "10.0.0.7",
    clusterIPs: ["10.0.0.7"],
    ipFamilies: ["IPv4"],
    ipFamilyPolicy: "SingleStack",
    selector: { app: "a" },
    ports: [{ name: "p", port: 80, targetPort: 8080, protocol: "TCP" }],
  },
};
const balancer = changed(base, {
  "spec.type": "LoadBalancer",
  "spec.allocateLoadBalancerNodePorts": true,
});
const headless = { "spec.clusterIP": "None", "spec.clusterIPs": ["None"] };

testCreate(services, base, [
  ["as it stands", {}],
  ["unknown type", { "spec.type": "bogus" }, ["NotSupported spec.type"]],
  ["bad selector", { "spec.selector": { "a/b/c": "x" } }, ["Invalid spec.selector"]],
  ["no ports", { "spec.ports": [] }, ["Required spec.ports"]],
  ["headless without ports", { ...headless, "spec.ports": [] }],
  [
    "two unnamed ports",
    { "spec.ports": [{ port: 1 }, { port: 2 }] },
    ["Required spec.ports[0].name", "Required spec.ports[1].name"],
  ],
  ["port 0", { "spec.ports[0].port": 0 }, ["Invalid spec.ports[0].port"]],
  ["port 65536", { "spec.ports[0].port": 65536 }, ["Invalid spec.ports[0].port"]],
  ["protocol", { "spec.ports[0].protocol": "HTTP" }, ["NotSupported spec.ports[0].protocol"]],
  [
    "targetPort name",
    { "spec.ports[0].targetPort": "toolongportname1" },
    ["Invalid spec.ports[0].targetPort"],
  ],
  ["headless ignores targetPort", { ...headless, "spec.ports[0].targetPort": 9 }],
  ["appProtocol", { "spec.ports[0].appProtocol": "a b" }, ["Invalid spec.ports[0].appProtocol"]],
  [
    "node port on ClusterIP",
    { "spec.ports[0].nodePort": 30000 },
    ["Forbidden spec.ports[0].nodePort"],
  ],
  ["session affinity", { "spec.sessionAffinity": "x" }, ["NotSupported spec.sessionAffinity"]],
  [
    "affinity config without affinity is dropped",
    { "spec.sessionAffinityConfig": { clientIP: { timeoutSeconds: 1 } } },
  ],
  [
    "affinity timeout",
    {
      "spec.sessionAffinity": "ClientIP",
      "spec.sessionAffinityConfig": { clientIP: { timeoutSeconds: 86401 } },
    },
    ["Invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds"],
  ],
  ["external IP loopback", { "spec.externalIPs": ["127.0.0.1"] }, ["Invalid spec.externalIPs[0]"]],
  ["external IP is no IP", { "spec.externalIPs": ["x"] }, ["Invalid spec.externalIPs[0]"]],
  [
    "source ranges on ClusterIP",
    { "spec.loadBalancerSourceRanges": ["10.0.0.0/8"] },
    ["Forbidden spec.LoadBalancerSourceRanges"],
  ],
  [
    "internalTrafficPolicy",
    { "spec.internalTrafficPolicy": "x" },
    ["NotSupported spec.internalTrafficPolicy"],
  ],
  [
    "trafficDistribution",
    { "spec.trafficDistribution": "x" },
    ["NotSupported spec.trafficDistribution"],
  ],
  [
    "three families",
    { "spec.ipFamilies": ["IPv4", "IPv6", "IPv4"] },
    ["Duplicate spec.ipFamilies[2]"],
  ],
  ["primary differs", { "spec.clusterIP": "10.0.0.8" }, ["Invalid spec.clusterIPs"]],
  [
    "families and addresses differ",
    { "spec.ipFamilies": ["IPv6"] },
    ["Invalid spec.clusterIPs[0]"],
  ],
  [
    "ExternalName",
    {
      "spec.type": "ExternalName",
      "spec.externalName": "a.b",
      "spec.clusterIP": undefined,
      "spec.clusterIPs": undefined,
      "spec.ipFamilies": undefined,
      "spec.ipFamilyPolicy": undefined,
    },
  ],
  [
    "ExternalName keeps an address",
    {
      "spec.type": "ExternalName",
      "spec.externalName": "a.b",
      "spec.ipFamilies": undefined,
      "spec.ipFamilyPolicy": undefined,
    },
    ["Forbidden spec.clusterIPs"],
  ],
  [
    "ExternalName without a name",
    {
      "spec.type": "ExternalName",
      "spec.clusterIP": undefined,
      "spec.clusterIPs": undefined,
      "spec.ipFamilies": undefined,
      "spec.ipFamilyPolicy": undefined,
    },
    ["Required spec.externalName"],
  ],
  [
    "two ports of one number and protocol",
    {
      "spec.ports": [
        { name: "a", port: 80 },
        { name: "b", port: 80 },
      ],
    },
    ["Duplicate spec.ports[1]"],
  ],
  [
    "one number, two protocols",
    {
      "spec.ports": [
        { name: "a", port: 53 },
        { name: "b", port: 53, protocol: "UDP" },
      ],
    },
  ],
]);

testCreate(services, balancer, [
  ["load balancer", {}],
  [
    "source ranges",
    { "spec.loadBalancerSourceRanges": ["1.2.3.4/33"] },
    ["Invalid spec.LoadBalancerSourceRanges[0]"],
  ],
  ["class", { "spec.loadBalancerClass": "Bad Class" }, ["Invalid spec.loadBalancerClass"]],
  [
    "external policy",
    { "spec.externalTrafficPolicy": "x" },
    ["NotSupported spec.externalTrafficPolicy"],
  ],
  [
    "health port without Local",
    { "spec.healthCheckNodePort": 30001 },
    ["Invalid spec.healthCheckNodePort"],
  ],
  [
    "health port with Local",
    { "spec.externalTrafficPolicy": "Local", "spec.healthCheckNodePort": 30001 },
  ],
  ["headless", headless, ["Invalid spec.clusterIPs[0]"]],
  [
    "twice one node port",
    {
      "spec.ports": [
        { name: "a", port: 1, nodePort: 30001 },
        { name: "b", port: 2, nodePort: 30001 },
      ],
    },
    ["Duplicate spec.ports[1].nodePort"],
  ],
]);

testUpdate(services, base, [
  ["nothing", {}],
  ["labels", { "metadata.labels": { a: "b" } }],
  [
    "address",
    { "spec.clusterIP": "10.0.0.9", "spec.clusterIPs": ["10.0.0.9"] },
    ["Invalid spec.clusterIPs[0]"],
  ],
  [
    "family",
    { "spec.ipFamilies": ["IPv6"], "spec.clusterIP": "fd00::1", "spec.clusterIPs": ["fd00::1"] },
    ["Invalid spec.clusterIPs[0]", "Invalid spec.ipFamilies[0]"],
  ],
]);

testUpdate(services, balancer, [
  ["class is set once", { "spec.loadBalancerClass": "a/b" }, ["Invalid spec.loadBalancerClass"]],
]);

testUpdate(
  services,
  balancer,
  [
    ["ingress", { "status.loadBalancer": { ingress: [{ ip: "1.2.3.4" }] } }],
    [
      "ingress is no IP",
      { "status.loadBalancer": { ingress: [{ ip: "x" }] } },
      ["Invalid status.loadBalancer.ingress[0].ip"],
    ],
    [
      "hostname is an IP",
      { "status.loadBalancer": { ingress: [{ hostname: "1.2.3.4" }] } },
      ["Invalid status.loadBalancer.ingress[0].hostname"],
    ],
  ],
  { subresource: "status" },
);

test("defaults of a service", () => {
  const { spec } = decoded(services, {
    apiVersion: "v1",
    kind: "Service",
    spec: { type: "LoadBalancer", sessionAffinity: "ClientIP", ports: [{ port: 80 }] },
  }) as unknown as { spec: object };
  assert.deepEqual(spec, {
    type: "LoadBalancer",
    sessionAffinity: "ClientIP",
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } },
    allocateLoadBalancerNodePorts: true,
    externalTrafficPolicy: "Cluster",
    internalTrafficPolicy: "Cluster",
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
  });
});

test("a message of a service", () => {
  const [error] = createErrors(services, changed(base, { "spec.ports[0].port": 0 }));
  assert.equal(error?.detail, "must be between 1 and 65535, inclusive");
});

test("a service by name has no internal traffic policy", () => {
  const spec = { type: "ExternalName", externalName: "a.b", internalTrafficPolicy: "Local" };
  const object = decoded(services, { ...base, spec });
  services.strategy.canonicalize?.(object);
  const { spec: left } = object as { spec?: object };
  assert.equal(Object.hasOwn(left ?? {}, "internalTrafficPolicy"), false);
});
