import assert from "node:assert/strict";
import { test } from "node:test";
import { decoded, registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const group = "networking.k8s.io";
const meta = { name: "x", namespace: "n", resourceVersion: "1" };
const made = (kind: string, rest: object, apiVersion = `${group}/v1`) => ({
  apiVersion,
  kind,
  metadata: meta,
  ...rest,
});

const ingresses = registrationOf(group, "ingresses");
const service = { service: { name: "s", port: { number: 80 } } };
const ingress = made("Ingress", {
  spec: {
    rules: [
      {
        host: "foo.bar.com",
        http: { paths: [{ path: "/foo", pathType: "Prefix", backend: service }] },
      },
    ],
  },
});
const onPath = (path: object) => ({
  "spec.rules[0].http.paths[0]": { path: "/foo", pathType: "Prefix", backend: service, ...path },
});
const firstPath = "spec.rules[0].http.paths[0]";
testCreate(ingresses, ingress, [
  ["as it stands", {}],
  ["default backend alone", { "spec.rules": undefined, "spec.defaultBackend": service }],
  ["neither", { spec: {} }, ["Invalid spec"]],
  ["host is an IP", { "spec.rules[0].host": "127.0.0.1" }, ["Invalid spec.rules[0].host"]],
  ["host with a port", { "spec.rules[0].host": "foo.bar:80" }, ["Invalid spec.rules[0].host"]],
  ["wildcard host", { "spec.rules[0].host": "*.foo.com" }],
  ["wildcard inside", { "spec.rules[0].host": "foo.*.com" }, ["Invalid spec.rules[0].host"]],
  ["no paths", { "spec.rules[0].http.paths": [] }, ["Required spec.rules[0].http.paths"]],
  ["path type left out", onPath({ pathType: undefined }), [`Required ${firstPath}.pathType`]],
  ["path type unknown", onPath({ pathType: "x" }), [`NotSupported ${firstPath}.pathType`]],
  ["relative path", onPath({ path: "foo" }), [`Invalid ${firstPath}.path`]],
  ["double slash", onPath({ path: "/foo//bar" }), [`Invalid ${firstPath}.path`]],
  ["dots", onPath({ path: "/foo/../bar" }), [`Invalid ${firstPath}.path`]],
  ["encoded slash", onPath({ path: "/foo%2fbar" }), [`Invalid ${firstPath}.path`]],
  [
    "any path for its implementation",
    onPath({ path: "/foo//bar", pathType: "ImplementationSpecific" }),
  ],
  [
    "no service name",
    onPath({ backend: { service: { name: "", port: { number: 80 } } } }),
    [`Required ${firstPath}.backend.service.name`],
  ],
  [
    "no service port",
    onPath({ backend: { service: { name: "s" } } }),
    [`Required ${firstPath}.backend`],
  ],
  [
    "port by name and number",
    onPath({ backend: { service: { name: "s", port: { name: "a", number: 1 } } } }),
    [`Invalid ${firstPath}.backend`],
  ],
  [
    "port name",
    onPath({ backend: { service: { name: "s", port: { name: "-" } } } }),
    [
      `Invalid ${firstPath}.backend.service.port.name`,
      `Invalid ${firstPath}.backend.service.port.name`,
    ],
  ],
  [
    "service and resource",
    onPath({ backend: { ...service, resource: { kind: "a", name: "b" } } }),
    [`Invalid ${firstPath}.backend`],
  ],
  ["resource", onPath({ backend: { resource: { apiGroup: "e.com", kind: "a", name: "b" } } })],
  ["class", { "spec.ingressClassName": "a_b" }, ["Invalid spec.ingressClassName"]],
  [
    "class twice",
    {
      "spec.ingressClassName": "a",
      "metadata.annotations": { "kubernetes.io/ingress.class": "b" },
    },
    ["Invalid annotations.kubernetes.io/ingress.class"],
  ],
  ["tls host", { "spec.tls": [{ hosts: ["a_b"] }] }, ["Invalid spec.tls[0].hosts[0]"]],
  ["tls secret", { "spec.tls": [{ secretName: "A B" }] }, ["Invalid spec.tls[0].secretName"]],
]);
testUpdate(
  ingresses,
  ingress,
  [
    ["address", { "status.loadBalancer": { ingress: [{ ip: "1.2.3.4", hostname: "a.b" }] } }],
    [
      "address is no IP",
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

const classes = registrationOf(group, "ingressclasses");
const ingressClass = {
  ...made("IngressClass", { spec: { controller: "foo.co/bar" } }),
  metadata: { name: "x", resourceVersion: "1" },
};
testCreate(classes, ingressClass, [
  ["as it stands", {}],
  ["no controller", { "spec.controller": "" }, ["Required spec.controller"]],
  ["controller without a domain", { "spec.controller": "foo/" }, ["Invalid spec.controller"]],
  ["parameters", { "spec.parameters": { kind: "a", name: "b", scope: "Cluster" } }],
  [
    "parameters of a namespace",
    { "spec.parameters": { kind: "a", name: "b", scope: "Namespace" } },
    ["Required spec.parameters.namespace"],
  ],
  [
    "parameters of the cluster in one",
    { "spec.parameters": { kind: "a", name: "b", scope: "Cluster", namespace: "n" } },
    ["Forbidden spec.parameters.namespace"],
  ],
  [
    "scope",
    { "spec.parameters": { kind: "a", name: "b", scope: "x" } },
    ["NotSupported spec.parameters.scope"],
  ],
]);
testUpdate(classes, ingressClass, [
  ["controller", { "spec.controller": "foo.co/other" }, ["Invalid spec.controller"]],
]);

const policies = registrationOf(group, "networkpolicies");
const policy = made("NetworkPolicy", { spec: { podSelector: { matchLabels: { a: "b" } } } });
const from = (peer: object) => ({ "spec.ingress": [{ from: [peer] }] });
const port = (value: object) => ({ "spec.ingress": [{ ports: [value] }] });
testCreate(policies, policy, [
  ["as it stands", {}],
  [
    "selector",
    { "spec.podSelector.matchLabels": { "a b": "c" } },
    ["Invalid spec.podSelector.matchLabels"],
  ],
  ["empty peer", from({}), ["Required spec.ingress[0].from[0]"]],
  [
    "block and selector",
    from({ ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }),
    ["Forbidden spec.ingress[0].from[0]"],
  ],
  ["no CIDR", from({ ipBlock: {} }), ["Required spec.ingress[0].from[0].ipBlock.cidr"]],
  [
    "CIDR",
    from({ ipBlock: { cidr: "10.0.0.0" } }),
    ["Invalid spec.ingress[0].from[0].ipBlock.cidr"],
  ],
  [
    "except outside",
    from({ ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/16"] } }),
    ["Invalid spec.ingress[0].from[0].ipBlock.except[0]"],
  ],
  [
    "except as wide",
    from({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.0.0.0/8"] } }),
    ["Invalid spec.ingress[0].from[0].ipBlock.except[0]"],
  ],
  [
    "protocol",
    port({ protocol: "x", port: 80 }),
    ["NotSupported spec.ingress[0].ports[0].protocol"],
  ],
  ["port", port({ port: 123456 }), ["Invalid spec.ingress[0].ports[0].port"]],
  [
    "port name",
    port({ port: "!" }),
    ["Invalid spec.ingress[0].ports[0].port", "Invalid spec.ingress[0].ports[0].port"],
  ],
  ["range", port({ port: 80, endPort: 90 })],
  [
    "range turned round",
    port({ port: 80, endPort: 70 }),
    ["Invalid spec.ingress[0].ports[0].endPort"],
  ],
  ["range without a start", port({ endPort: 90 }), ["Invalid spec.ingress[0].ports[0].endPort"]],
  [
    "range from a name",
    port({ port: "dns", endPort: 90 }),
    ["Invalid spec.ingress[0].ports[0].endPort"],
  ],
  ["three types", { "spec.policyTypes": ["a", "b", "c"] }, ["Invalid spec.policyTypes"]],
  ["type", { "spec.policyTypes": ["a"] }, ["NotSupported spec.policyTypes[0]"]],
]);
test("defaults of a network policy", () => {
  const types = (spec: object) =>
    (
      decoded(policies, made("NetworkPolicy", { spec })) as unknown as {
        spec: { policyTypes: string[] };
      }
    ).spec.policyTypes;
  assert.deepEqual(types({ podSelector: {} }), ["Ingress"]);
  assert.deepEqual(types({ podSelector: {}, egress: [{}] }), ["Ingress", "Egress"]);
});

const cidrs = registrationOf(group, "servicecidrs");
testCreate(cidrs, made("ServiceCIDR", { spec: { cidrs: ["10.0.0.0/24"] } }), [
  ["one", {}],
  ["two families", { "spec.cidrs": ["10.0.0.0/24", "fd00::/64"] }],
  ["none", { "spec.cidrs": [] }, ["Required spec.cidrs"]],
  ["two of one family", { "spec.cidrs": ["10.0.0.0/24", "10.0.1.0/24"] }, ["Invalid spec.cidrs"]],
  ["three", { "spec.cidrs": ["10.0.0.0/24", "fd00::/64", "10.0.1.0/24"] }, ["Invalid spec.cidrs"]],
  ["host bits", { "spec.cidrs": ["10.0.0.1/24"] }, ["Invalid spec.cidrs[0]"]],
]);
testUpdate(cidrs, made("ServiceCIDR", { spec: { cidrs: ["10.0.0.0/24"] } }), [
  ["second family", { "spec.cidrs": ["10.0.0.0/24", "fd00::/64"] }],
  ["other range", { "spec.cidrs": ["10.0.1.0/24"] }, ["Invalid spec.cidrs[0]"]],
]);

const addresses = registrationOf(group, "ipaddresses");
const parentRef = { group: "", resource: "services", namespace: "n", name: "s" };
testCreate(
  addresses,
  { ...made("IPAddress", { spec: { parentRef } }), metadata: { name: "10.0.0.1" } },
  [
    ["as it stands", {}],
    ["no parent", { "spec.parentRef": undefined }, ["Required spec.parentRef"]],
    ["parent without a name", { "spec.parentRef.name": "" }, ["Required spec.parentRef.name"]],
    [
      "parent without a resource",
      { "spec.parentRef.resource": "" },
      ["Required spec.parentRef.resource"],
    ],
  ],
);

const slices = registrationOf("discovery.k8s.io", "endpointslices");
const slice = made(
  "EndpointSlice",
  {
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.1.2.3"] }],
    ports: [{ name: "p", port: 80, protocol: "TCP" }],
  },
  "discovery.k8s.io/v1",
);
testCreate(slices, slice, [
  ["as it stands", {}],
  ["no type", { addressType: "" }, ["Required addressType"]],
  ["type", { addressType: "x" }, ["NotSupported addressType"]],
  ["no addresses", { "endpoints[0].addresses": [] }, ["Required endpoints[0].addresses"]],
  ["IPv6 in IPv4", { "endpoints[0].addresses": ["fd00::1"] }, ["Invalid endpoints[0].addresses"]],
  ["loopback", { "endpoints[0].addresses": ["127.0.0.1"] }, ["Invalid endpoints[0].addresses[0]"]],
  ["FQDN", { addressType: "FQDN", "endpoints[0].addresses": ["a.example.com"] }],
  ["hostname", { "endpoints[0].hostname": "a.b" }, ["Invalid endpoints[0].hostname"]],
  ["one port name twice", { "ports[1]": { name: "p", port: 81 } }, ["Duplicate ports[1].name"]],
  ["port name", { "ports[0].name": "_" }, ["Invalid ports[0].name"]],
  ["protocol", { "ports[0].protocol": "x" }, ["NotSupported ports[0].protocol"]],
  [
    "too many addresses",
    { "endpoints[0].addresses": Array.from({ length: 101 }, (_, i) => `10.1.2.${i}`) },
    ["TooMany endpoints[0].addresses"],
  ],
  [
    "too many endpoints",
    { endpoints: Array.from({ length: 1001 }, () => ({ addresses: ["10.1.2.3"] })) },
    ["TooMany endpoints"],
  ],
  [
    "zone hint twice",
    { "endpoints[0].hints": { forZones: [{ name: "a" }, { name: "a" }] } },
    ["Duplicate endpoints[0].hints.forZones[1].name"],
  ],
  ["topology", { "endpoints[0].deprecatedTopology": { "kubernetes.io/hostname": "a" } }],
]);
testUpdate(slices, slice, [
  [
    "address type",
    { addressType: "IPv6", "endpoints[0].addresses": ["fd00::1"] },
    ["Invalid addressType"],
  ],
]);
