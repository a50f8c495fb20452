/**
 * Puts one front thread's API together: storage, served resources, gates, paths.
 * Upstream: cmd/kube-apiserver/app/server.go and pkg/controlplane/instance.go.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Listers } from "./admission/plugin.ts";
import { CustomResources } from "./apiextensions/custom-resources.ts";
import { freshPaths } from "./apiextensions/fresh-paths.ts";
import { OpenApiWithCustoms } from "./apiextensions/open-api.ts";
import { structOf } from "./apis/schemas.ts";
import { createApi } from "./endpoints/api.ts";
import type { ApiSettings } from "./endpoints/api-context.ts";
import { builtInGroups } from "./endpoints/discovery/resources.ts";
import { discoveryPaths } from "./endpoints/discovery-paths.ts";
import { openApiPaths } from "./endpoints/openapi/paths.ts";
import { openApiV3Paths } from "./endpoints/openapi/v3.ts";
import { createGates, type Gates } from "./gates.ts";
import { startSigner } from "./gates-accounts.ts";
import { createAdmission } from "./gates-admission.ts";
import { createKubeletClient } from "./kubelet-client.ts";
import { logError, logInfo, logWarning } from "./metrics/log.ts";
import { metrics } from "./metrics/registry.ts";
import { FeatureGates } from "./options/feature-gates.ts";
import { printFlags, type ServerOptions } from "./options/options.ts";
import { isServed } from "./options/runtime-config.ts";
import { serviceRanges } from "./options/validation.ts";
import { serviceRepair } from "./registry/core/services/service-repair.ts";
import { installResources, type ServedResources } from "./registry/install.ts";
import { createListers } from "./registry/listers.ts";
import type { HookSettings } from "./registry/rest/strategy.ts";
import type { SelectorParsers } from "./request/request-info-parse.ts";
import { advertiseAddress } from "./server/advertise-address.ts";
import type { Serve } from "./server/front.ts";
import type { HealthRegistry } from "./server/health.ts";
import { registerStorageMetrics } from "./server/storage-metrics.ts";
import { combinePaths, systemPaths } from "./server/system-paths.ts";
import { KUBERNETES_MINOR_VERSION } from "./server/version.ts";
import type { LoadedFiles } from "./settings.ts";
import { startFlowControl } from "./start-flow-control.ts";
import type { StoragePorts } from "./storage/cacher/control.ts";
import { type ClosableStorageFactory, createStorageFactory } from "./storage/factory.ts";
import type { Storage } from "./storage/interfaces.ts";
import { backendConfig, encryptionSource } from "./store-config.ts";

export interface ApiServerConfig {
  readonly options: ServerOptions;
  readonly files: LoadedFiles;
  readonly storage: StoragePorts | undefined;
  readonly startedAt: number;
  readonly loopbackToken: string;
  /** This thread's number, from 0: the first speaks of what is the process's. */
  readonly index: number;
  /** Front threads of this process. */
  readonly threads: number;
  readonly health: HealthRegistry;
  scrape(which: "all" | "slis"): Promise<string>;
  resetMetrics(): void;
}
export interface ApiServer {
  readonly serve: Serve;
  readonly selectors?: SelectorParsers;
  /** Finds leaked cluster IPs and node ports, once. Throws StorageError. */
  repairServices(now: Date): Promise<void>;
  /** Takes up changed certificate authorities. */
  reload(authorities: Pick<LoadedFiles, "clientCa" | "requestHeaderCa">): void;
  close(): Promise<void>;
}

export async function createApiServer(config: ApiServerConfig): Promise<ApiServer> {
  const { options, health, threads } = config;
  const { flags } = options;
  const storage = await openStore(config);
  addStoreChecks(config, storage);
  const installed = health.addPostStartHook("start-apiserver-admission-initializer");
  const served = install(options, storage);
  const groups = builtInGroups((resource) => isServed(options.runtimeConfig, resource));
  const customs = followDefinitions(config, served, storage, groups);
  const listers = createListers(() => served);
  const stopMetrics = config.index === 0 ? startStorageMetrics(options, served, storage) : () => {};
  const serverAddress = `${advertiseAddress(flags["advertise-address"], flags["bind-address"])}:${flags["secure-port"]}`;
  const access = await openGates(config, served, listers, serverAddress);
  addInformerCheck(health, access.synced);
  const kubelet = createKubeletClient(flags);
  const flowControl = startFlowControl({ flags, threads, listers, health });
  const gates = new FeatureGates(options.featureGateOverrides);
  const gate = (name: string) => gates.gate(name);
  const { tokenIssuer, audit } = access;
  const api = createApi({
    served,
    settings: apiSettings(options, gate),
    admission: createAdmission({ flags, gate, listers, served: () => served, access }),
    authenticate: access.authenticate,
    impersonate: access.impersonate,
    flowControl,
    kubelet,
    authorizer: access.authorizer,
    ruleResolver: access.ruleResolver,
    tokenAuthenticator: access.tokenAuthenticator,
    ...(tokenIssuer === undefined ? {} : { tokenIssuer }),
    storeHealth: (timeoutMs) => storage.backend.health(timeoutMs),
    ...(audit === undefined ? {} : { audit }),
    apiAudiences: access.apiAudiences,
    paths: combinePaths([
      ...ownPaths(config, serverAddress, groups, customs),
      flowControl,
      access.paths,
    ]),
    dynamic: customs,
    onError: (request, error) =>
      logError("Request failed", error, { method: request.method, path: request.info.path }),
  });
  installed();
  const close = async () => {
    stopMetrics();
    customs.close();
    flowControl.close();
    kubelet.close();
    await access.close();
    await storage.close();
  };
  return {
    serve: (request) => api.serve(request),
    repairServices: repairOf(options, storage),
    reload: access.reload,
    close,
  };
}

type Groups = ReturnType<typeof builtInGroups>;

async function openGates(
  { options, files, loopbackToken }: ApiServerConfig,
  served: ServedResources,
  listers: Listers,
  externalAddress: string,
): Promise<Gates> {
  const log = { info: logInfo, warning: logWarning, error: logError };
  return createGates({
    options,
    files,
    loopbackToken,
    listers,
    externalAddress,
    log,
    signer: await startSigner(options, log),
    storageOf: (group, resource) => served.find(group, resource)?.storage,
  });
}

function startStorageMetrics(
  { flags }: ServerOptions,
  served: ServedResources,
  { backend }: ClosableStorageFactory,
): () => void {
  return registerStorageMetrics(metrics, {
    storages: () => openStorages(served),
    backend,
    sizeIntervalMs: flags["etcd-db-metric-poll-interval"],
  });
}

/** Adds and removes resources as their CustomResourceDefinitions come and go. */
function followDefinitions(
  { health }: ApiServerConfig,
  served: ServedResources,
  storage: ClosableStorageFactory,
  groups: Groups,
): CustomResources {
  const customs = new CustomResources({
    served,
    storage,
    builtIn: groups,
    onError: (error) => logError("Following CustomResourceDefinitions failed", error),
  });
  const synced = health.addPostStartHook("crd-informer-synced");
  void customs.synced.then(() => synced());
  return customs;
}

function install(options: ServerOptions, storage: ClosableStorageFactory) {
  return installResources({
    storage,
    hookSettings: hookSettings(options, storage),
    isServed: (resource) => isServed(options.runtimeConfig, resource),
    storageMediaType: storageMediaType(options),
  });
}

function hookSettings({ flags }: ServerOptions, { backend }: ClosableStorageFactory): HookSettings {
  const { base, size } = flags["service-node-port-range"];
  return {
    serviceClusterIpRanges: serviceRanges(flags),
    serviceNodePortRange: { first: base, last: base + size - 1 },
    backend,
    etcdPrefix: flags["etcd-prefix"],
  };
}
const storageMediaType = ({ flags }: ServerOptions) =>
  flags["storage-media-type"].includes("json") ? "json" : "protobuf";

function repairOf(options: ServerOptions, storage: ClosableStorageFactory) {
  let repair: ReturnType<typeof serviceRepair> | undefined;
  return async (now: Date): Promise<void> => {
    repair ??= serviceRepair(storage, hookSettings(options, storage), storageMediaType(options));
    await repair(now);
  };
}

function apiSettings({ flags }: ServerOptions, gate: ApiSettings["gate"]): ApiSettings {
  return {
    gate,
    allowPrivileged: flags["allow-privileged"],
    eventTtlSeconds: Math.round(flags["event-ttl"] / 1000),
    minRequestTimeoutSeconds: flags["min-request-timeout"],
    deleteCollectionWorkers: flags["delete-collection-workers"],
  };
}

/** Health, metrics, version, discovery and OpenAPI: what is no resource. */
function ownPaths(
  config: ApiServerConfig,
  serverAddress: string,
  groups: Groups,
  customs: CustomResources,
) {
  const { flags } = config.options;
  const startedAt = new Date(config.startedAt);
  const openApi = new OpenApiWithCustoms(
    { groups, version: KUBERNETES_MINOR_VERSION, descriptions: descriptionsFile() },
    openApiV3Paths(groups),
    customs,
  );
  return [
    systemPaths({
      health: config.health,
      versionOverride: flags.version.startsWith("v") ? flags.version : undefined,
      metrics: (which) => config.scrape(which),
      resetMetrics: () => config.resetMetrics(),
      profiling: flags.profiling,
      flags: () => printFlags(flags),
      startedAt,
    }),
    freshPaths("/apis", discoveryPaths({ groups: () => customs.groups(), serverAddress }), customs),
    openApiPaths({ service: () => openApi, startedAt }),
  ];
}

/** Made by the build from the client package's typings; "" where it was not there. */
function descriptionsFile(): string {
  const file = fileURLToPath(new URL("./openapi-descriptions.json", import.meta.url));
  const built = file.endsWith("/src/openapi-descriptions.json")
    ? file.replace("/src/", "/dist/")
    : file;
  return existsSync(built) ? built : "";
}

async function openStore({ options, storage }: ApiServerConfig): Promise<ClosableStorageFactory> {
  const log = (message: string) => logInfo(message);
  if (storage !== undefined) {
    const { openStorage } = await import("./storage/cacher/open-storage.ts");
    return openStorage(storage, log);
  }
  // Without the addon: this is the only front thread, and its caches are plain JavaScript.
  const { openBackend, openOthers } = await import("./storage/cacher/open-backend.ts");
  const { createRuntimeCodec } = await import("./storage/runtime-codec.ts");
  const { modernized } = await import("./storage/modernize.ts");
  const config = backendConfig(options);
  const backend = await openBackend(config, () => {});
  const etcdPrefix = options.flags["etcd-prefix"];
  const codec = createRuntimeCodec(structOf, modernized);
  const { encryptionOf } = await import("./storage/value/encryption.ts");
  const encryption = await encryptionOf(encryptionSource(options), log);
  const stores = [{ resources: undefined, backend }, ...openOthers(config)].map((store) => ({
    ...store,
    factory: createStorageFactory(store.backend, {
      etcdPrefix,
      codec,
      log,
      encryption: encryption.transformerFor,
    }),
  }));
  const [main, ...others] = stores;
  if (main === undefined) throw new Error("there is no store");
  const close = async () => {
    encryption.close();
    for (const store of stores) {
      await store.factory.close();
      await store.backend.close();
    }
  };
  const factoryOf = (resource: string) =>
    (others.find(({ resources }) => resources?.includes(resource)) ?? main).factory;
  return {
    backend,
    for: (of) => factoryOf(of.resource).for(of),
    remove: (of) => factoryOf(of.resource).remove?.(of),
    close,
    encryption,
  };
}

function addStoreChecks({ options, health }: ApiServerConfig, storage: ClosableStorageFactory) {
  const { flags } = options;
  health.add("etcd", () => storage.backend.health(flags["etcd-healthcheck-timeout"]));
  health.add("etcd-readiness", () => storage.backend.health(flags["etcd-readycheck-timeout"]), [
    "readyz",
  ]);
  if (storage.encryption?.hasPlugins) {
    health.add("kms-providers", () => checkPlugins(storage), ["healthz", "readyz"]);
  }
}

function checkPlugins({ encryption }: ClosableStorageFactory): void {
  const [sick] = encryption?.problems() ?? [];
  if (sick === undefined) return;
  const { name, error } = sick;
  throw new Error(`${name}: ${error instanceof Error ? error.message : String(error)}`);
}

/** Ready means: what authorizers decide by has been read. */
function addInformerCheck(health: HealthRegistry, synced: Promise<void>): void {
  let isSynced = false;
  void synced.then(() => {
    isSynced = true;
  });
  const check = () => {
    if (!isSynced) throw new Error("informers not synced yet");
  };
  health.add("informer-sync", check, ["readyz"]);
}

/** Of a custom resource, storage is made when it is first asked for; metrics do not ask. */
function openStorages(served: ServedResources): Storage[] {
  return served
    .all()
    .filter(({ custom }) => custom?.isOpen() !== false)
    .flatMap(({ storage }) => storage ?? []);
}
