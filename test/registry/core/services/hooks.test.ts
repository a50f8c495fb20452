import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "../../../../src/apimachinery/api/errors.ts";
import { NodePortAllocator } from "../../../../src/registry/core/services/port-allocator.ts";
import { createModelBackend } from "../../../../src/storage/model/memory-log.ts";
import { hooksOf, makePools, type Pools, service, takenAddresses } from "./pools.ts";

const DUAL = ["10.0.0.0/24", "fd00::/112"];

function usedPorts({ settings }: Pools): Promise<number[]> {
  const { backend, etcdPrefix, serviceNodePortRange } = settings;
  const allocator = new NodePortAllocator(backend, etcdPrefix, serviceNodePortRange);
  let used: number[] = [];
  return allocator
    .replace((bitmap) => {
      used = bitmap.used();
      return bitmap;
    })
    .then(() => used);
}

async function statusOf(run: Promise<unknown>) {
  try {
    await run;
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error));
    const [cause] = error.details?.causes ?? [];
    return { code: error.code, field: cause?.field, message: error.message };
  }
  throw new Error("nothing was thrown");
}

async function withPools(pools: Pools, run: (pools: Pools) => Promise<void>): Promise<void> {
  try {
    await run(pools);
  } finally {
    await pools.close();
  }
}

test("a service gets an address, recorded as an IPAddress", async () => {
  await withPools(makePools(), async (pools) => {
    const { beginCreate, afterDelete } = hooksOf(pools);
    const object = service({});
    await (await beginCreate(pools.context(), object)).commit();
    assert.equal(object.spec?.clusterIP, object.spec?.clusterIPs?.[0]);
    assert.deepEqual(object.spec?.ipFamilies, ["IPv4"]);
    assert.equal(object.spec?.ipFamilyPolicy, "SingleStack");
    assert.deepEqual(await takenAddresses(pools), [object.spec?.clusterIP]);
    await afterDelete(pools.context(), object);
    assert.deepEqual(await takenAddresses(pools), []);
  });
});

test("a failed write gives everything back, once", async () => {
  await withPools(makePools(), async (pools) => {
    const { beginCreate } = hooksOf(pools);
    const transaction = await beginCreate(pools.context(), service({ type: "NodePort" }));
    assert.equal((await takenAddresses(pools)).length, 1);
    assert.equal((await usedPorts(pools)).length, 1);
    await transaction.revert();
    await transaction.revert();
    assert.deepEqual([await takenAddresses(pools), await usedPorts(pools)], [[], []]);
  });
});

test("a dry run takes nothing and shows placeholders", async () => {
  await withPools(makePools(), async (pools) => {
    const { beginCreate } = hooksOf(pools);
    const ports = [
      { port: 80, name: "a" },
      { port: 81, name: "b" },
    ];
    const object = service({ type: "NodePort", ports });
    const transaction = await beginCreate(pools.context({ dryRun: true }), object);
    assert.equal(object.spec?.clusterIP, "10.0.0.0");
    assert.deepEqual(
      object.spec?.ports?.map(({ nodePort }) => nodePort),
      [32769, 32770],
    );
    await transaction.revert();
    assert.deepEqual([await takenAddresses(pools), await usedPorts(pools)], [[], []]);
  });
});

const families: readonly (readonly [string, readonly string[], object, object])[] = [
  ["headless", DUAL, { clusterIP: "None" }, { ipFamilies: ["IPv4"], clusterIPs: ["None"] }],
  [
    "headless without a selector",
    ["10.0.0.0/24"],
    { clusterIP: "None", selector: {} },
    { ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
  ],
  ["ExternalName", DUAL, { type: "ExternalName", externalName: "a.b" }, { ipFamilies: undefined }],
  [
    "PreferDualStack on one family",
    ["10.0.0.0/24"],
    { ipFamilyPolicy: "PreferDualStack" },
    { ipFamilies: ["IPv4"] },
  ],
  [
    "PreferDualStack on two",
    DUAL,
    { ipFamilyPolicy: "PreferDualStack" },
    { ipFamilies: ["IPv4", "IPv6"] },
  ],
  [
    "the other family first",
    DUAL,
    { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] },
    { ipFamilies: ["IPv6", "IPv4"] },
  ],
  ["one family asked for", DUAL, { ipFamilies: ["IPv6"] }, { ipFamilies: ["IPv6"] }],
  [
    "given addresses",
    DUAL,
    {
      ipFamilyPolicy: "RequireDualStack",
      clusterIP: "fd00::7",
      clusterIPs: ["fd00::7", "10.0.0.9"],
    },
    { ipFamilies: ["IPv6", "IPv4"], clusterIPs: ["fd00::7", "10.0.0.9"] },
  ],
];

for (const [name, ranges, spec, wanted] of families) {
  test(`IP families: ${name}`, async () => {
    await withPools(makePools(ranges), async (pools) => {
      const object = service(spec);
      await hooksOf(pools).beginCreate(pools.context(), object);
      const got = object.spec as Record<string, unknown>;
      for (const [key, value] of Object.entries(wanted)) assert.deepEqual(got[key], value, key);
    });
  });
}

const refused: readonly (readonly [
  string,
  readonly string[],
  object,
  number,
  string | undefined,
])[] = [
  ["outside the range", ["10.0.0.0/24"], { clusterIP: "10.1.0.1" }, 422, "spec.clusterIPs"],
  ["the network address", ["10.0.0.0/24"], { clusterIP: "10.0.0.0" }, 422, "spec.clusterIPs"],
  ["no such family", ["10.0.0.0/24"], { ipFamilies: ["IPv6"] }, 422, "spec.ipFamilies[0]"],
  [
    "an address of no such family",
    ["10.0.0.0/24"],
    { clusterIP: "fd00::1" },
    422,
    "spec.clusterIPs[0]",
  ],
  [
    "dual-stack on one family",
    ["10.0.0.0/24"],
    { ipFamilyPolicy: "RequireDualStack" },
    422,
    "spec.ipFamilyPolicy",
  ],
  [
    "two families with SingleStack",
    DUAL,
    { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4", "IPv6"] },
    422,
    "spec.ipFamilyPolicy",
  ],
  [
    "a node port out of range",
    ["10.0.0.0/24"],
    { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] },
    422,
    "spec.ports[0].nodePort",
  ],
  [
    "a health check port out of range",
    ["10.0.0.0/24"],
    { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 80 },
    500,
    undefined,
  ],
];

for (const [name, ranges, spec, code, field] of refused) {
  test(`refused: ${name}; nothing stays taken`, async () => {
    await withPools(makePools(ranges), async (pools) => {
      const status = await statusOf(hooksOf(pools).beginCreate(pools.context(), service(spec)));
      assert.equal(status.code, code, status.message);
      assert.equal(status.field, field);
      assert.deepEqual([await takenAddresses(pools), await usedPorts(pools)], [[], []]);
    });
  });
}

test("a taken address and a taken port are refused with upstream's words", async () => {
  await withPools(makePools(), async (pools) => {
    const { beginCreate } = hooksOf(pools);
    const spec = {
      type: "NodePort",
      clusterIP: "10.0.0.9",
      ports: [{ port: 80, nodePort: 30007 }],
    };
    await (await beginCreate(pools.context(), service(spec))).commit();
    const address = await statusOf(beginCreate(pools.context(), service(spec, "b")));
    assert.match(
      address.message,
      /spec.clusterIPs: Invalid value: \["10.0.0.9"\]: failed to allocate IP 10.0.0.9: provided IP is already allocated$/,
    );
    const port = await statusOf(
      beginCreate(pools.context(), service({ ...spec, clusterIP: "10.0.0.10" }, "c")),
    );
    assert.match(
      port.message,
      /nodePort: Invalid value: 30007: provided port is already allocated$/,
    );
    assert.deepEqual(await takenAddresses(pools), ["10.0.0.9"]);
  });
});

test("one node port serves TCP and UDP of the same port", async () => {
  await withPools(makePools(), async (pools) => {
    const ports = [
      { name: "tcp", port: 53, protocol: "TCP" },
      { name: "udp", port: 53, protocol: "UDP" },
    ];
    const object = service({ type: "NodePort", ports });
    await hooksOf(pools).beginCreate(pools.context(), object);
    const [tcp, udp] = object.spec?.ports ?? [];
    assert.equal(tcp?.nodePort, udp?.nodePort);
    assert.equal((await usedPorts(pools)).length, 1);
  });
});

test("a load balancer may do without node ports, and gets a health check port", async () => {
  await withPools(makePools(), async (pools) => {
    const spec = { type: "LoadBalancer", externalTrafficPolicy: "Local" };
    const object = service({ ...spec, allocateLoadBalancerNodePorts: false });
    await hooksOf(pools).beginCreate(pools.context(), object);
    assert.equal(object.spec?.ports?.[0]?.nodePort, undefined);
    assert.deepEqual(await usedPorts(pools), [object.spec?.healthCheckNodePort]);
  });
});

async function created(pools: Pools, spec: object) {
  const object = service(spec);
  await (await hooksOf(pools).beginCreate(pools.context(), object)).commit();
  return object;
}

test("an update without the allocated values gets them back", async () => {
  await withPools(makePools(), async (pools) => {
    const old = await created(pools, { type: "NodePort" });
    const object = service({ type: "NodePort" });
    await (await hooksOf(pools).beginUpdate(pools.context(), object, old)).commit();
    assert.equal(object.spec?.clusterIP, old.spec?.clusterIP);
    assert.equal(object.spec?.ports?.[0]?.nodePort, old.spec?.ports?.[0]?.nodePort);
    assert.equal((await takenAddresses(pools)).length, 1);
  });
});

test("a change to ExternalName releases on commit only", async () => {
  await withPools(makePools(), async (pools) => {
    const old = await created(pools, { type: "NodePort" });
    const { beginUpdate } = hooksOf(pools);
    const external = () => service({ type: "ExternalName", externalName: "a.b", ports: [] });
    await (await beginUpdate(pools.context(), external(), structuredClone(old))).revert();
    assert.equal((await takenAddresses(pools)).length, 1);
    assert.equal((await usedPorts(pools)).length, 1);
    const object = external();
    await (await beginUpdate(pools.context(), object, structuredClone(old))).commit();
    assert.deepEqual([await takenAddresses(pools), await usedPorts(pools)], [[], []]);
    const back = service({});
    await (await beginUpdate(pools.context(), back, object)).commit();
    assert.deepEqual(await takenAddresses(pools), [back.spec?.clusterIP]);
  });
});

test("dual-stack comes and goes with the policy", async () => {
  await withPools(makePools(DUAL), async (pools) => {
    const old = await created(pools, {});
    const { beginUpdate } = hooksOf(pools);
    const wide = structuredClone(old);
    wide.spec = { ...wide.spec, ipFamilyPolicy: "RequireDualStack" };
    await (await beginUpdate(pools.context(), wide, structuredClone(old))).commit();
    assert.equal(wide.spec.clusterIPs?.length, 2);
    assert.equal((await takenAddresses(pools)).length, 2);
    const narrow = structuredClone(wide);
    narrow.spec = { ...narrow.spec, ipFamilyPolicy: "SingleStack" };
    await (await beginUpdate(pools.context(), narrow, structuredClone(wide))).commit();
    assert.deepEqual(narrow.spec.clusterIPs, [old.spec?.clusterIP]);
    assert.deepEqual(await takenAddresses(pools), [old.spec?.clusterIP]);
  });
});

test("the second address goes only with SingleStack", async () => {
  await withPools(makePools(DUAL), async (pools) => {
    const old = await created(pools, { ipFamilyPolicy: "RequireDualStack" });
    const object = structuredClone(old);
    object.spec = { ...object.spec, clusterIPs: (old.spec?.clusterIPs ?? []).slice(0, 1) };
    const status = await statusOf(hooksOf(pools).beginUpdate(pools.context(), object, old));
    assert.match(status.message, /must be 'SingleStack' to release the secondary cluster IP/);
  });
});

test("node ports that an update drops or adds are released and taken", async () => {
  await withPools(makePools(), async (pools) => {
    const old = await created(pools, { type: "NodePort", ports: [{ port: 80, nodePort: 30001 }] });
    const object = service({ type: "NodePort", ports: [{ port: 80, nodePort: 30002 }] });
    const transaction = await hooksOf(pools).beginUpdate(pools.context(), object, old);
    assert.deepEqual(await usedPorts(pools), [30001, 30002]);
    await transaction.commit();
    assert.deepEqual(await usedPorts(pools), [30002]);
  });
});

test("status updates allocate nothing", async () => {
  await withPools(makePools(), async (pools) => {
    const old = await created(pools, {});
    const object = service({ type: "NodePort" });
    await hooksOf(pools).beginUpdate(pools.context({ subresource: "status" }), object, old);
    assert.deepEqual(await usedPorts(pools), []);
  });
});

test("two servers on one store never give an address or a port twice, until all are gone", async () => {
  const backend = createModelBackend();
  const range = { first: 30000, last: 30031 };
  const one = makePools(["10.0.0.0/27"], range, backend);
  const two = makePools(["10.0.0.0/27"], range, backend);
  try {
    const servers = [one, two].map((pools) => ({ pools, ...hooksOf(pools) }));
    const objects = Array.from({ length: 30 }, (_, i) => service({ type: "NodePort" }, `s${i}`));
    await Promise.all(
      objects.map(async (object, i) => {
        const server = servers[i % 2];
        assert.ok(server);
        await (await server.beginCreate(server.pools.context(), object)).commit();
      }),
    );
    assert.equal(new Set(objects.map(({ spec }) => spec?.clusterIP)).size, 30);
    assert.equal(new Set(objects.map(({ spec }) => spec?.ports?.[0]?.nodePort)).size, 30);
    const full = await statusOf(hooksOf(one).beginCreate(one.context(), service({}, "more")));
    assert.deepEqual(full, {
      code: 500,
      field: undefined,
      message: "Internal error occurred: failed to allocate a serviceIP: range is full",
    });
  } finally {
    await one.close();
    await two.close();
  }
});
