/** Both repairs on one store, to be run at start and every REPAIR_INTERVAL_MS on each server. */
import type { StorageFactory } from "../../../storage/interfaces.ts";
import type { HookSettings } from "../../rest/strategy.ts";
import { storageConfigs } from "../../storage-config.ts";
import { AllocationError } from "./ip-allocator.ts";
import { NodePortAllocator } from "./port-allocator.ts";
import {
  type ClusterIpRepair,
  NodePortRepair,
  type NodePortRepairResult,
  repairClusterIPs,
} from "./repair.ts";

export interface ServiceRepairResult {
  readonly addresses: ClusterIpRepair;
  /** Undefined: a port was taken meanwhile; the next run will do. */
  readonly ports: NodePortRepairResult | undefined;
}

/**
 * A function that repairs cluster IPs and node ports once; it remembers between runs which ports
 * look like leaks. Throws StorageError. Servers may run it at the same time.
 */
export function serviceRepair(
  storage: StorageFactory,
  settings: HookSettings,
  storageMediaType: "protobuf" | "json",
): (now: Date) => Promise<ServiceRepairResult> {
  const known = storageConfigs(() => true, storageMediaType);
  const storageOf = (kind: string) => {
    const config = known.find((one) => one.kind === kind);
    if (config === undefined) throw new Error(`no storage of ${kind}`);
    return storage.for(config);
  };
  const services = storageOf("Service");
  const addresses = storageOf("IPAddress");
  const { backend, etcdPrefix, serviceNodePortRange } = settings;
  const nodePorts = new NodePortRepair(
    new NodePortAllocator(backend, etcdPrefix, serviceNodePortRange),
  );
  return async (now) => ({
    addresses: await repairClusterIPs({ services, addresses }, now),
    ports: await nodePorts.run(services).catch((error: unknown) => {
      if (error instanceof AllocationError) return undefined;
      throw error;
    }),
  });
}
