/** A store in memory with the resources that allocation needs, and hooks over it. */

import { setServiceDefaults } from "../../../../src/apis/core/v1/defaults/service.ts";
import type { ServiceSpec } from "../../../../src/apis/core/v1/types.ts";
import { resourceTables } from "../../../../src/apis/resources.ts";
import { schemaForKind } from "../../../../src/apis/schemas.ts";
import { serviceHooks } from "../../../../src/registry/core/services/hooks.ts";
import type { ServiceObject } from "../../../../src/registry/core/services/linked-fields.ts";
import type { HookContext, HookSettings } from "../../../../src/registry/rest/strategy.ts";
import { createStorageFactory } from "../../../../src/storage/factory.ts";
import type { KvBackend, Storage, StorageConfig } from "../../../../src/storage/interfaces.ts";
import { createModelBackend } from "../../../../src/storage/model/memory-log.ts";

function configOf(group: string, resource: string): StorageConfig {
  const table = resourceTables().resources.find(
    (one) => one.group === group && one.resource === resource && one.version === "v1",
  );
  if (table?.storage === undefined) throw new Error(`no resource ${resource}`);
  const { version, kind } = table.storage;
  return {
    resource,
    prefix: `/${table.etcdPrefix}/`,
    namespaced: table.namespaced,
    goName: schemaForKind(table.storage)?.name ?? "",
    apiVersion: group === "" ? version : `${group}/${version}`,
    kind,
    mediaType: "json",
    fieldPaths: [],
    watchCache: true,
  };
}

export interface Pools {
  readonly backend: KvBackend;
  readonly settings: HookSettings;
  readonly addresses: Storage;
  readonly services: Storage;
  readonly cidrs: Storage;
  context(overrides?: Partial<HookContext>): HookContext;
  close(): Promise<void>;
}

/** One server's view of a store; give two of them the same backend to have two servers. */
export function makePools(
  ranges: readonly string[] = ["10.0.0.0/24"],
  nodePorts = { first: 30000, last: 30099 },
  backend: KvBackend = createModelBackend(),
): Pools {
  const factory = createStorageFactory(backend);
  const addresses = factory.for(configOf("networking.k8s.io", "ipaddresses"));
  const cidrs = factory.for(configOf("networking.k8s.io", "servicecidrs"));
  const services = factory.for(configOf("", "services"));
  const known = new Map([
    ["networking.k8s.io/ipaddresses", addresses],
    ["networking.k8s.io/servicecidrs", cidrs],
    ["/services", services],
  ]);
  const settings: HookSettings = {
    serviceClusterIpRanges: ranges,
    serviceNodePortRange: nodePorts,
    backend,
    etcdPrefix: "/registry",
  };
  return {
    backend,
    settings,
    addresses,
    services,
    cidrs,
    context: (overrides = {}) => ({
      user: { name: "u", uid: "", groups: [], extra: {} },
      namespace: "ns",
      requestApiVersion: "v1",
      subresource: "",
      dryRun: false,
      gate: () => false,
      allowPrivileged: true,
      now: () => new Date("2026-01-01T00:00:00Z"),
      storage: (group, resource) => known.get(`${group}/${resource}`),
      ...overrides,
    }),
    close: () => factory.close(),
  };
}

export function hooksOf(pools: Pools) {
  const { beginCreate, beginUpdate, afterDelete } = serviceHooks(pools.settings);
  if (beginCreate === undefined || beginUpdate === undefined || afterDelete === undefined) {
    throw new Error("services have all hooks");
  }
  return { beginCreate, beginUpdate, afterDelete };
}

/** A decoded and defaulted service. */
export function service(spec: ServiceSpec, name = "svc"): ServiceObject {
  const object: ServiceObject = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "ns" },
  };
  object.spec = { ports: [{ port: 80, name: "http" }], selector: { app: "a" }, ...spec };
  setServiceDefaults(object);
  return object;
}

/** Names of all IPAddress objects. */
export async function takenAddresses({ addresses }: Pools): Promise<string[]> {
  const page = await addresses.list({ at: { kind: "MostRecent" }, limit: 0 });
  try {
    return [...page.items()].map(({ name }) => name).sort();
  } finally {
    page.close();
  }
}
