/**
 * Brings the record of allocations in line with the services that exist: a server may die between
 * taking an address and writing its service. Runs at start and every few minutes, on one server.
 * Upstream: ipallocator/controller/repairip.go and portallocator/controller/repair.go.
 */
import { ipString, parseIPSloppy } from "../../../apimachinery/validation/ip.ts";
import { needsHealthCheck } from "../../../apis/core/v1/validation/service.ts";
import type { IPAddress } from "../../../apis/networking/v1/types.ts";
import { structOf } from "../../../apis/schemas.ts";
import { isStorageError } from "../../../storage/errors.ts";
import type { Storage } from "../../../storage/interfaces.ts";
import { decodeStored } from "../../generic/object-codec.ts";
import type { Kube } from "../../strategy-parts.ts";
import { IP_ALLOCATOR_NAME, ipAddressJson, MANAGED_BY_LABEL } from "./ip-allocator.ts";
import { nodePortsOf, type ServiceObject } from "./linked-fields.ts";
import type { NodePortAllocator } from "./port-allocator.ts";
import { PortBitmap } from "./port-bitmap.ts";

/** How often upstream repairs. */
export const REPAIR_INTERVAL_MS = 3 * 60 * 1000;
/** A younger address may belong to a service that is being written. */
const GRACE_MS = 60 * 1000;
/** A port without a service is kept for so many runs, for the same reason. */
const LEAK_RUNS = 3;

async function readAll<T extends object>(storage: Storage, goName: string): Promise<T[]> {
  const page = await storage.list({ at: { kind: "MostRecent" }, limit: 0 });
  try {
    const schema = structOf(goName);
    return [...page.items()].map((stored) => decodeStored(stored, schema) as unknown as T);
  } finally {
    page.close();
  }
}

const readServices = (storage: Storage) =>
  readAll<ServiceObject>(storage, "k8s.io/api/core/v1.Service");

/** The addresses a service holds, in their canonical spelling. */
function addressesOf({ spec = {} }: ServiceObject): string[] {
  if (spec.type === "ExternalName") return [];
  const ips = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []);
  return ips.flatMap((ip) => {
    const bytes = parseIPSloppy(ip)?.bytes;
    return bytes === undefined ? [] : [ipString(bytes)];
  });
}

export interface ClusterIpRepair {
  /** Addresses that a service holds and nothing recorded. */
  readonly created: readonly string[];
  /** Records whose service is gone. */
  readonly deleted: readonly string[];
  /** Addresses that more than one service holds: nothing can be done but to tell. */
  readonly duplicates: readonly string[];
}

/** Records what services hold, and drops records of services that are gone. */
export async function repairClusterIPs(
  stores: { readonly services: Storage; readonly addresses: Storage },
  now: Date,
): Promise<ClusterIpRepair> {
  // Addresses first: a record that is missing from an older list is not taken for a leak.
  const records = await readAll<Kube<IPAddress>>(
    stores.addresses,
    "k8s.io/api/networking/v1.IPAddress",
  );
  const owners = new Map<string, ServiceObject>();
  const duplicates: string[] = [];
  for (const service of await readServices(stores.services)) {
    for (const address of addressesOf(service)) {
      if (owners.has(address)) duplicates.push(address);
      else owners.set(address, service);
    }
  }
  const recorded = new Map(records.map((record) => [record.metadata?.name ?? "", record]));
  const deleted: string[] = [];
  for (const [address, record] of recorded) {
    if (!isStale(record, owners.get(address), now)) continue;
    await deleteRecord(stores.addresses, address);
    deleted.push(address);
  }
  const created: string[] = [];
  for (const [address, service] of owners) {
    if (recorded.has(address) && !deleted.includes(address)) continue;
    if (await createRecord(stores.addresses, address, service, now)) created.push(address);
  }
  return { created, deleted, duplicates };
}

/** Ours, old enough, and of no service that exists, or of another one than its holder. */
function isStale(record: Kube<IPAddress>, owner: ServiceObject | undefined, now: Date): boolean {
  if (record.metadata?.labels?.[MANAGED_BY_LABEL] !== IP_ALLOCATOR_NAME) return false;
  const age = now.getTime() - Date.parse(record.metadata?.creationTimestamp ?? "");
  if (age < GRACE_MS) return false;
  const parent = record.spec?.parentRef;
  if (owner === undefined) return true;
  const { name, namespace } = owner.metadata ?? {};
  return parent?.resource !== "services" || parent.name !== name || parent.namespace !== namespace;
}

async function deleteRecord(addresses: Storage, name: string): Promise<void> {
  try {
    await addresses.delete(name, () => undefined);
  } catch (error) {
    if (!isStorageError(error, "KeyNotFound")) throw error;
  }
}

async function createRecord(
  addresses: Storage,
  name: string,
  service: ServiceObject,
  now: Date,
): Promise<boolean> {
  const family = name.includes(":") ? "IPv6" : "IPv4";
  try {
    await addresses.create(name, ipAddressJson(name, family, service, now));
    return true;
  } catch (error) {
    if (isStorageError(error, "KeyExists")) return false;
    throw error;
  }
}

export interface NodePortRepairResult {
  /** Ports that no service has any more, now free. */
  readonly released: readonly number[];
  /** Ports that more than one service has. */
  readonly duplicates: readonly number[];
}

/** Repairs the bitmap of node ports. Remembers between runs which ports look like leaks. */
export class NodePortRepair {
  readonly #allocator: NodePortAllocator;
  readonly #leaks = new Map<number, number>();

  constructor(allocator: NodePortAllocator) {
    this.#allocator = allocator;
  }

  async run(services: Storage): Promise<NodePortRepairResult> {
    const duplicates: number[] = [];
    const released: number[] = [];
    await this.#allocator.replace(async (stored) => {
      // Read after the bitmap: a port taken in between makes the swap fail instead of being lost.
      const rebuilt = new PortBitmap(this.#allocator.range);
      for (const service of await readServices(services)) {
        for (const port of portsOf(service)) {
          if (rebuilt.inRange(port) && !rebuilt.take(port)) duplicates.push(port);
        }
      }
      released.push(...this.#keepRecentLeaks(stored, rebuilt));
      return rebuilt;
    });
    return { released, duplicates };
  }

  #keepRecentLeaks(stored: PortBitmap, rebuilt: PortBitmap): number[] {
    const released: number[] = [];
    for (const port of stored.used()) {
      if (rebuilt.has(port)) {
        this.#leaks.delete(port);
        continue;
      }
      const runs = (this.#leaks.get(port) ?? 0) + 1;
      if (runs <= LEAK_RUNS) {
        this.#leaks.set(port, runs);
        rebuilt.take(port);
      } else {
        this.#leaks.delete(port);
        released.push(port);
      }
    }
    return released;
  }
}

/** A service's ports, each once: TCP and UDP may share a number. */
function portsOf({ spec = {} }: ServiceObject): Set<number> {
  const health = needsHealthCheck(spec) && spec.healthCheckNodePort;
  return new Set([...nodePortsOf(spec), ...(health ? [health] : [])]);
}
