/**
 * Allocation around the generic store's writes of Services.
 * Upstream: pkg/registry/core/service/storage/storage.go (beginCreate, beginUpdate, afterDelete).
 */
import * as api from "../../../apimachinery/api/errors.ts";
import type { HookContext, HookSettings, ResourceHooks, Transaction } from "../../rest/strategy.ts";
import { ServiceAllocators } from "./allocators.ts";
import { type AddressStores, ClusterIpAllocator } from "./ip-allocator.ts";
import type { ClusterFamilies } from "./ip-families.ts";
import { IpRange } from "./ip-range.ts";
import {
  normalizeClusterIPs,
  patchAllocatedValues,
  type ServiceObject,
  setReadTimeDefaults,
  specOf,
} from "./linked-fields.ts";
import { NodePortAllocator } from "./port-allocator.ts";

/** Upstream's default of --service-cluster-ip-range. */
const DEFAULT_RANGE = "10.0.0.0/24";

const nothing: Transaction = { commit: () => undefined, revert: () => undefined };

/** The ranges that the flags give, the primary family first. */
export function configuredRanges(texts: readonly string[]): IpRange[] {
  const parsed = (texts.length === 0 ? [DEFAULT_RANGE] : texts).flatMap(
    (text) => IpRange.parse(text.trim()) ?? [],
  );
  return parsed.slice(0, 2);
}

function familiesOf(ranges: readonly IpRange[]): ClusterFamilies {
  const [first, second] = ranges;
  const primary = first?.family ?? "IPv4";
  if (second === undefined || second.family === primary) return [primary];
  return [primary, second.family];
}

export function makeAllocators(settings: HookSettings): ServiceAllocators {
  const ranges = configuredRanges(settings.serviceClusterIpRanges);
  const families = familiesOf(ranges);
  const ips = new Map(families.map((family) => [family, new ClusterIpAllocator(family, ranges)]));
  const { backend, etcdPrefix, serviceNodePortRange } = settings;
  const ports = new NodePortAllocator(backend, etcdPrefix, serviceNodePortRange);
  return new ServiceAllocators(families, ips, ports);
}

function storesOf(context: Pick<HookContext, "storage">): AddressStores {
  const addresses = context.storage("networking.k8s.io", "ipaddresses");
  if (addresses === undefined) throw api.internalError("IPAddresses are not served");
  return { addresses, cidrs: context.storage("networking.k8s.io", "servicecidrs") };
}

/** The hooks of one server thread; threads and servers meet in the store only. */
export function serviceHooks(settings: HookSettings): ResourceHooks<ServiceObject> {
  const allocators = makeAllocators(settings);
  const [primary] = allocators.families;
  return {
    async beginCreate(context, service) {
      normalizeClusterIPs(specOf(service), undefined);
      const { dryRun } = context;
      return allocators.allocateCreate({ stores: storesOf(context), dryRun }, service);
    },
    async beginUpdate(context, service, old) {
      if (context.subresource !== "") return nothing;
      setReadTimeDefaults(old, primary);
      patchAllocatedValues(specOf(service), specOf(old));
      normalizeClusterIPs(specOf(service), specOf(old));
      const { dryRun } = context;
      return allocators.allocateUpdate({ stores: storesOf(context), dryRun }, service, old);
    },
    async afterDelete(context, service) {
      setReadTimeDefaults(service, primary);
      if (!context.dryRun) await allocators.releaseAll(storesOf(context), service);
    },
  };
}
