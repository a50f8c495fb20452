/** The in-server controllers, from flags and files. Runs in the main thread. */
import { Controllers } from "./controllers/controllers.ts";
import { LoopbackPort } from "./controllers/loopback-port.ts";
import { rbacClient } from "./controllers/rbac-client.ts";
import { logError, logInfo } from "./metrics/log.ts";
import type { ServerOptions } from "./options/options.ts";
import { serviceRanges } from "./options/validation.ts";
import { advertiseAddress } from "./server/advertise-address.ts";
import { firstAddress } from "./server/serving-names.ts";
import type { LoadedFiles } from "./settings.ts";
import type { CacheThread } from "./storage/cacher/start-cache-thread.ts";
import type { StorageFactory } from "./storage/interfaces.ts";
import type { Supervisor } from "./supervisor.ts";

export interface StartControllersConfig {
  readonly options: ServerOptions;
  readonly files: LoadedFiles;
  readonly port: number;
  readonly supervisor: Supervisor;
  readonly cache: Promise<CacheThread | undefined>;
  readonly loopbackToken: string;
}

export interface StartedControllers {
  stop(): Promise<void>;
  /** Rejects when the store does not answer in time. */
  storeHealth(timeoutMs: number): Promise<void>;
}

/** Starts them; they report their hooks to the fronts by themselves. */
export async function startControllers(
  config: StartControllersConfig,
): Promise<StartedControllers> {
  const { options, files, port, supervisor, loopbackToken } = config;
  const { flags } = options;
  const ranges = serviceRanges(flags);
  const [range = "10.0.0.0/24"] = ranges;
  const storage = await openStorageHere(config);
  const controllers = new Controllers({
    loopback: { port: new LoopbackPort(supervisor.loopback()), token: loopbackToken },
    service: {
      serviceRanges: ranges,
      serviceIp: firstAddress(range),
      advertiseAddress: advertiseAddress(flags["advertise-address"], flags["bind-address"]),
      securePort: port,
      nodePort: flags["kubernetes-service-node-port"],
    },
    authentication: {
      clientCa: files.clientCa,
      requestHeaderCa: files.requestHeaderCa,
      usernameHeaders: flags["requestheader-username-headers"],
      uidHeaders: flags["requestheader-uid-headers"],
      groupHeaders: flags["requestheader-group-headers"],
      extraHeaderPrefixes: flags["requestheader-extra-headers-prefix"],
      allowedNames: flags["requestheader-allowed-names"],
    },
    reconcileRbac: async (client) => {
      const { reconcileRbac } = await import("./registry/rbac/reconcile.ts");
      await reconcileRbac(rbacClient(client));
    },
    standalone: options.standalone,
    rootCa: files.clientCa || files.tls.certificate,
    backend: storage?.backend,
    etcdPrefix: flags["etcd-prefix"],
    repairServices: () => supervisor.repairServices(),
    hookDone: (name, error) => supervisor.hookDone(name, error),
    onError: (what, error) => logError(`Controller: ${what}`, error),
  });
  controllers.start().catch((error: unknown) => logError("Controllers ended", error));
  return {
    stop: () => controllers.stop(),
    storeHealth: async (timeoutMs) => storage?.backend.health(timeoutMs),
  };
}

async function openStorageHere({
  cache,
}: StartControllersConfig): Promise<StorageFactory | undefined> {
  const thread = await cache;
  if (thread === undefined) return undefined;
  const { openStorage } = await import("./storage/cacher/open-storage.ts");
  return openStorage(thread.connect().ports, (message) => logInfo(message));
}
