/** From the flags to the store's configuration. */
import { join } from "node:path";
import type { ServerOptions } from "./options/options.ts";
import { isServed } from "./options/runtime-config.ts";
import { storageConfigs } from "./registry/storage-config.ts";
import type { BackendConfig, CacheThreadConfig, EtcdOverride } from "./storage/cacher/control.ts";
import type { EncryptionSource } from "./storage/value/encryption.ts";

/** Overrides of the same servers share their connections. */
function overridesOf(texts: readonly string[], tls: object): EtcdOverride[] {
  const byServers = new Map<string, string[]>();
  for (const text of texts) {
    const [name = "", servers = ""] = text.split("#");
    const [group = "", resource = ""] = name.split("/");
    const known = byServers.get(servers) ?? [];
    known.push(group === "" ? resource : `${resource}.${group}`);
    byServers.set(servers, known);
  }
  return [...byServers].map(([servers, resources]) => ({
    resources,
    etcd: { endpoints: servers.split(";"), ...tls },
  }));
}

export function backendConfig({ flags, embedded }: ServerOptions): BackendConfig {
  if (embedded) return { kind: "embedded", directory: join(flags["data-dir"], "store") };
  const file = (name: "caFile" | "certFile" | "keyFile", path: string) =>
    path === "" ? {} : { [name]: path };
  const tls = {
    ...file("caFile", flags["etcd-cafile"]),
    ...file("certFile", flags["etcd-certfile"]),
    ...file("keyFile", flags["etcd-keyfile"]),
  };
  const overrides = overridesOf(flags["etcd-servers-overrides"], tls);
  return { kind: "etcd", etcd: { endpoints: flags["etcd-servers"], ...tls }, overrides };
}

/** Undefined: values are stored as they are. */
export function encryptionSource(options: ServerOptions): EncryptionSource | undefined {
  const { flags, featureGateOverrides } = options;
  const file = flags["encryption-provider-config"];
  const reload = flags["encryption-provider-config-automatic-reload"];
  return file === "" ? undefined : { file, reload, kmsV1: featureGateOverrides["KMSv1"] === true };
}

export function cacheThreadConfig(options: ServerOptions): CacheThreadConfig {
  const { flags, runtimeConfig } = options;
  const encryption = encryptionSource(options);
  const mediaType = flags["storage-media-type"].includes("json") ? "json" : "protobuf";
  return {
    backend: backendConfig(options),
    etcdPrefix: flags["etcd-prefix"],
    compactionIntervalMs: flags["etcd-compaction-interval"],
    ...(encryption === undefined ? {} : { encryption }),
    resources: storageConfigs((resource) => isServed(runtimeConfig, resource), mediaType),
  };
}
