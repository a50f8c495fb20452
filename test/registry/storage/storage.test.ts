import { registrationOf, testCreate, testUpdate } from "../verdicts.ts";

const GROUP = "storage.k8s.io";
const base = (kind: string, rest: object) => ({
  apiVersion: `${GROUP}/v1`,
  kind,
  metadata: { name: "x" },
  ...rest,
});
const many = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, "v"]));

const classes = registrationOf(GROUP, "storageclasses");
const storageClass = base("StorageClass", { provisioner: "a.b/c" });
testCreate(classes, storageClass, [
  ["defaults", {}],
  ["no provisioner", { provisioner: undefined }, ["Required provisioner"]],
  ["a bad provisioner", { provisioner: "/x" }, ["Invalid provisioner"]],
  ["many parameters", { parameters: many(513) }, ["TooLong parameters"]],
  ["large parameters", { parameters: { a: "x".repeat(256 * 1024) } }, ["TooLong parameters"]],
  ["an empty key", { parameters: { "": "x" } }, ["Invalid parameters"]],
  ["recycling", { reclaimPolicy: "Recycle" }, ["NotSupported reclaimPolicy"]],
  ["a mode", { volumeBindingMode: "x" }, ["NotSupported volumeBindingMode"]],
  [
    "a topology",
    { allowedTopologies: [{ matchLabelExpressions: [{ key: "zone", values: ["a"] }] }] },
  ],
  [
    "the same topology twice",
    {
      allowedTopologies: [
        { matchLabelExpressions: [{ key: "zone", values: ["a", "b"] }] },
        { matchLabelExpressions: [{ key: "zone", values: ["b", "a"] }] },
      ],
    },
    ["Duplicate allowedTopologies[1].matchLabelExpressions"],
  ],
]);
testUpdate(classes, storageClass, [
  ["expansion", { allowVolumeExpansion: true }],
  ["parameters", { parameters: { a: "b" } }, ["Invalid parameters"]],
  ["mode", { volumeBindingMode: "WaitForFirstConsumer" }, ["Invalid volumeBindingMode"]],
  ["policy", { reclaimPolicy: "Retain" }, ["Invalid reclaimPolicy"]],
]);

const drivers = registrationOf(GROUP, "csidrivers");
const driver = base("CSIDriver", { spec: {} });
testCreate(drivers, driver, [
  ["defaults", {}],
  ["a policy", { "spec.fsGroupPolicy": "x" }, ["NotSupported spec.fsGroupPolicy"]],
  ["a mode", { "spec.volumeLifecycleModes": ["x"] }, ["NotSupported spec.volumeLifecycleModes"]],
  [
    "an audience twice",
    { "spec.tokenRequests": [{ audience: "a" }, { audience: "a" }] },
    ["Duplicate spec.tokenRequests[1].audience"],
  ],
  [
    "a period",
    { "spec.nodeAllocatableUpdatePeriodSeconds": 9 },
    ["Invalid spec.nodeAllocatableUpdatePeriodSeconds"],
  ],
  [
    "secrets without tokens",
    { "spec.serviceAccountTokenInSecrets": true },
    ["Invalid spec.serviceAccountTokenInSecrets"],
  ],
]);
testUpdate(drivers, driver, [
  ["capacity", { "spec.storageCapacity": true }],
  ["attachment", { "spec.attachRequired": false }, ["Invalid spec.attachedRequired"]],
  ["modes", { "spec.volumeLifecycleModes": ["Ephemeral"] }, ["Invalid spec.volumeLifecycleModes"]],
]);

const nodes = registrationOf(GROUP, "csinodes");
const node = base("CSINode", { spec: { drivers: [{ name: "a.b", nodeID: "n" }] } });
testCreate(nodes, node, [
  ["a driver", {}],
  ["no ID", { "spec.drivers[0].nodeID": undefined }, ["Required spec.drivers[0].nodeID"]],
  ["a long ID", { "spec.drivers[0].nodeID": "x".repeat(193) }, ["Invalid spec.drivers[0].nodeID"]],
  [
    "a count",
    { "spec.drivers[0].allocatable.count": -1 },
    ["Invalid spec.drivers[0].allocatable.count"],
  ],
  ["keys twice", { "spec.drivers[0].topologyKeys": ["a", "a"] }, ["Duplicate spec.drivers[0]"]],
]);
testUpdate(nodes, node, [
  ["allocatable", { "spec.drivers[0].allocatable": { count: 3 } }],
  ["an ID", { "spec.drivers[0].nodeID": "m" }, ["Invalid spec.drivers"]],
]);

const attachments = registrationOf(GROUP, "volumeattachments");
const attachment = base("VolumeAttachment", {
  spec: { attacher: "a.b", nodeName: "n", source: { persistentVolumeName: "pv" } },
});
testCreate(attachments, attachment, [
  ["a volume", {}],
  ["no source", { "spec.source": {} }, ["Required spec.source"]],
  [
    "an empty name",
    { "spec.source.persistentVolumeName": "" },
    ["Required spec.source.persistentVolumeName", "Invalid spec.source.persistentVolumeName"],
  ],
  ["no node", { "spec.nodeName": undefined }, ["Invalid spec.nodeName"]],
]);
testUpdate(attachments, attachment, [["the node", { "spec.nodeName": "m" }, ["Invalid spec"]]]);
testUpdate(
  attachments,
  attachment,
  [
    ["attached", { "status.attached": true }],
    [
      "a long message",
      { "status.attachError.message": "x".repeat(1025) },
      ["TooLong status.attachError.message"],
    ],
  ],
  { subresource: "status" },
);

const attributes = registrationOf(GROUP, "volumeattributesclasses");
const attributesClass = base("VolumeAttributesClass", {
  driverName: "a.b",
  parameters: { a: "b" },
});
testCreate(attributes, attributesClass, [
  ["parameters", {}],
  ["none", { parameters: undefined }, ["Required parameters"]],
]);
testUpdate(attributes, attributesClass, [
  ["parameters", { "parameters.a": "c" }, ["Forbidden parameters"]],
]);

testCreate(
  registrationOf(GROUP, "csistoragecapacities"),
  base("CSIStorageCapacity", { storageClassName: "sc", capacity: "1Gi" }),
  [
    ["a capacity", {}],
    ["a negative one", { capacity: "-1" }, ["Invalid capacity"]],
    ["no class", { storageClassName: undefined }, ["Invalid storageClassName"]],
  ],
);
