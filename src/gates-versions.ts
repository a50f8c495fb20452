/**
 * What dynamic admission asks the registry and the patch rules about objects in other versions.
 * Upstream: apiserver/pkg/admission/conversion.go; plugin/policy/mutating/patch/smd.go.
 */
import type { VersionedKind, Versions } from "./admission/dynamic/versions.ts";
import type { KubeObject } from "./apimachinery/meta/types.ts";
import { cloneJson } from "./apimachinery/runtime/clone.ts";
import {
  apiVersionOf,
  type GroupVersionKind,
  type GroupVersionResource,
} from "./apimachinery/runtime/gvk.ts";
import type { JsonObject, JsonValue } from "./apimachinery/runtime/json.ts";
import { decodeJson } from "./apimachinery/runtime/json-decode.ts";
import { encodeJson } from "./apimachinery/runtime/json-encode.ts";
import { schemaForKind } from "./apis/schemas.ts";
import { mergeTyped } from "./endpoints/fieldmanager/merge.ts";
import { deduced, type MergeType, mergeTypeOf } from "./endpoints/fieldmanager/merge-type.ts";
import { TypedValueError, validateTyped } from "./endpoints/fieldmanager/typed-value.ts";
import { isMap, type JsonMap } from "./endpoints/fieldmanager/value.ts";
import { applyJsonPatch } from "./endpoints/patch/json-patch.ts";
import type { ServedResource } from "./registry/generic/served-resource.ts";
import type { ServedResources } from "./registry/install.ts";

/** `served` may change while the server runs. */
export function createVersions(served: () => ServedResources): Versions {
  const lookup = ({ group, version, resource }: GroupVersionResource) =>
    served().lookup(group, version, resource);
  /** The resource itself; undefined for a subresource whose objects are of a kind of their own. */
  const ownerOf = ({ resource, kind }: VersionedKind) => {
    const found = lookup(resource);
    return found !== undefined && sameKind(found.kind, kind) ? found : undefined;
  };
  return {
    equivalents(resource, subresource) {
      const own = lookup(resource);
      if (own === undefined) return [];
      return served()
        .all()
        .filter((one) => one !== own && sameKind(one.storageKind, own.storageKind))
        .filter((one) => subresource === "" || one.subresources.has(subresource))
        .map((one) => ({ resource: one.gvr, kind: kindOf(one, subresource) }));
    },
    convert(object, to) {
      const owner = ownerOf(to);
      const copy = cloneJson(object) as KubeObject;
      const converted = owner?.fromStorage(copy) ?? copy;
      const named = { ...converted, kind: to.kind.kind, apiVersion: apiVersionOf(to.kind) };
      const schema =
        owner?.protobuf === false ? undefined : (owner?.schema ?? schemaForKind(to.kind));
      // As clients would read it: what is empty is not there.
      return schema === undefined
        ? named
        : (JSON.parse(encodeJson(named as unknown as JsonObject, schema)) as KubeObject);
    },
    readBack(object, from) {
      const owner = ownerOf(from);
      // What is no built-in kind is kept as it is: its registry prunes and defaults it.
      if (owner?.protobuf === false) return owner.toStorage(object as KubeObject);
      const schema = owner?.schema ?? schemaForKind(from.kind);
      if (schema === undefined) return object as KubeObject;
      const decoded = decodeJson(JSON.stringify(object), schema, { strict: "Ignore" });
      const read = decoded.object as unknown as KubeObject;
      if (owner === undefined) return read;
      owner.setDefaults(read);
      return owner.toStorage(read);
    },
    apply: (object, configuration, { kind }) => applied(object, configuration, kind),
    patch: (object, operations) =>
      applyJsonPatch(object as unknown as JsonValue, operations, "Ignore").document,
    resourceOf(apiVersion, kind) {
      const found = served()
        .all()
        .find((one) => one.kind.kind === kind && apiVersionOf(one.kind) === apiVersion);
      return found && { resource: found.gvr, kind: found.kind, namespaced: found.namespaced };
    },
  };
}

function sameKind(left: GroupVersionKind, right: GroupVersionKind): boolean {
  return left.group === right.group && left.version === right.version && left.kind === right.kind;
}

function kindOf(resource: ServedResource, subresource: string): GroupVersionKind {
  return resource.subresources.get(subresource)?.kind ?? resource.kind;
}

/** Merges as server-side apply does, without anybody owning the fields. */
function applied(object: KubeObject, configuration: unknown, kind: GroupVersionKind): unknown {
  const schema = schemaForKind(kind);
  const type = schema === undefined ? deduced : mergeTypeOf(schema);
  const config = {
    ...(configuration as JsonMap),
    kind: object.kind,
    apiVersion: object.apiVersion,
  };
  const step = <T>(what: string, run: () => T): T => {
    try {
      return run();
    } catch (thrown) {
      if (!(thrown instanceof TypedValueError)) throw thrown;
      throw new Error(`error applying patch: ${what}: ${thrown.message}`);
    }
  };
  step("failed to convert patch object to typed object", () => validateTyped(type, config, false));
  const atomics = atomicPaths(type, config, "");
  if (atomics.length > 0) {
    const list = atomics.join(", ");
    throw new Error(
      `error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${list}`,
    );
  }
  return step("failed to merge patch", () => mergeTyped(type, object, config));
}

/** Where a configuration sets a list or a map that is one leaf: what it leaves out would be lost. */
function atomicPaths({ list, map }: MergeType, value: unknown, path: string): string[] {
  if (Array.isArray(value) && list !== undefined) {
    const inside = value.flatMap((one, index) => atomicPaths(list.elem, one, `${path}[${index}]`));
    return list.associative ? inside : [path, ...inside];
  }
  if (!isMap(value) || map === undefined) return [];
  const found = map.atomic ? [path] : [];
  for (const [name, one] of Object.entries(value)) {
    const type = map.fields.get(name)?.type;
    if (type !== undefined) found.push(...atomicPaths(type, one, `${path}.${name}`));
  }
  return found;
}
