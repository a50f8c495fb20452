/**
 * The discovery documents as plain objects and as bytes. Pure functions of the served groups.
 * Upstream: apiserver/pkg/endpoints/discovery, kube-aggregator's handler_apis.go.
 */
import { createHash } from "node:crypto";
import { apiVersionOf } from "../../apimachinery/runtime/gvk.ts";
import type { JsonObject } from "../../apimachinery/runtime/json.ts";
import { encodeJson } from "../../apimachinery/runtime/json-encode.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import type { BuiltInSubresource } from "../../apis/schemas.ts";
import { structOf } from "../../apis/schemas.ts";
import type { ServedGroup, ServedResource, ServedVersion } from "./resources.ts";

const META = "k8s.io/apimachinery/pkg/apis/meta/v1";

/** A discovery object and the schema that encodes it, as JSON, YAML or protobuf. */
export interface DiscoveryDocument {
  readonly object: JsonObject;
  readonly schema: StructSchema;
}

/** The parameters of aggregated discovery's media types; clients ask for it on /api and /apis. */
export const AGGREGATED_PARAMETERS = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/** `GET /api`. `serverAddress` is `host:port` as clients reach it. */
export function apiVersions(serverAddress: string): DiscoveryDocument {
  return {
    schema: structOf(`${META}.APIVersions`),
    object: {
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
    },
  };
}

function groupObject({ group, versions }: ServedGroup): JsonObject {
  const list = versions.map(({ version }) => ({
    groupVersion: apiVersionOf({ group, version }),
    version,
  }));
  return { name: group, versions: list, ...(list[0] && { preferredVersion: { ...list[0] } }) };
}

/** `GET /apis`: every group but the core. */
export function apiGroupList(groups: readonly ServedGroup[]): DiscoveryDocument {
  return {
    schema: structOf(`${META}.APIGroupList`),
    object: {
      kind: "APIGroupList",
      apiVersion: "v1",
      groups: groups.filter(({ group }) => group !== "").map(groupObject),
    },
  };
}

/** `GET /apis/<group>`. */
export function apiGroup(group: ServedGroup): DiscoveryDocument {
  return {
    schema: structOf(`${META}.APIGroup`),
    object: { kind: "APIGroup", apiVersion: "v1", ...groupObject(group) },
  };
}

/** `GET /api/v1` and `GET /apis/<group>/<version>`. The core's document names no apiVersion. */
export function apiResourceList(
  group: string,
  { version, resources }: ServedVersion,
): DiscoveryDocument {
  const entries = byName(resources, (resource) => resource.resource).flatMap((resource) => [
    resourceObject(resource),
    ...subresourcesOf(resource).map((sub) => subresourceObject(resource, sub)),
  ]);
  return {
    schema: structOf(`${META}.APIResourceList`),
    object: {
      kind: "APIResourceList",
      ...(group === "" ? {} : { apiVersion: "v1" }),
      groupVersion: apiVersionOf({ group, version }),
      resources: entries,
    },
  };
}

/** By name; those of custom resources as their definition has them. */
function subresourcesOf({ subresources, isCustom }: ServedResource): readonly BuiltInSubresource[] {
  return isCustom === true ? subresources : byName(subresources, (sub) => sub.name);
}

function byName<T>(list: readonly T[], name: (item: T) => string): T[] {
  return [...list].sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

function resourceObject(resource: ServedResource): JsonObject {
  return {
    name: resource.resource,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: [...resource.verbs],
    shortNames: [...resource.shortNames],
    categories: [...resource.categories],
    storageVersionHash: resource.storageVersionHash,
  };
}

function subresourceObject(resource: ServedResource, sub: BuiltInSubresource): JsonObject {
  return {
    name: `${resource.resource}/${sub.name}`,
    singularName: "",
    namespaced: resource.namespaced,
    group: sub.group,
    version: sub.version,
    kind: sub.kind,
    verbs: [...sub.verbs],
  };
}

/**
 * Aggregated discovery (apidiscovery.k8s.io/v2). On `/api` the list holds the core group alone, on
 * `/apis` the others: the caller passes what belongs to the path.
 */
export function aggregatedDiscovery(groups: readonly ServedGroup[]): DiscoveryDocument {
  return {
    schema: structOf("k8s.io/api/apidiscovery/v2.APIGroupDiscoveryList"),
    object: {
      kind: "APIGroupDiscoveryList",
      apiVersion: "apidiscovery.k8s.io/v2",
      metadata: {},
      items: groups.map((group) => ({
        metadata: group.group === "" ? {} : { name: group.group },
        versions: group.versions.map((version) => ({
          version: version.version,
          resources: byName(version.resources, (r) => r.resource).map((resource) =>
            aggregatedResource(group, version.version, resource),
          ),
          freshness: version.freshness ?? "Current",
        })),
      })),
    },
  };
}

function aggregatedResource(
  group: ServedGroup,
  version: string,
  resource: ServedResource,
): JsonObject {
  // Built-in kinds leave group and version empty where the enclosing version says them.
  const own =
    group.explicitKinds === true ? { group: group.group, version } : { group: "", version: "" };
  return {
    resource: resource.resource,
    responseKind: { ...own, kind: resource.kind },
    scope: resource.namespaced ? "Namespaced" : "Cluster",
    singularResource: resource.singular,
    verbs: [...resource.verbs],
    shortNames: [...resource.shortNames],
    categories: [...resource.categories],
    subresources: subresourcesOf(resource).map((sub) => ({
      subresource: sub.name,
      responseKind: {
        group: sub.group ?? own.group,
        version: sub.version ?? own.version,
        kind: sub.kind,
      },
      verbs: [...sub.verbs],
    })),
  };
}

/** The document's JSON with the newline that answers end with, and the ETag aggregated discovery has. */
export function encodeDocument({ object, schema }: DiscoveryDocument): {
  body: Buffer;
  etag: string;
} {
  const json = encodeJson(object, schema);
  return { body: Buffer.from(`${json}\n`), etag: etagOf(json) };
}

/** A quoted SHA-512 in upper-case hexadecimal. */
export function etagOf(json: string | Buffer): string {
  return `"${createHash("sha512").update(json).digest("hex").toUpperCase()}"`;
}
