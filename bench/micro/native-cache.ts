/**
 * What the native cache's calls cost on one thread: microseconds of CPU each, median of several
 * rounds. Run: node --import tsx bench/micro/native-cache.ts [objects]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EncodingCode, ListOptions, ResourceId } from "../../src/native/binding.ts";
import { native } from "../../src/native/binding.ts";

const objects = Number(process.argv[2] ?? 10_000);
const POD = "k8s.io/api/core/v1.Pod";
const target = Buffer.alloc(64 * 1024);

function pod(i: number): object {
  const env = Array.from({ length: 12 }, (_, k) => ({
    name: `VARIABLE_${k}`,
    value: `value-${k}-${i}`,
  }));
  const mounts = [
    { name: "kube-api-access", readOnly: true, mountPath: "/var/run/secrets/kubernetes.io" },
  ];
  const managed = {
    manager: "kube-controller-manager",
    operation: "Update",
    apiVersion: "v1",
    time: "2026-01-01T00:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1: Object.fromEntries(
      env.map((e) => [`f:${e.name}`, { ".": {}, "f:name": {}, "f:value": {} }]),
    ),
  };
  const condition = (type: string) => ({
    type,
    status: "True",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  });
  return {
    metadata: {
      name: `web-${String(i).padStart(6, "0")}`,
      namespace: `ns-${i % 50}`,
      uid: `9b1b2f6e-0000-4000-8000-${String(i).padStart(12, "0")}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { app: `app-${i % 100}`, tier: "web", "pod-template-hash": `h${i % 300}` },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "u", controller: true },
      ],
      managedFields: [managed, { ...managed, manager: "kubelet", subresource: "status" }],
    },
    spec: {
      nodeName: `node-${i % 200}`,
      serviceAccountName: "default",
      containers: ["main", "sidecar"].map((name) => ({
        name,
        image: `registry.example.com/team/${name}:v1.2.3`,
        env,
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
        volumeMounts: mounts,
      })),
    },
    status: {
      phase: "Running",
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map(condition),
      podIP: "10.0.0.1",
      startTime: "2026-01-01T00:00:00Z",
    },
  };
}

function measure(name: string, rounds: number, times: number, body: (i: number) => void): number {
  const costs: number[] = [];
  const cost = () => {
    const used = process.cpuUsage();
    return used.user + used.system;
  };
  for (let r = 0; r < rounds; r++) {
    const start = cost();
    for (let i = 0; i < times; i++) body(i);
    costs.push((cost() - start) / times);
  }
  costs.sort((a, b) => a - b);
  const median = costs[costs.length >> 1] ?? 0;
  console.log(`${name.padEnd(52)} ${median.toFixed(2).padStart(10)} us`);
  return median;
}

const typesPath = join(import.meta.dirname, "../../src/apis/generated/types.generated.json");
const typesBytes = readFileSync(typesPath);
console.log(`types table: ${typesBytes.length} bytes`);

const json = Buffer.from(JSON.stringify(pod(1)));
const n = native.jsonToProto(POD, "Pod", "v1", "", json, target, true);
const stored = Buffer.from(target.subarray(0, n));
console.log(`pod: ${json.length} bytes JSON, ${n} bytes protobuf`);
measure("protobuf to JSON", 9, 2000, () => {
  native.protoToJson(POD, "Pod", "v1", "123", stored, target);
});
measure("JSON to protobuf", 9, 2000, () => {
  native.jsonToProto(POD, "Pod", "v1", "123", json, target, true);
});

const pods = Array.from({ length: objects }, (_, i) => {
  const size = native.jsonToProto(
    POD,
    "Pod",
    "v1",
    "",
    Buffer.from(JSON.stringify(pod(i))),
    target,
    true,
  );
  return Buffer.from(target.subarray(0, size));
});
const key = (i: number) => `ns-${i % 50}/web-${String(i).padStart(6, "0")}`;
const keys = Array.from({ length: objects }, (_, i) => key(i));
const rssBefore = process.memoryUsage().rss;
const id: ResourceId = native.openResource({
  name: "pods",
  apiVersion: "v1",
  kind: "Pod",
  goName: POD,
  namespaced: true,
  fieldPaths: ["spec.nodeName", "status.phase"],
});
native.beginFill(id);
measure(`fill of ${objects}, each`, 1, objects, (i) => {
  native.fillPut(id, keys[i] ?? "", i + 1, pods[i] ?? stored);
});
const startCommit = process.hrtime.bigint();
native.commitFill(id, objects + 1);
console.log(`commit: ${Number(process.hrtime.bigint() - startCommit) / 1e6} ms`);
const rss = (process.memoryUsage().rss - rssBefore) / objects;
const stats = native.stats(id);
const perObject = (bytes: number) => Math.round(bytes / objects);
console.log(
  `per object: ${Math.round(rss)} B of RSS, ${perObject(stats?.recordBytes ?? 0)} B record, ` +
    `${perObject(stats?.indexBytes ?? 0)} B index`,
);

measure("get (copy of JSON)", 9, 5000, (i) => {
  native.get(id, keys[(i * 7919) % objects] ?? "", 0, target);
});
function list(options: ListOptions, encoding: EncodingCode): number {
  const info = native.listOpen(id, options);
  if (typeof info === "number") throw new Error(String(info));
  const total = native.listDocument(info.id, encoding, "PodList", "v1", "");
  while (native.listRead(info.id, target) > 0) {
    // Into the same chunk, as a response does.
  }
  native.listClose(info.id);
  return total;
}
console.log(`list: ${list({}, 0)} bytes of JSON`);
measure("list everything, JSON", 5, 1, () => list({}, 0));
measure("list everything, protobuf, first", 1, 1, () => list({}, 1));
measure("list everything, protobuf", 5, 1, () => list({}, 1));
measure("list everything, metadata JSON", 5, 1, () => list({}, 2));
const none = [{ key: "app", operator: "In" as const, values: ["nothing"] }];
measure("list, label selector that matches nothing", 9, 200, () => list({ labels: none }, 0));
const not = [{ key: "app", operator: "NotIn" as const, values: ["app-1"] }];
measure("list, NotIn (scan), open only", 5, 5, () => {
  const info = native.listOpen(id, { labels: not });
  if (typeof info !== "number") native.listClose(info.id);
});
const node = [{ field: "spec.nodeName", operator: "=" as const, value: "node-7" }];
measure(`list, spec.nodeName (${objects / 200} match)`, 9, 100, () => list({ fields: node }, 0));
measure("list, page of 500 in the middle", 9, 20, () =>
  list({ limit: 500, startKey: key(objects / 2) }, 0),
);

let revision = objects + 1;
measure("apply a change, no watch", 5, 2000, (i) => {
  native.applyPut(id, keys[i] ?? "", ++revision, pods[i] ?? stored, false);
});
const watches = Array.from({ length: 5000 }, (_, i) => {
  const value = `node-x${i}`;
  const fields = [{ field: "spec.nodeName", operator: "=" as const, value }];
  return native.watchOpen(id, { from: "now", encoding: 0, bookmarks: false, fields }) as never;
});
for (const watch of watches) native.watchRead(watch, target);
measure("apply a change, 5,000 watches of other nodes", 5, 500, (i) => {
  native.applyPut(id, keys[i] ?? "", ++revision, pods[i] ?? stored, false);
});
for (const watch of watches) native.watchClose(watch);
const all = native.watchOpen(id, { from: "now", encoding: 0, bookmarks: false }) as never;
measure("apply a change and read its frame in JS", 5, 500, (i) => {
  native.applyPut(id, keys[i] ?? "", ++revision, pods[i] ?? stored, false);
  native.watchRead(all, target);
});
