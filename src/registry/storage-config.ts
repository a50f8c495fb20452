/**
 * How each built-in resource is stored: from the tables alone, without any resource's rules.
 * Upstream: each group's StorageProvider in pkg/registry.
 */
import { apiVersionOf } from "../apimachinery/runtime/gvk.ts";
import type { BuiltInResource } from "../apis/resources.ts";
import { resourceTables } from "../apis/resources.ts";
import { schemaForKind } from "../apis/schemas.ts";
import type { StorageConfig } from "../storage/interfaces.ts";
import { storedFieldPath } from "./generic/field-labels.ts";

/** Stored as JSON whatever `--storage-media-type` says: their servers upstream use LegacyCodec. */
const JSON_STORED = new Set(["customresourcedefinitions", "apiservices"]);
/** Their field labels that are no paths, and need no index. */
const META_LABELS = new Set(["metadata.name", "metadata.namespace"]);

/** The storage configs of all built-in resources, each once: what the cache thread watches. */
export function storageConfigs(
  isServed: (resource: BuiltInResource) => boolean,
  storageMediaType: "protobuf" | "json",
): StorageConfig[] {
  const configs = new Map<string, StorageConfig>();
  for (const table of resourceTables().resources) {
    if (!isServed(table)) continue;
    const config = storageConfigOf(table, storageMediaType);
    if (config !== undefined && !configs.has(config.prefix)) configs.set(config.prefix, config);
  }
  return [...configs.values()];
}

const interned = new Map<string, StorageConfig>();

/** Undefined for what is not stored. */
export function storageConfigOf(
  table: BuiltInResource,
  storageMediaType: "protobuf" | "json",
): StorageConfig | undefined {
  const { storage, etcdPrefix } = table;
  if (storage === undefined || etcdPrefix === undefined) return undefined;
  const key = `${etcdPrefix}|${storageMediaType}`;
  const same = interned.get(key);
  if (same !== undefined) return same;
  const schema = schemaForKind(storage);
  // Both Event groups share one store, whose fields are core/v1's.
  const labels =
    table.group === storage.group
      ? table.fieldLabels
      : (resourceTables().resources.find(
          (one) => one.group === storage.group && one.resource === table.resource,
        )?.fieldLabels ?? table.fieldLabels);
  const config: StorageConfig = {
    resource:
      storage.group === "" ? table.resource : `${table.resource}.${table.group || storage.group}`,
    prefix: `/${etcdPrefix}/`,
    namespaced: table.namespaced,
    goName: schema?.name ?? "",
    apiVersion: apiVersionOf(storage),
    kind: storage.kind,
    mediaType: JSON_STORED.has(table.resource) ? "json" : storageMediaType,
    fieldPaths: labels
      .filter((label) => !META_LABELS.has(label))
      .map((label) => storedFieldPath(table.resource, label)),
    watchCache: table.resource !== "events",
  };
  interned.set(key, config);
  return config;
}
