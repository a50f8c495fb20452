import { registrationOf, testCreate, testUpdate } from "./verdicts.ts";

const versions = registrationOf("internal.apiserver.k8s.io", "storageversions");
const version = {
  apiVersion: "internal.apiserver.k8s.io/v1alpha1",
  kind: "StorageVersion",
  metadata: { name: "apps.deployments" },
  spec: {},
  status: {
    storageVersions: [
      { apiServerID: "a", encodingVersion: "apps/v1", decodableVersions: ["apps/v1", "v1"] },
    ],
    commonEncodingVersion: "apps/v1",
  },
};
const SERVER = "status.storageVersions[0]";
const condition = { type: "t", status: "True", reason: "r", message: "m" };
testUpdate(
  versions,
  version,
  [
    ["nothing", {}],
    [
      "a version of nothing",
      { "status.storageVersions.0.decodableVersions": ["apps/v1", "/v3", "a/b/c"] },
      [`Invalid ${SERVER}.decodableVersions[1]`, `Invalid ${SERVER}.decodableVersions[2]`],
    ],
    [
      "served and not decodable",
      { "status.storageVersions.0.servedVersions": ["v2"] },
      [`Invalid ${SERVER}.servedVersions[0]`],
    ],
    [
      "a server twice",
      {
        "status.storageVersions": [
          ...version.status.storageVersions,
          ...version.status.storageVersions,
        ],
      },
      ["Duplicate status.storageVersions[1].apiServerID"],
    ],
    [
      "no common version told",
      { "status.commonEncodingVersion": undefined },
      ["Invalid status.commonEncodingVersion"],
    ],
    [
      "conditions",
      {
        "status.conditions": [
          { ...condition, lastTransitionTime: "2026-01-01T00:00:00Z" },
          { ...condition, reason: "", lastTransitionTime: "2026-01-01T00:00:00Z" },
        ],
      },
      ["Invalid status[1].type", "Required status[1].reason"],
    ],
  ],
  { subresource: "status" },
);

const migrations = registrationOf("storagemigration.k8s.io", "storageversionmigrations");
const ended = (type: string, status = "True") => ({
  type,
  status,
  reason: "R",
  message: "",
  lastTransitionTime: "2026-01-01T00:00:00Z",
});
const migration = {
  apiVersion: "storagemigration.k8s.io/v1beta1",
  kind: "StorageVersionMigration",
  metadata: { name: "m" },
  spec: { resource: { group: "apps", resource: "deployments" } },
};
testCreate(migrations, migration, [
  ["a resource", {}],
  ["none", { "spec.resource.resource": "" }, ["Required spec.resource.resource"]],
  ["a bad group", { "spec.resource.group": "A_" }, ["Invalid spec.resource.group"]],
]);
testUpdate(migrations, migration, [
  ["another resource", { "spec.resource.resource": "pods" }, ["Invalid spec"]],
]);
testUpdate(
  migrations,
  migration,
  [
    ["running", { status: { resourceVersion: "12", conditions: [ended("Running")] } }],
    [
      "without a revision",
      { status: { conditions: [ended("Running")] } },
      ["Invalid status.resourceVersion"],
    ],
    [
      "running and ended",
      { status: { resourceVersion: "1", conditions: [ended("Running"), ended("Succeeded")] } },
      ["Invalid status.conditions"],
    ],
  ],
  { subresource: "status" },
);
testUpdate(
  migrations,
  { ...migration, status: { resourceVersion: "1", conditions: [ended("Failed")] } },
  [
    ["another revision", { "status.resourceVersion": "2" }, ["Invalid status.resourceVersion"]],
    ["no longer failed", { "status.conditions": [] }, ["Invalid status.conditions"]],
  ],
  { subresource: "status" },
);

const requests = registrationOf("resource.k8s.io", "resourcepoolstatusrequests");
const request = {
  apiVersion: "resource.k8s.io/v1alpha3",
  kind: "ResourcePoolStatusRequest",
  metadata: { name: "r" },
  spec: { driver: "d.example.com" },
};
testCreate(requests, request, [
  ["a driver", {}],
  ["no driver", { "spec.driver": "" }, ["Required spec.driver"]],
  ["a high limit", { "spec.limit": 1001 }, ["Invalid spec.limit"]],
]);
testUpdate(
  requests,
  request,
  [
    ["pools", { status: { poolCount: 1, pools: [{ driver: "d", poolName: "p", generation: 1 }] } }],
    [
      "no driver",
      { status: { poolCount: 1, pools: [{ poolName: "p" }] } },
      ["Required status.pools[0].driver"],
    ],
  ],
  { subresource: "status" },
);
testUpdate(
  requests,
  { ...request, status: { poolCount: 1 } },
  [["again", { "status.poolCount": 2 }, ["Invalid status"]]],
  { subresource: "status" },
);
