/**
 * The served resources of a CustomResourceDefinition, one for each served version. What costs
 * something, schemas and storage, is made when somebody first asks for it: of the definitions of a
 * cluster, a server sees requests for a few.
 * Upstream: apiextensions-apiserver/pkg/apiserver/customresource_handler.go, getOrCreateServingInfoFor.
 */
import { createHash } from "node:crypto";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import {
  apiVersionOf,
  type GroupResource,
  type GroupVersionKind,
} from "../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../apimachinery/runtime/json.ts";
import { type CustomObjects, customObjects } from "../apis/apiextensions/custom-object.ts";
import type { Schema } from "../apis/apiextensions/schema.ts";
import { compareVersions } from "../endpoints/discovery/resources.ts";
import type { CustomOpenApi } from "../endpoints/openapi/custom.ts";
import { customResourceStrategy } from "../registry/apiextensions/customresource/strategy.ts";
import type {
  CustomResourceParts,
  ServedResource,
  ServedSubresource,
} from "../registry/generic/served-resource.ts";
import { customPrinter } from "../registry/printers/custom.ts";
import type { Strategy } from "../registry/rest/strategy.ts";
import type { Storage, StorageConfig, StorageFactory } from "../storage/interfaces.ts";
import { bare, type Definition, type DefinitionVersion, isTrue } from "./definition.ts";

/** In upstream's order. */
const VERBS = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const SUBRESOURCE_VERBS = ["get", "patch", "update"];

/** A resource with what it holds on to. */
export interface CustomResource {
  readonly resource: ServedResource;
  /** What OpenAPI says of it. */
  readonly openApi: CustomOpenApi;
  /** Lets go of the storage, if anybody asked for it. */
  close(): void;
}

function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The texts of all versions' schemas by apiVersion, and what they say. */
interface Schemas {
  readonly schemas: Readonly<Record<string, string | undefined>>;
  readonly schemaOf: CustomResourceParts["schemaOf"];
}

/** The resources of the definition's served versions. */
export function customResources(definition: Definition, storage: StorageFactory): CustomResource[] {
  const schemas = schemaTexts(definition);
  const schemaOf = schemaIn(schemas);
  // What is made when asked for must not hold the schemas themselves: their texts are enough.
  const light = bare(definition);
  const versions = (light.spec?.versions ?? []).filter(({ served }) => served === true);
  return versions.map((version) => customResource(light, version, { schemas, schemaOf }, storage));
}

function customResource(
  definition: Definition,
  version: DefinitionVersion,
  { schemas, schemaOf }: Schemas,
  storage: StorageFactory,
): CustomResource {
  const { group = "", scope } = definition.spec ?? {};
  const {
    plural = "",
    kind: kindName = "",
    listKind = "",
  } = definition.status?.acceptedNames ?? {};
  const kind: GroupVersionKind = { group, version: version.name ?? "", kind: kindName };
  const namespaced = scope === "Namespaced";
  const schemaText = schemas[apiVersionOf(kind)];
  const schema = lazy(() => parsedSchema(schemaText));
  const objects = lazy(() =>
    customObjects({ apiVersion: apiVersionOf(kind), kind: kindName, schema: schema() }),
  );
  const fieldPaths = (version.selectableFields ?? []).map(({ jsonPath = "" }) => jsonPath.slice(1));
  const config = lazy(() => storageConfig(definition, kind, schemas, fieldPaths));
  let opened: Storage | undefined;
  const isOpen = () => opened !== undefined;
  const custom = partsOf(definition, version, schema, schemaOf, isOpen);
  const of = { group, resource: plural };
  const strategy = lazy(() => strategyOf(of, kind, custom, version));
  const resource = {
    gvr: { group, version: kind.version, resource: plural },
    groupResource: of,
    kind,
    storageKind: kind,
    listKind,
    namespaced,
    verbs: [...VERBS],
    subresources: subresourcesOf(kind, version),
    hooks: undefined,
    fieldLabels: ["metadata.name", ...(namespaced ? ["metadata.namespace"] : []), ...fieldPaths],
    strategicMerge: false,
    protobuf: false,
    custom,
    get schema() {
      return objects().struct;
    },
    get storageSchema() {
      return objects().struct;
    },
    get strategy() {
      return strategy();
    },
    get storage() {
      opened ??= storage.for(config());
      return opened;
    },
    setDefaults: (object: KubeObject) => setDefaults(objects(), object),
    setStorageDefaults: (object: KubeObject) => setDefaults(objects(), object),
    toStorage: (object: KubeObject) => object,
    fromStorage: (object: KubeObject) => object,
  };
  return {
    resource,
    openApi: openApiOf(resource, version, schemaText, fieldPaths),
    close: () => {
      if (opened !== undefined) storage.remove?.(opened.config);
    },
  };
}

function openApiOf(
  {
    kind,
    listKind,
    gvr,
    namespaced,
  }: Pick<ServedResource, "kind" | "listKind" | "gvr" | "namespaced">,
  { subresources }: DefinitionVersion,
  schema: string | undefined,
  selectableFields: readonly string[],
): CustomOpenApi {
  return {
    ...kind,
    listKind,
    plural: gvr.resource,
    namespaced,
    hasStatus: subresources?.status !== undefined,
    hasScale: subresources?.scale !== undefined,
    schema,
    selectableFields,
  };
}

function setDefaults(objects: CustomObjects, object: KubeObject): void {
  objects.setDefaults(object as unknown as JsonObject);
}

/** Undefined: the definition preserves unknown fields everywhere, or has no schema. */
function textOfSchema({ spec }: Definition, version: DefinitionVersion): string | undefined {
  const schema = version.schema?.openAPIV3Schema;
  if (schema === undefined || spec?.preserveUnknownFields === true) return undefined;
  return JSON.stringify(schema);
}

function parsedSchema(text: string | undefined): Schema | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Schema);
}

/** The texts of all versions' schemas, by apiVersion: objects may be stored in any of them. */
function schemaTexts(definition: Definition): Schemas["schemas"] {
  const { group = "", versions = [] } = definition.spec ?? {};
  return Object.fromEntries(
    versions.map((one) => [
      apiVersionOf({ group, version: one.name ?? "" }),
      textOfSchema(definition, one),
    ]),
  );
}

/** Each is read once: what is compiled from a schema is found again by the schema itself. */
function schemaIn(texts: Schemas["schemas"]): Schemas["schemaOf"] {
  const known = new Map<string, Schema | undefined>();
  return (apiVersion) => {
    if (!Object.hasOwn(texts, apiVersion)) return "unknown";
    if (!known.has(apiVersion)) known.set(apiVersion, parsedSchema(texts[apiVersion]));
    return known.get(apiVersion);
  };
}

function partsOf(
  definition: Definition,
  version: DefinitionVersion,
  schema: () => Schema | undefined,
  schemaOf: CustomResourceParts["schemaOf"],
  isOpen: () => boolean,
): CustomResourceParts {
  const printer = lazy(() => customPrinter(version.additionalPrinterColumns ?? []));
  const { scale } = version.subresources ?? {};
  const isDeprecated = version.deprecated === true;
  const text = version.deprecationWarning ?? deprecation(definition, version.name ?? "");
  return {
    definition: definition.metadata?.name ?? "",
    get schema() {
      return schema();
    },
    schemaOf,
    get printer() {
      return printer();
    },
    warnings: isDeprecated ? [text] : [],
    isTerminating: isTrue(definition, "Terminating"),
    scale: scale && {
      specReplicasPath: scale.specReplicasPath ?? "",
      statusReplicasPath: scale.statusReplicasPath ?? "",
      labelSelectorPath: scale.labelSelectorPath ?? "",
    },
    isOpen,
  };
}

/** Names the best version that is newer and not deprecated itself. */
function deprecation({ spec }: Definition, deprecated: string): string {
  const { group = "", names, versions = [] } = spec ?? {};
  const kind = names?.kind ?? "";
  const [better] = versions
    .filter((one) => one.served === true && one.deprecated !== true)
    .map(({ name = "" }) => name)
    .filter((name) => compareVersions(name, deprecated) < 0)
    .sort(compareVersions);
  const use = better === undefined ? "" : `; use ${group}/${better} ${kind}`;
  return `${group}/${deprecated} ${kind} is deprecated${use}`;
}

function strategyOf(
  of: GroupResource,
  kind: GroupVersionKind,
  custom: CustomResourceParts,
  version: DefinitionVersion,
): Strategy {
  const { scale, schema, isTerminating } = custom;
  return customResourceStrategy({
    of,
    kind,
    schema,
    isTerminating,
    hasStatus: version.subresources?.status !== undefined,
    scale: scale && {
      specReplicas: scale.specReplicasPath,
      statusReplicas: scale.statusReplicasPath,
    },
  });
}

function subresourcesOf(kind: GroupVersionKind, { subresources }: DefinitionVersion) {
  const made = new Map<string, ServedSubresource>();
  const verbs = SUBRESOURCE_VERBS;
  if (subresources?.status !== undefined) made.set("status", { name: "status", kind, verbs });
  if (subresources?.scale !== undefined) {
    const scale = { group: "autoscaling", version: "v1", kind: "Scale" };
    made.set("scale", { name: "scale", kind: scale, verbs });
  }
  return made;
}

function storageConfig(
  { spec, status, metadata }: Definition,
  kind: GroupVersionKind,
  schemas: Readonly<Record<string, string | undefined>>,
  fieldPaths: readonly string[],
): StorageConfig {
  const { group = "", scope, versions = [] } = spec ?? {};
  const { plural = "" } = status?.acceptedNames ?? {};
  const resource = `${plural}.${group}`;
  const stored = versions.find((one) => one.storage === true)?.name ?? kind.version;
  const storedAs = apiVersionOf({ group, version: stored });
  const apiVersion = apiVersionOf(kind);
  const parts = [metadata?.uid, apiVersion, storedAs, schemas, fieldPaths, spec?.conversion, scope];
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return {
    resource,
    prefix: `/${group}/${plural}/`,
    namespaced: scope === "Namespaced",
    goName: "",
    apiVersion,
    kind: kind.kind,
    mediaType: "json",
    fieldPaths,
    watchCache: true,
    custom: { cache: `${resource}/${kind.version}#${hash}`, storedAs, schemas, webhook: undefined },
  };
}
