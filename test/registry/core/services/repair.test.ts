import assert from "node:assert/strict";
import { test } from "node:test";
import { structOf } from "../../../../src/apis/schemas.ts";
import { ipAddressJson } from "../../../../src/registry/core/services/ip-allocator.ts";
import { NodePortAllocator } from "../../../../src/registry/core/services/port-allocator.ts";
import { NodePortRepair, repairClusterIPs } from "../../../../src/registry/core/services/repair.ts";
import { serviceRepair } from "../../../../src/registry/core/services/service-repair.ts";
import { encodeForStorage } from "../../../../src/registry/generic/object-codec.ts";
import { createStorageFactory } from "../../../../src/storage/factory.ts";
import { makePools, type Pools, service, takenAddresses } from "./pools.ts";

const now = new Date("2026-01-01T01:00:00Z");
const longAgo = new Date("2026-01-01T00:00:00Z");

async function store(pools: Pools, name: string, spec: Parameters<typeof service>[0]) {
  const object = service(spec, name);
  await pools.services.create(
    `ns/${name}`,
    encodeForStorage(object, structOf("k8s.io/api/core/v1.Service")),
  );
  return object;
}

test("an address without its record gets one", async () => {
  const pools = makePools();
  await store(pools, "a", { type: "ClusterIP", clusterIP: "10.0.0.9", clusterIPs: ["10.0.0.9"] });
  await store(pools, "b", { type: "ClusterIP", clusterIP: "None", clusterIPs: ["None"] });
  const result = await repairClusterIPs(pools, now);
  assert.deepEqual(result, { created: ["10.0.0.9"], deleted: [], duplicates: [] });
  assert.deepEqual(await takenAddresses(pools), ["10.0.0.9"]);
  assert.deepEqual((await repairClusterIPs(pools, now)).created, []);
  await pools.close();
});

test("a record without its service goes, unless it is young", async () => {
  const pools = makePools();
  const gone = service({ type: "ClusterIP" }, "gone");
  await pools.addresses.create("10.0.0.8", ipAddressJson("10.0.0.8", "IPv4", gone, longAgo));
  await pools.addresses.create("10.0.0.9", ipAddressJson("10.0.0.9", "IPv4", gone, now));
  assert.deepEqual((await repairClusterIPs(pools, now)).deleted, ["10.0.0.8"]);
  assert.deepEqual(await takenAddresses(pools), ["10.0.0.9"]);
  await pools.close();
});

test("a record of another service is handed to the holder", async () => {
  const pools = makePools();
  const other = service({ type: "ClusterIP" }, "other");
  await pools.addresses.create("10.0.0.8", ipAddressJson("10.0.0.8", "IPv4", other, longAgo));
  await store(pools, "a", { type: "ClusterIP", clusterIP: "10.0.0.8", clusterIPs: ["10.0.0.8"] });
  const { created, deleted } = await repairClusterIPs(pools, now);
  assert.deepEqual([created, deleted], [["10.0.0.8"], ["10.0.0.8"]]);
  await pools.close();
});

test("an address of two services is told", async () => {
  const pools = makePools();
  const spec = { type: "ClusterIP", clusterIP: "10.0.0.8", clusterIPs: ["10.0.0.8"] };
  await store(pools, "a", spec);
  await store(pools, "b", spec);
  assert.deepEqual((await repairClusterIPs(pools, now)).duplicates, ["10.0.0.8"]);
  await pools.close();
});

test("a node port without a service is freed after a few runs", async () => {
  const pools = makePools();
  const allocator = new NodePortAllocator(pools.backend, "/registry", {
    first: 30000,
    last: 30099,
  });
  await allocator.allocate(30001);
  await store(pools, "a", { type: "NodePort", ports: [{ port: 80, nodePort: 30002 }] });
  const repair = new NodePortRepair(allocator);
  for (let run = 0; run < 3; run++) {
    assert.deepEqual(await repair.run(pools.services), { released: [], duplicates: [] });
  }
  assert.ok(await allocator.has(30001));
  assert.ok(await allocator.has(30002), "the service's port was taken at once");
  assert.deepEqual((await repair.run(pools.services)).released, [30001]);
  assert.ok(!(await allocator.has(30001)));
  await pools.close();
});

test("both repairs run on one store", async () => {
  const pools = makePools();
  await store(pools, "a", {
    type: "NodePort",
    clusterIP: "10.0.0.9",
    clusterIPs: ["10.0.0.9"],
    ports: [{ port: 80, nodePort: 30003 }],
  });
  const factory = createStorageFactory(pools.backend);
  const repair = serviceRepair(factory, pools.settings, "json");
  const { addresses, ports } = await repair(now);
  assert.deepEqual(addresses.created, ["10.0.0.9"]);
  assert.deepEqual(ports, { released: [], duplicates: [] });
  const allocator = new NodePortAllocator(pools.backend, "/registry", {
    first: 30000,
    last: 30099,
  });
  assert.ok(await allocator.has(30003));
  await factory.close();
  await pools.close();
});
