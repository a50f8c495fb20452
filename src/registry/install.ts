/**
 * The served resources: the generated table joined with strategies, schemas and storage.
 * Upstream: each group's StorageProvider in pkg/registry and endpoints/installer.go.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { GroupVersionKind } from "../apimachinery/runtime/gvk.ts";
import { apiVersionOf } from "../apimachinery/runtime/gvk.ts";
import { nameIsDNSSubdomain } from "../apimachinery/validation/object-meta.ts";
import type { BuiltInResource } from "../apis/resources.ts";
import { resourceTables } from "../apis/resources.ts";
import { schemaForKind } from "../apis/schemas.ts";
import type { Storage, StorageFactory } from "../storage/interfaces.ts";
import type { ServedResource, ServedSubresource } from "./generic/served-resource.ts";
import { registrations } from "./registrations.ts";
import type {
  HookSettings,
  ResourceHooks,
  ResourceRegistration,
  Strategy,
} from "./rest/strategy.ts";
import { storageConfigOf } from "./storage-config.ts";

export interface InstallOptions {
  readonly storage: StorageFactory;
  readonly hookSettings: HookSettings;
  /** Whether a group version's resource is served: defaults and --runtime-config. */
  readonly isServed: (resource: BuiltInResource) => boolean;
  readonly storageMediaType: "protobuf" | "json";
}

/** All served resources by `group/version/resource`; for lookups by group resource see find(). */
export class ServedResources {
  readonly #byVersion = new Map<string, ServedResource>();
  readonly #byResource = new Map<string, ServedResource>();
  readonly #groupVersions = new Set<string>();

  add(resource: ServedResource): void {
    const { group, version, resource: plural } = resource.gvr;
    this.#byVersion.set(`${group}/${version}/${plural}`, resource);
    this.#groupVersions.add(`${group}/${version}`);
    const key = `${group}/${plural}`;
    const isStorageVersion =
      resource.storageKind.group === group && resource.storageKind.version === version;
    if (isStorageVersion || !this.#byResource.has(key)) this.#byResource.set(key, resource);
  }

  lookup(group: string, version: string, plural: string): ServedResource | undefined {
    return this.#byVersion.get(`${group}/${version}/${plural}`);
  }

  /** In its storage version where that is served. */
  find(group: string, plural: string): ServedResource | undefined {
    return this.#byResource.get(`${group}/${plural}`);
  }

  /** Takes back what add() did with this one. */
  remove(resource: ServedResource): void {
    const { group, version, resource: plural } = resource.gvr;
    const key = `${group}/${version}/${plural}`;
    if (this.#byVersion.get(key) !== resource) return;
    this.#byVersion.delete(key);
    const others = this.all().filter(({ gvr }) => gvr.group === group);
    if (!others.some(({ gvr }) => gvr.version === version)) {
      this.#groupVersions.delete(`${group}/${version}`);
    }
    if (this.#byResource.get(`${group}/${plural}`) !== resource) return;
    this.#byResource.delete(`${group}/${plural}`);
    const other = others.find(({ gvr }) => gvr.resource === plural);
    if (other !== undefined) this.#byResource.set(`${group}/${plural}`, other);
  }

  serves(group: string, version: string): boolean {
    return this.#groupVersions.has(`${group}/${version}`);
  }

  all(): readonly ServedResource[] {
    return [...this.#byVersion.values()];
  }
}

export function installResources(options: InstallOptions): ServedResources {
  const served = new ServedResources();
  const known = new Map(registrations.map((one) => [`${one.group}/${one.resource}`, one]));
  const hooks = new Map<string, ResourceHooks | undefined>();
  for (const table of resourceTables().resources) {
    if (!options.isServed(table)) continue;
    const key = `${table.group}/${table.resource}`;
    const registered = known.get(key);
    if (!hooks.has(key)) hooks.set(key, registered?.hooks?.(options.hookSettings));
    const resource = serve(table, registered, hooks.get(key), options);
    if (resource !== undefined) served.add(resource);
  }
  return served;
}

function serve(
  table: BuiltInResource,
  registered: ResourceRegistration | undefined,
  hooks: ResourceHooks | undefined,
  options: InstallOptions,
): ServedResource | undefined {
  const kind = { group: table.group, version: table.version, kind: table.kind };
  const storageKind = table.storage ?? kind;
  const schema = schemaForKind(kind);
  const storageSchema = schemaForKind(storageKind) ?? schema;
  if (schema === undefined || storageSchema === undefined) return undefined;
  const config = storageConfigOf(table, options.storageMediaType);
  const storage: Storage | undefined =
    config === undefined ? undefined : options.storage.for(config);
  const defaults = registered?.defaults[table.version];
  const storageDefaults = registered?.defaults[storageKind.version];
  const converter = converterOf(registered, kind, storageKind);
  return {
    gvr: { group: table.group, version: table.version, resource: table.resource },
    groupResource: { group: table.group, resource: table.resource },
    kind,
    storageKind,
    listKind: `${table.kind}List`,
    namespaced: table.namespaced,
    verbs: table.verbs,
    subresources: subresourcesOf(table),
    schema,
    storageSchema,
    strategy: registered?.strategy ?? fallbackStrategy,
    hooks,
    storage,
    fieldLabels: table.fieldLabels,
    strategicMerge: true,
    protobuf: true,
    setDefaults: defaults ?? (() => undefined),
    setStorageDefaults: storageDefaults ?? (() => undefined),
    ...converter,
  };
}

function converterOf(
  registered: ResourceRegistration | undefined,
  kind: GroupVersionKind,
  storageKind: GroupVersionKind,
) {
  const own = registered?.converters?.[kind.version];
  const isSame = kind.group === storageKind.group && kind.version === storageKind.version;
  if (isSame) {
    return { toStorage: (one: KubeObject) => one, fromStorage: (one: KubeObject) => one };
  }
  const key = `${kind.group}/${kind.version}`;
  const converter = registered?.converters?.[key] ?? own;
  const [inner, outer] = [storageKind, kind].map(apiVersionOf);
  const stamp = (object: KubeObject, apiVersion: string | undefined, name: string): KubeObject => {
    return { ...object, kind: name, apiVersion };
  };
  return {
    toStorage: (object: KubeObject) =>
      stamp(converter?.toStorage(object) ?? object, inner, storageKind.kind),
    fromStorage: (object: KubeObject) =>
      stamp(converter?.fromStorage(object) ?? object, outer, kind.kind),
  };
}

function subresourcesOf(table: BuiltInResource): ReadonlyMap<string, ServedSubresource> {
  return new Map(
    table.subresources.map((one) => [
      one.name,
      {
        name: one.name,
        kind: {
          group: one.group ?? table.group,
          version: one.version ?? table.version,
          kind: one.kind,
        },
        verbs: one.verbs,
      },
    ]),
  );
}

/** For a resource without rules of its own yet: names are checked, the rest is taken as it comes. */
const fallbackStrategy: Strategy = {
  validateName: nameIsDNSSubdomain,
  validate: () => [],
  validateUpdate: () => [],
};
