/**
 * Cluster IPs. An address is taken by creating the IPAddress object of its name, which only one
 * server can do: so servers on one store never give an address twice.
 * Upstream: pkg/registry/core/service/ipallocator/{ipallocator,cidrallocator}.go.
 */
import { randomUUID } from "node:crypto";
import { ipString, parseIPSloppy } from "../../../apimachinery/validation/ip.ts";
import type { IPAddress, ServiceCIDR } from "../../../apis/networking/v1/types.ts";
import { structOf } from "../../../apis/schemas.ts";
import { isStorageError } from "../../../storage/errors.ts";
import type { Storage } from "../../../storage/interfaces.ts";
import { decodeStored, encodeForStorage } from "../../generic/object-codec.ts";
import { secondsOf } from "../../generic/store.ts";
import type { Kube } from "../../strategy-parts.ts";
import { IpRange, type RandomBelow, randomBelow } from "./ip-range.ts";
import type { IPFamily, ServiceObject } from "./linked-fields.ts";

export const IP_ALLOCATOR_NAME = "ipallocator.k8s.io";
export const IP_FAMILY_LABEL = "ipaddress.kubernetes.io/ip-family";
export const MANAGED_BY_LABEL = "ipaddress.kubernetes.io/managed-by";
/** After so many taken addresses in a row, all taken ones are listed once. */
const PROBES_MAX = 8;

/** Why an address could not be had; the messages are upstream's. */
export class AllocationError extends Error {
  override readonly name = "AllocationError";
}

/** What the allocator asks of the server. */
export interface AddressStores {
  readonly addresses: Storage;
  /** Undefined where ServiceCIDRs are not served: then the flags' ranges are all there is. */
  readonly cidrs: Storage | undefined;
}

export class ClusterIpAllocator {
  readonly #family: IPFamily;
  /** From --service-cluster-ip-range. */
  readonly #configured: readonly IpRange[];
  readonly #random: RandomBelow;

  constructor(family: IPFamily, configured: readonly IpRange[], random: RandomBelow = randomBelow) {
    this.#family = family;
    this.#configured = configured.filter((range) => range.family === family);
    this.#random = random;
  }

  /** The ranges of the flags and of every ServiceCIDR that is ready, none twice. */
  async #ranges({ cidrs }: AddressStores): Promise<IpRange[]> {
    const ranges = new Map(this.#configured.map((range) => [range.cidr, range]));
    for (const range of cidrs === undefined ? [] : await readyRanges(cidrs)) {
      if (range.family === this.#family && !ranges.has(range.cidr)) ranges.set(range.cidr, range);
    }
    return [...ranges.values()];
  }

  /** Takes `address` for the service. Throws AllocationError. */
  async allocate(stores: AddressStores, service: ServiceObject, address: string): Promise<void> {
    const bytes = parseIPSloppy(address)?.bytes;
    const name = bytes === undefined ? address : ipString(bytes);
    const ranges = await this.#ranges(stores);
    if (!ranges.some((range) => range.contains(name))) {
      throw new AllocationError("the provided network does not match the current range");
    }
    if (await this.#create(stores, service, name)) return;
    throw new AllocationError("provided IP is already allocated");
  }

  /** Takes any free address for the service. Throws AllocationError when all are taken. */
  async allocateNext(stores: AddressStores, service: ServiceObject): Promise<string> {
    let taken: ReadonlySet<string> | undefined;
    let probes = 0;
    for (const range of await this.#ranges(stores)) {
      for (const address of range.candidates(this.#random)) {
        if (taken?.has(address)) continue;
        if (taken === undefined && (await isTaken(stores.addresses, address))) {
          probes += 1;
          if (probes >= PROBES_MAX) taken = await takenAddresses(stores.addresses);
          continue;
        }
        // Another server may be faster: then the next one it is.
        if (await this.#create(stores, service, address)) return address;
      }
    }
    throw new AllocationError("range is full");
  }

  /** What a dry run shows: nothing is looked up, nothing taken. Throws AllocationError. */
  dryRun(address: string | undefined): string {
    const [range] = this.#configured;
    if (range === undefined) throw new AllocationError("allocator not ready");
    if (address === undefined) return range.networkAddress;
    const bytes = parseIPSloppy(address)?.bytes ?? [];
    if (range.contains(address)) return address;
    const which = `the provided IP (${ipString(bytes)}) is not in the valid range.`;
    throw new AllocationError(`${which} The range of valid IPs is ${range.cidr}`);
  }

  /** Gives an address back. One that is not taken is no error. */
  async release({ addresses }: AddressStores, address: string): Promise<void> {
    const bytes = parseIPSloppy(address)?.bytes;
    if (bytes === undefined) return;
    try {
      await addresses.delete(ipString(bytes), () => undefined);
    } catch (error) {
      if (!isStorageError(error, "KeyNotFound")) throw error;
    }
  }

  async #create(stores: AddressStores, service: ServiceObject, name: string): Promise<boolean> {
    try {
      await stores.addresses.create(name, ipAddressJson(name, this.#family, service, new Date()));
      return true;
    } catch (error) {
      if (isStorageError(error, "KeyExists")) return false;
      throw error;
    }
  }
}

async function isTaken(addresses: Storage, name: string): Promise<boolean> {
  return (await addresses.get(name, { kind: "Any" })) !== undefined;
}

async function takenAddresses(addresses: Storage): Promise<ReadonlySet<string>> {
  const page = await addresses.list({ at: { kind: "MostRecent" }, limit: 0 });
  try {
    return new Set([...page.items()].map(({ name }) => name));
  } finally {
    page.close();
  }
}

const cidrSchema = () => structOf("k8s.io/api/networking/v1.ServiceCIDR");
const addressSchema = () => structOf("k8s.io/api/networking/v1.IPAddress");

async function readyRanges(cidrs: Storage): Promise<IpRange[]> {
  const page = await cidrs.list({ at: { kind: "Any" }, limit: 0 });
  try {
    return [...page.items()].flatMap((stored) => {
      const object = decodeStored<Kube<ServiceCIDR>>(stored, cidrSchema());
      if (!isReady(object)) return [];
      return (object.spec?.cidrs ?? []).flatMap((cidr) => IpRange.parse(cidr) ?? []);
    });
  } finally {
    page.close();
  }
}

/** Without the condition it counts as ready: the controller that sets it may not run. */
function isReady({ metadata, status }: Kube<ServiceCIDR>): boolean {
  if (metadata?.deletionTimestamp !== undefined) return false;
  const ready = (status?.conditions ?? []).find(({ type }) => type === "Ready");
  return ready === undefined || ready.status === "True";
}

/** The IPAddress that records an allocation, as it is stored. */
export function ipAddressJson(
  name: string,
  family: IPFamily,
  service: ServiceObject,
  now: Date,
): Uint8Array {
  const { name: serviceName = "", namespace = "" } = service.metadata ?? {};
  const object: Kube<IPAddress> = {
    kind: "IPAddress",
    apiVersion: "networking.k8s.io/v1",
    metadata: {
      name,
      uid: randomUUID(),
      creationTimestamp: secondsOf(now),
      labels: { [IP_FAMILY_LABEL]: family, [MANAGED_BY_LABEL]: IP_ALLOCATOR_NAME },
    },
    spec: { parentRef: { resource: "services", namespace, name: serviceName } },
  };
  return encodeForStorage(object, addressSchema());
}
