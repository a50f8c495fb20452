/**
 * One resource in one served version, with all that handlers need of it: names, schemas, strategy,
 * storage and conversion. Made once at start (and again when a custom resource changes).
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type {
  GroupResource,
  GroupVersionKind,
  GroupVersionResource,
} from "../../apimachinery/runtime/gvk.ts";
import type { StructSchema } from "../../apimachinery/runtime/type-schema.ts";
import type { Schema } from "../../apis/apiextensions/schema.ts";
import type { Storage } from "../../storage/interfaces.ts";
import type { Printer } from "../printers/printers.ts";
import type { ResourceHooks, Strategy } from "../rest/strategy.ts";

export interface ServedSubresource {
  readonly name: string;
  readonly kind: GroupVersionKind;
  readonly verbs: readonly string[];
}

/** What a CustomResourceDefinition says of one of its versions, beyond what every resource has. */
export interface CustomResourceParts {
  /** The definition's name: `crontabs.stable.example.com`. */
  readonly definition: string;
  readonly schema: Schema | undefined;
  /** The other served versions' schemas, by apiVersion: managed fields may be of any of them. */
  schemaOf(apiVersion: string): Schema | undefined | "unknown";
  readonly printer: Printer;
  /** Warnings of every request: the version is deprecated. */
  readonly warnings: readonly string[];
  /** The definition is being deleted: nothing is created any more. */
  readonly isTerminating: boolean;
  /** JSONPaths of the scale subresource; undefined without one. */
  readonly scale:
    | {
        readonly specReplicasPath: string;
        readonly statusReplicasPath: string;
        readonly labelSelectorPath: string;
      }
    | undefined;
  /** Whether anybody has asked for its storage. */
  isOpen(): boolean;
}

export interface ServedResource {
  readonly gvr: GroupVersionResource;
  readonly groupResource: GroupResource;
  readonly kind: GroupVersionKind;
  readonly storageKind: GroupVersionKind;
  readonly listKind: string;
  readonly namespaced: boolean;
  /** As discovery lists them. */
  readonly verbs: readonly string[];
  readonly subresources: ReadonlyMap<string, ServedSubresource>;
  /** The request version's and the storage version's shapes. */
  readonly schema: StructSchema;
  readonly storageSchema: StructSchema;
  readonly strategy: Strategy;
  readonly hooks: ResourceHooks | undefined;
  /** Undefined for virtual resources (reviews, bindings, component statuses). */
  readonly storage: Storage | undefined;
  /** Labels a field selector may name in this version. */
  readonly fieldLabels: readonly string[];
  /** False where upstream refuses strategic merge (custom resources). */
  readonly strategicMerge: boolean;
  /** Whether the wire may be protobuf (not for custom resources). */
  readonly protobuf: boolean;
  /** Of custom resources, whose definition says what is special to a built-in kind elsewhere. */
  readonly custom?: CustomResourceParts;
  /** Fills in the request version's defaults. */
  setDefaults(object: KubeObject): void;
  /** Fills in the storage version's defaults, for what mutating admission added. */
  setStorageDefaults(object: KubeObject): void;
  toStorage(object: KubeObject): KubeObject;
  fromStorage(object: KubeObject): KubeObject;
}

/** True when bytes of the storage version can be served as they are. */
export function servesStorageVersion(resource: ServedResource): boolean {
  return resource.storage?.config.apiVersion === apiVersionText(resource.kind);
}

function apiVersionText({ group, version }: GroupVersionKind): string {
  return group === "" ? version : `${group}/${version}`;
}

/** Whether the store keeps this resource as protobuf, which knows no empty lists. */
export function keepsProtobuf({ storage }: ServedResource): boolean {
  return storage?.config.mediaType === "protobuf";
}

/** `default/web-0` or `node-1`: the object's key below the resource's prefix. */
export function storageName(resource: ServedResource, namespace: string, name: string): string {
  return resource.namespaced ? `${namespace}/${name}` : name;
}
