/**
 * What a Service gets from the cluster's pools: addresses and node ports.
 * Upstream: pkg/registry/core/service/storage/alloc.go.
 */
import * as api from "../../../apimachinery/api/errors.ts";
import { invalid, Path } from "../../../apimachinery/validation/field.ts";
import { isIPv6String } from "../../../apimachinery/validation/ip.ts";
import type { ServicePort, ServiceSpec } from "../../../apis/core/v1/types.ts";
import { needsHealthCheck } from "../../../apis/core/v1/validation/service.ts";
import type { Transaction } from "../../rest/strategy.ts";
import { type AddressStores, AllocationError, type ClusterIpAllocator } from "./ip-allocator.ts";
import {
  type ClusterFamilies,
  initIPFamilyFields,
  invalidService,
  keepsPreferDualStack,
} from "./ip-families.ts";
import {
  type IPFamily,
  needsNodePort,
  nodePortsOf,
  type ServiceObject,
  specOf,
} from "./linked-fields.ts";
import { type NodePortAllocator, PortOperation } from "./port-allocator.ts";

/** Addresses by family; "" asks for any. */
type Addresses = Map<IPFamily, string>;

export interface AllocationTarget {
  readonly stores: AddressStores;
  readonly dryRun: boolean;
}

export class ServiceAllocators {
  readonly families: ClusterFamilies;
  readonly #ips: ReadonlyMap<IPFamily, ClusterIpAllocator>;
  readonly #ports: NodePortAllocator;

  constructor(
    families: ClusterFamilies,
    ips: ReadonlyMap<IPFamily, ClusterIpAllocator>,
    ports: NodePortAllocator,
  ) {
    this.families = families;
    this.#ips = ips;
    this.#ports = ports;
  }

  /** Takes what a new service needs. Throws what the client is to see; then nothing is taken. */
  async allocateCreate(target: AllocationTarget, service: ServiceObject): Promise<Transaction> {
    initIPFamilyFields(service, undefined, this.families);
    const taken = await this.#allocateClusterIPs(target, service);
    const ports = new PortOperation(this.#ports, target.dryRun);
    try {
      if (needsNodePort(specOf(service))) await initNodePorts(service, ports);
      if (needsHealthCheck(specOf(service))) await allocateHealthCheckPort(service, ports);
    } catch (error) {
      await this.#undo(target, taken, ports);
      throw error;
    }
    return this.#transaction(target, taken, new Map(), ports);
  }

  /** Takes what an update adds; what it no longer needs is given back on commit. */
  async allocateUpdate(
    target: AllocationTarget,
    service: ServiceObject,
    old: ServiceObject,
  ): Promise<Transaction> {
    initIPFamilyFields(service, old, this.families);
    const { taken, released } = await this.#updateClusterIPs(target, service, old);
    const ports = new PortOperation(this.#ports, target.dryRun);
    try {
      await updatePorts(service, old, ports);
    } catch (error) {
      await this.#undo(target, taken, ports);
      throw error;
    }
    return this.#transaction(target, taken, released, ports);
  }

  /** Gives back everything a deleted service had. */
  async releaseAll(stores: AddressStores, { spec = {} }: ServiceObject): Promise<void> {
    if (spec.type !== "ExternalName" && spec.clusterIPs?.[0] !== "None") {
      const addresses: Addresses = new Map();
      for (const ip of spec.clusterIPs ?? []) addresses.set(isIPv6String(ip) ? "IPv6" : "IPv4", ip);
      await this.#release({ stores, dryRun: false }, addresses);
    }
    const health = needsHealthCheck(spec) && spec.healthCheckNodePort;
    await this.#ports.release([...nodePortsOf(spec), ...(health ? [health] : [])]);
  }

  #transaction(
    target: AllocationTarget,
    taken: Addresses,
    released: Addresses,
    ports: PortOperation,
  ): Transaction {
    let isOver = false;
    return {
      commit: async () => {
        if (isOver) return;
        isOver = true;
        await this.#release(target, released);
        await ports.commit();
      },
      revert: async () => {
        if (isOver) return;
        isOver = true;
        await this.#undo(target, taken, ports);
      },
    };
  }

  async #undo(target: AllocationTarget, taken: Addresses, ports: PortOperation): Promise<void> {
    await ports.revert();
    await this.#release(target, taken);
  }

  async #release({ stores, dryRun }: AllocationTarget, addresses: Addresses): Promise<void> {
    if (dryRun) return;
    for (const [family, ip] of addresses) await this.#ips.get(family)?.release(stores, ip);
  }

  async #allocateClusterIPs(target: AllocationTarget, service: ServiceObject): Promise<Addresses> {
    const spec = specOf(service);
    if (spec.type === "ExternalName" || spec.clusterIPs?.[0] === "None") return new Map();
    const clusterIPs = [...(spec.clusterIPs ?? [])];
    const wanted: Addresses = new Map();
    const families = (spec.ipFamilies ?? []) as IPFamily[];
    for (const [i, family] of families.entries()) wanted.set(family, clusterIPs[i] ?? "");
    const taken = await this.#allocate(target, service, wanted);
    for (const [i, family] of families.entries()) clusterIPs[i] = taken.get(family) ?? "";
    spec.clusterIPs = clusterIPs;
    const [first] = clusterIPs;
    if (first !== undefined) spec.clusterIP = first;
    return taken;
  }

  async #allocate(target: AllocationTarget, service: ServiceObject, wanted: Addresses) {
    const taken: Addresses = new Map();
    try {
      for (const [family, address] of wanted) {
        taken.set(family, await this.#allocateOne(target, service, family, address));
      }
      return taken;
    } catch (error) {
      await this.#release(target, taken);
      throw error;
    }
  }

  async #allocateOne(
    { stores, dryRun }: AllocationTarget,
    service: ServiceObject,
    family: IPFamily,
    address: string,
  ): Promise<string> {
    const allocator = this.#ips.get(family);
    if (allocator === undefined) throw api.internalError(`no allocator of family ${family}`);
    try {
      if (dryRun) return allocator.dryRun(address === "" ? undefined : address);
      if (address === "") return await allocator.allocateNext(stores, service);
      await allocator.allocate(stores, service, address);
      return address;
    } catch (error) {
      if (!(error instanceof AllocationError)) throw error;
      if (address === "")
        throw api.internalError(`failed to allocate a serviceIP: ${error.message}`);
      const detail = `failed to allocate IP ${address}: ${error.message}`;
      const at = Path.root("spec", "clusterIPs");
      throw invalidService(service, [invalid(at, specOf(service).clusterIPs, detail)]);
    }
  }

  async #updateClusterIPs(
    target: AllocationTarget,
    service: ServiceObject,
    oldService: ServiceObject,
  ): Promise<{ taken: Addresses; released: Addresses }> {
    const [spec, old] = [specOf(service), oldService.spec ?? {}];
    const nothing = { taken: new Map(), released: new Map() };
    if (keepsPreferDualStack(spec, old)) return nothing;
    if (old.type === "ExternalName" && spec.type !== "ExternalName") {
      return { ...nothing, taken: await this.#allocateClusterIPs(target, service) };
    }
    if (old.clusterIPs?.[0] === "None") return nothing;
    const oldFamilies = (old.ipFamilies ?? []) as IPFamily[];
    if (old.type !== "ExternalName" && spec.type === "ExternalName") {
      const pairs = oldFamilies.map((family, i) => [family, old.clusterIPs?.[i] ?? ""] as const);
      return { ...nothing, released: new Map(pairs) };
    }
    const families = (spec.ipFamilies ?? []) as IPFamily[];
    const [first, second] = [families[1], oldFamilies[1]];
    if (first !== undefined && oldFamilies.length === 1) {
      spec.clusterIPs ??= [];
      const wanted: Addresses = new Map([[first, spec.clusterIPs[1] ?? ""]]);
      const taken = await this.#allocate(target, service, wanted);
      spec.clusterIPs[1] = taken.get(first) ?? "";
      return { ...nothing, taken };
    }
    if (second !== undefined && families.length === 1) {
      return { ...nothing, released: new Map([[second, old.clusterIPs?.[1] ?? ""]]) };
    }
    return nothing;
  }
}

const portPath = (i: number) => Path.root("spec", "ports").index(i).child("nodePort");

/** LoadBalancers may do without; a number that is asked for is taken all the same. */
function shouldAllocate({ type, allocateLoadBalancerNodePorts }: ServiceSpec): boolean {
  return type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts === true);
}

async function takePort(
  service: ServiceObject,
  ports: PortOperation,
  i: number,
  nodePort: number,
): Promise<void> {
  try {
    await ports.allocate(nodePort);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    throw invalidService(service, [invalid(portPath(i), nodePort, error.message)]);
  }
}

async function takeAnyPort(ports: PortOperation): Promise<number> {
  try {
    return await ports.allocateNext();
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    throw api.internalError(`failed to allocate a nodePort: ${error.message}`);
  }
}

/** The same port under two protocols (DNS) gets one node port. */
async function initNodePorts(service: ServiceObject, operation: PortOperation): Promise<void> {
  const spec = specOf(service);
  const ports = spec.ports ?? [];
  const byPort = new Map<number, number>();
  for (const [i, port] of ports.entries()) {
    if (!port.nodePort && !shouldAllocate(spec)) continue;
    const number = port.port ?? 0;
    const shared = byPort.get(number);
    if (shared === undefined) {
      const asked = requestedNodePort(number, ports);
      if (asked !== undefined) await takePort(service, operation, i, asked);
      port.nodePort = asked ?? (await takeAnyPort(operation));
      byPort.set(number, port.nodePort);
    } else if (!port.nodePort) port.nodePort = shared;
    else if (port.nodePort !== shared) await takePort(service, operation, i, port.nodePort);
  }
}

function requestedNodePort(number: number, ports: readonly ServicePort[]): number | undefined {
  return ports.find(({ port, nodePort }) => port === number && nodePort)?.nodePort;
}

async function allocateHealthCheckPort(
  service: ServiceObject,
  operation: PortOperation,
): Promise<void> {
  const spec = specOf(service);
  const asked = spec.healthCheckNodePort ?? 0;
  try {
    if (asked === 0) spec.healthCheckNodePort = await operation.allocateNext();
    else await operation.allocate(asked);
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    const what =
      asked === 0 ? "a HealthCheck NodePort 0" : `requested HealthCheck NodePort ${asked}`;
    throw api.internalError(`failed to allocate ${what}: ${error.message}`);
  }
}

async function updatePorts(
  service: ServiceObject,
  oldService: ServiceObject,
  operation: PortOperation,
): Promise<void> {
  const [spec, old] = [specOf(service), oldService.spec ?? {}];
  if (needsNodePort(spec)) await updateNodePorts(service, old, operation);
  else if (needsNodePort(old)) operation.releaseLater(nodePortsOf(old));
  if (!needsHealthCheck(old) && needsHealthCheck(spec)) {
    await allocateHealthCheckPort(service, operation);
  } else if (needsHealthCheck(old) && !needsHealthCheck(spec) && old.healthCheckNodePort) {
    operation.releaseLater([old.healthCheckNodePort]);
  }
}

async function updateNodePorts(
  service: ServiceObject,
  old: ServiceSpec,
  operation: PortOperation,
): Promise<void> {
  const spec = specOf(service);
  const known = new Set(nodePortsOf(old));
  const seen = new Set<string>();
  const taken = new Set<number>();
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort && !shouldAllocate(spec)) continue;
    if (!port.nodePort) port.nodePort = await takeAnyPort(operation);
    else if (!known.has(port.nodePort) && !taken.has(port.nodePort)) {
      await takePort(service, operation, i, port.nodePort);
      taken.add(port.nodePort);
    }
    const key = `${port.protocol} ${port.nodePort}`;
    if (seen.has(key)) throw api.unknownError(`duplicate nodePort: {${key}}`);
    seen.add(key);
  }
  const now = new Set(nodePortsOf(spec));
  operation.releaseLater([...known].filter((port) => !now.has(port)));
}
