import assert from "node:assert/strict";
import { test } from "node:test";
import { setResourceClaimDefaults } from "../../../src/apis/resource/v1/defaults.ts";
import type { ResourceClaimSpec } from "../../../src/apis/resource/v1/types.ts";
import {
  claimFromV1,
  claimToV1,
  sliceFromV1,
  sliceToV1,
} from "../../../src/apis/resource/v1beta1/conversion.ts";
import { changed, decoded, registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const GROUP = "resource.k8s.io";
const claims = registrationOf(GROUP, "resourceclaims");
const claim = {
  apiVersion: `${GROUP}/v1`,
  kind: "ResourceClaim",
  metadata: { name: "c", namespace: "ns" },
  spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu" } }] } },
};
const REQUEST = "spec.devices.requests[0]";
const selector = (expression: string) => ({
  "spec.devices.requests[0].exactly.selectors": [{ cel: { expression } }],
});
testCreate(claims, claim, [
  ["a request", {}],
  ["neither form", { "spec.devices.requests[0].exactly": undefined }, [`Required ${REQUEST}`]],
  [
    "both forms",
    {
      "spec.devices.requests[0].firstAvailable": [{ name: "a", deviceClassName: "gpu" }],
    },
    [`Invalid ${REQUEST}`],
  ],
  [
    "no class",
    { "spec.devices.requests[0].exactly": { count: 1 } },
    [`Required ${REQUEST}.exactly.deviceClassName`],
  ],
  [
    "all and a count",
    {
      "spec.devices.requests[0].exactly": { deviceClassName: "a", allocationMode: "All", count: 2 },
    },
    [`Invalid ${REQUEST}.exactly.count`],
  ],
  ["a selector", selector("device.driver == 'a.b' && device.attributes['a.b'].x > 1")],
  [
    "a selector that does not compile",
    selector("device.nope"),
    [`Invalid ${REQUEST}.exactly.selectors[0].cel.expression`],
  ],
  [
    "a selector that is no bool",
    selector("device.driver"),
    [`Invalid ${REQUEST}.exactly.selectors[0].cel.expression`],
  ],
  ["a constraint", { "spec.devices.constraints": [{ requests: ["r"], matchAttribute: "a.b/x" }] }],
  [
    "a constraint of another request",
    {
      "spec.devices.constraints": [{ requests: ["z"], matchAttribute: "x" }],
    },
    [
      "Invalid spec.devices.constraints[0].requests[0]",
      "Invalid spec.devices.constraints[0].matchAttribute",
    ],
  ],
  [
    "parameters that are no object",
    {
      "spec.devices.config": [{ opaque: { driver: "a.b" } }],
    },
    ["Required spec.devices.config[0].opaque.parameters"],
  ],
  [
    "too many requests",
    {
      "spec.devices.requests": Array.from({ length: 33 }, (_, i) => ({
        name: `r${i}`,
        exactly: { deviceClassName: "a" },
      })),
    },
    ["TooMany spec.devices.requests"],
  ],
]);
testUpdate(claims, claim, [
  ["the spec", { "spec.devices.requests[0].name": "z" }, ["Invalid spec"]],
]);

const result = { request: "r", driver: "a.b", pool: "p", device: "d" };
testUpdate(
  claims,
  claim,
  [
    ["an allocation", { "status.allocation.devices.results": [result] }],
    [
      "an allocation of another request",
      {
        "status.allocation.devices.results": [{ ...result, request: "z" }],
      },
      ["Invalid status.allocation.devices.results[0].request"],
    ],
    [
      "a reservation without allocation",
      {
        "status.reservedFor": [{ resource: "pods", name: "p", uid: "u" }],
      },
      ["Forbidden status.reservedFor"],
    ],
    [
      "a device that is not allocated",
      {
        "status.devices": [{ driver: "a.b", pool: "p", device: "d" }],
      },
      ["Invalid status.devices[0]"],
    ],
    [
      "binding conditions alone",
      {
        "status.allocation.devices.results": [{ ...result, bindingConditions: ["a"] }],
      },
      ["Invalid status.allocation.devices.results[0].bindingFailureConditions"],
    ],
  ],
  { subresource: "status" },
);

const slices = registrationOf(GROUP, "resourceslices");
const slice = {
  apiVersion: `${GROUP}/v1`,
  kind: "ResourceSlice",
  metadata: { name: "s" },
  spec: {
    driver: "a.b",
    nodeName: "n",
    pool: { name: "p", resourceSliceCount: 1 },
    devices: [{ name: "d", attributes: { x: { int: 1 } }, capacity: { m: { value: "1Gi" } } }],
  },
};
const policy = (requestPolicy: object) => ({
  "spec.devices[0].allowMultipleAllocations": true,
  "spec.devices[0].capacity.m": { value: "10", requestPolicy },
});
testCreate(slices, slice, [
  ["a device", {}],
  ["no nodes", { "spec.nodeName": undefined }, ["Required spec"]],
  ["two kinds of nodes", { "spec.allNodes": true }, ["Invalid spec"]],
  ["no slices", { "spec.pool.resourceSliceCount": 0 }, ["Invalid spec.pool.resourceSliceCount"]],
  ["a device twice", { "spec.devices[1]": { name: "d" } }, ["Duplicate spec.devices[1]"]],
  [
    "an attribute of nothing",
    { "spec.devices[0].attributes": { x: {} } },
    ["Invalid spec.devices[0].attributes[x]"],
  ],
  [
    "an attribute's name",
    { "spec.devices[0].attributes": { "1x": { int: 1 } } },
    ["Invalid spec.devices[0].attributes[1x]"],
  ],
  [
    "a version",
    { "spec.devices[0].attributes": { x: { version: "1" } } },
    ["Invalid spec.devices[0].attributes[x].version"],
  ],
  [
    "a taint",
    { "spec.devices[0].taints": [{ key: "k", effect: "x" }] },
    ["NotSupported spec.devices[0].taints[0].effect"],
  ],
  ["a node of a device", { "spec.devices[0].nodeName": "n" }, ["Invalid spec.devices[0]"]],
  [
    "a policy of an unshared device",
    {
      "spec.devices[0].capacity.m": { value: "10", requestPolicy: { default: "1" } },
    },
    ["Forbidden spec.devices[0].capacity[m].requestPolicy"],
  ],
  ["a range", policy({ default: "4", validRange: { min: "2", max: "8", step: "2" } })],
  [
    "a default out of step",
    policy({ default: "3", validRange: { min: "2", step: "2" } }),
    ["Invalid spec.devices[0].capacity[m].requestPolicy.validRange.step"],
  ],
  [
    "values out of order",
    policy({ default: "1", validValues: ["2", "1"] }),
    ["Invalid spec.devices[0].capacity[m].requestPolicy.validValues[1]"],
  ],
]);
testUpdate(slices, slice, [
  ["the driver", { "spec.driver": "c.d" }, ["Invalid spec.driver"]],
  ["the devices", { "spec.devices": [] }],
]);

const classes = registrationOf(GROUP, "deviceclasses");
testCreate(
  classes,
  { apiVersion: `${GROUP}/v1`, kind: "DeviceClass", metadata: { name: "gpu" }, spec: {} },
  [
    ["nothing", {}],
    ["a resource's name", { "spec.extendedResourceName": "a.b/gpu" }],
    [
      "a native resource",
      { "spec.extendedResourceName": "cpu" },
      ["Invalid spec.extendedResourceName"],
    ],
  ],
);

test("v1 through v1beta1 and back is what it was", () => {
  const tolerations = [{ key: "a", operator: "Exists" }];
  const both = changed(claim, {
    "spec.devices.requests[0].exactly.tolerations": tolerations,
    "spec.devices.requests[1]": {
      name: "s",
      firstAvailable: [{ name: "a", deviceClassName: "x" }],
    },
  });
  const object = decoded(claims, both);
  assert.deepEqual(claimToV1(claimFromV1(object)), object);
  const stored = decoded(slices, slice);
  assert.deepEqual(sliceToV1(sliceFromV1(stored)), stored);
});

test("tolerations compare values unless they say otherwise", () => {
  const tolerations = [{ key: "a" }, { key: "b", operator: "Exists" }];
  const both = changed(claim, { "spec.devices.requests[0].exactly.tolerations": tolerations });
  const object = decoded(claims, both) as { spec?: ResourceClaimSpec };
  setResourceClaimDefaults(object);
  const [first, second] = object.spec?.devices?.requests?.[0]?.exactly?.tolerations ?? [];
  assert.equal(first?.operator, "Equal");
  assert.equal(second?.operator, "Exists");
});
