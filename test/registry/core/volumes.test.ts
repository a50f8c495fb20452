import assert from "node:assert/strict";
import { test } from "node:test";
import { decoded, registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const volumes = registrationOf("", "persistentvolumes");
const claims = registrationOf("", "persistentvolumeclaims");

const volume = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: "v", resourceVersion: "1" },
  spec: {
    capacity: { storage: "10G" },
    accessModes: ["ReadWriteOnce"],
    hostPath: { path: "/foo", type: "Directory" },
  },
};
const without = { "spec.hostPath": undefined };
const local = {
  ...without,
  "spec.local": { path: "/foo" },
  "spec.storageClassName": "local",
  "spec.nodeAffinity": {
    required: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "k", operator: "In", values: ["v"] }] }],
    },
  },
};

testCreate(volumes, volume, [
  ["as it stands", {}],
  [
    "no capacity",
    { "spec.capacity": undefined },
    ["Required spec.capacity", "NotSupported spec.capacity"],
  ],
  ["capacity of something else", { "spec.capacity": { cpu: "1" } }, ["NotSupported spec.capacity"]],
  [
    "capacity of two",
    { "spec.capacity": { storage: "1", cpu: "1" } },
    ["NotSupported spec.capacity"],
  ],
  ["capacity zero", { "spec.capacity": { storage: "0" } }, ["Invalid spec.capacity[storage]"]],
  ["no access mode", { "spec.accessModes": [] }, ["Required spec.accessModes"]],
  ["unknown access mode", { "spec.accessModes": ["x"] }, ["NotSupported spec.accessModes"]],
  [
    "RWOP with another",
    { "spec.accessModes": ["ReadWriteOncePod", "ReadWriteMany"] },
    ["Forbidden spec.accessModes"],
  ],
  ["no source", without, ["Required spec"]],
  ["two sources", { "spec.nfs": { server: "s", path: "/p" } }, ["Forbidden spec.nfs"]],
  [
    "reclaim policy",
    { "spec.persistentVolumeReclaimPolicy": "x" },
    ["NotSupported spec.persistentVolumeReclaimPolicy"],
  ],
  [
    "recycling the host's root",
    { "spec.hostPath.path": "/", "spec.persistentVolumeReclaimPolicy": "Recycle" },
    ["Forbidden spec.persistentVolumeReclaimPolicy"],
  ],
  ["hostPath with dots", { "spec.hostPath.path": "/a/../b" }, ["Invalid spec.hostPath.path"]],
  ["class name", { "spec.storageClassName": "-x-" }, ["Invalid spec.storageClassName"]],
  ["volume mode", { "spec.volumeMode": "x" }, ["NotSupported spec.volumeMode"]],
  ["local", local],
  ["local with dots", { ...local, "spec.local": { path: "/a/.." } }, ["Invalid spec.local.path"]],
  [
    "local without a node",
    { ...local, "spec.nodeAffinity": undefined },
    ["Required spec.nodeAffinity"],
  ],
  [
    "affinity without terms",
    { "spec.nodeAffinity": { required: { nodeSelectorTerms: [] } } },
    ["Required spec.nodeAffinity.required.nodeSelectorTerms"],
  ],
  [
    "affinity without required",
    { "spec.nodeAffinity": {} },
    ["Required spec.nodeAffinity.required"],
  ],
  [
    "nfs",
    { ...without, "spec.nfs": { server: "", path: "p" } },
    ["Required spec.nfs.server", "Invalid spec.nfs.path"],
  ],
  [
    "iscsi",
    { ...without, "spec.iscsi": { targetPortal: "1.2.3.4", iqn: "bad", lun: 256 } },
    ["Invalid spec.iscsi.iqn", "Invalid spec.iscsi.lun"],
  ],
  [
    "csi",
    { ...without, "spec.csi": { driver: "", volumeHandle: "" } },
    ["Required spec.csi.driver", "Invalid spec.csi.driver", "Required spec.csi.volumeHandle"],
  ],
  [
    "csi driver name",
    { ...without, "spec.csi": { driver: "a_b", volumeHandle: "h" } },
    ["Invalid spec.csi.driver"],
  ],
  [
    "csi secret without namespace",
    {
      ...without,
      "spec.csi": { driver: "d", volumeHandle: "h", controllerPublishSecretRef: { name: "a" } },
    },
    ["Required spec.csi.controllerPublishSecretRef.namespace"],
  ],
  [
    "flexVolume driver",
    { ...without, "spec.flexVolume": { driver: "" } },
    ["Required spec.flexVolume.driver"],
  ],
]);

testUpdate(volumes, volume, [
  ["nothing", {}],
  ["capacity", { "spec.capacity.storage": "20G" }],
  ["source", { "spec.hostPath.path": "/bar" }, ["Forbidden spec.persistentvolumesource"]],
  ["volume mode", { "spec.volumeMode": "Block" }, ["Invalid volumeMode"]],
]);

const claim = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "c", namespace: "n", resourceVersion: "1" },
  spec: {
    accessModes: ["ReadWriteOnce"],
    resources: { requests: { storage: "10G" } },
    storageClassName: "x",
  },
};

testCreate(claims, claim, [
  ["as it stands", {}],
  ["no access mode", { "spec.accessModes": undefined }, ["Required spec.accessModes"]],
  ["no storage", { "spec.resources": {} }, ["Required spec.resources[storage]"]],
  ["storage zero", { "spec.resources.requests.storage": "0" }, ["Invalid spec.resources[storage]"]],
  [
    "storage negative",
    { "spec.resources.requests.storage": "-1" },
    ["Invalid spec.resources[storage]"],
  ],
  [
    "selector",
    { "spec.selector": { matchExpressions: [{ key: "a", operator: "x" }] } },
    ["Invalid spec.selector.matchExpressions[0].operator"],
  ],
  ["volume mode", { "spec.volumeMode": "x" }, ["NotSupported spec.volumeMode"]],
  ["class name", { "spec.storageClassName": "_" }, ["Invalid spec.storageClassName"]],
  [
    "attributes class",
    { "spec.volumeAttributesClassName": "_" },
    ["Invalid spec.volumeAttributesClassName"],
  ],
  ["data source", { "spec.dataSource": { kind: "", name: "" } }],
  ["core data source of another kind", { "spec.dataSource": { kind: "Pod", name: "x" } }, []],
  [
    "core data source reference of another kind",
    { "spec.dataSourceRef": { kind: "Pod", name: "x" } },
    ["Invalid spec.dataSource", "Invalid spec.dataSourceRef"],
  ],
  [
    "data sources differ",
    {
      "spec.dataSource": { kind: "PersistentVolumeClaim", name: "x" },
      "spec.dataSourceRef": { kind: "PersistentVolumeClaim", name: "y" },
    },
    ["Invalid spec"],
  ],
]);

testUpdate(claims, claim, [
  ["nothing", {}],
  ["access mode", { "spec.accessModes": ["ReadWriteMany"] }, ["Forbidden spec"]],
  ["grows before it is bound", { "spec.resources.requests.storage": "20G" }, ["Forbidden spec"]],
  ["shrinks", { "spec.resources.requests.storage": "5G" }, ["Forbidden spec"]],
  ["class", { "spec.storageClassName": "y" }, ["Forbidden spec"]],
  [
    "no access mode, told once",
    { "spec.accessModes": [] },
    ["Required spec.accessModes", "Forbidden spec"],
  ],
]);
testUpdate(
  claims,
  {
    ...claim,
    status: { phase: "Bound", capacity: { storage: "10G" } },
    spec: { ...claim.spec, volumeName: "v" },
  },
  [
    ["grows when bound", { "spec.resources.requests.storage": "20G" }],
    [
      "shrinks when bound",
      { "spec.resources.requests.storage": "5G" },
      ["Forbidden spec.resources.requests.storage"],
    ],
  ],
);
testUpdate(
  claims,
  claim,
  [
    ["capacity", { "status.capacity": { storage: "1" } }],
    [
      "negative capacity",
      { "status.capacity": { storage: "-1" } },
      ["Invalid status.capacity[storage]"],
    ],
    [
      "allocated state",
      { "status.allocatedResourceStatuses": { storage: "x" } },
      ["NotSupported status.allocatedResourceStatus"],
    ],
  ],
  { subresource: "status" },
);

test("defaults of a volume and a claim", () => {
  const { spec: made, status } = decoded(volumes, volume) as unknown as {
    spec: object;
    status: object;
  };
  assert.deepEqual(made, {
    ...volume.spec,
    persistentVolumeReclaimPolicy: "Retain",
    volumeMode: "Filesystem",
  });
  assert.deepEqual(status, { phase: "Pending" });
  const asked = decoded(claims, claim) as unknown as { spec: object };
  assert.deepEqual(asked.spec, { ...claim.spec, volumeMode: "Filesystem" });
});
