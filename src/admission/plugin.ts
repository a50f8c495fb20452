/**
 * Admission plugins: values, not a class hierarchy. Mutating and validating see different types.
 * Upstream: apiserver/pkg/admission/interfaces.go.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type {
  GroupResource,
  GroupVersionKind,
  GroupVersionResource,
} from "../apimachinery/runtime/gvk.ts";
import type { UserInfo } from "../request/user-info.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

/** What is asked, by whom. `object` is in the request's version for webhooks, storage version here. */
export interface Attributes<T extends KubeObject = KubeObject> {
  readonly operation: Operation;
  readonly kind: GroupVersionKind;
  readonly resource: GroupVersionResource;
  readonly subresource: string;
  readonly namespace: string;
  /** "" on create with generateName. */
  readonly name: string;
  /** The new object; an empty object for DELETE. Plugins' admit() changes it in place. */
  readonly object: T;
  /** The stored object; undefined for CREATE and CONNECT. */
  readonly oldObject: T | undefined;
  /** CreateOptions, UpdateOptions, PatchOptions, DeleteOptions as sent. */
  readonly options: KubeObject;
  readonly dryRun: boolean;
  readonly user: UserInfo;
  addWarning(text: string): void;
  addAnnotation(key: string, value: string): void;
}

export type DeepReadonly<T> = T extends (...parameters: never[]) => unknown
  ? T
  : T extends (infer E)[]
    ? readonly DeepReadonly<E>[]
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

/** Upstream's MutationInterface and ValidationInterface. A validate() that writes won't compile. */
export interface AdmissionPlugin<T extends KubeObject = KubeObject> {
  readonly name: string;
  handles(attributes: DeepReadonly<Attributes<T>>): boolean;
  admit?(attributes: Attributes<T>): void | Promise<void>;
  validate?(attributes: DeepReadonly<Attributes<T>>): void | Promise<void>;
}

/**
 * A plugin's view of the cluster: objects from the watch cache, as upstream's informers give them.
 * Objects are fresh copies in the resource's storage version; a plugin may keep or change them.
 */
export interface Listers {
  /** From the cache, as it is now. */
  get<T extends KubeObject>(
    of: GroupResource,
    namespace: string,
    name: string,
  ): Promise<T | undefined>;
  /** From the cache; every namespace for "". */
  list<T extends KubeObject>(of: GroupResource, namespace: string): Promise<readonly T[]>;
  /** Straight from the store, for what the cache may not have yet. */
  getFresh<T extends KubeObject>(
    of: GroupResource,
    namespace: string,
    name: string,
  ): Promise<T | undefined>;
  /** Calls back after any object of the resource changed; for caches compiled from objects. */
  onChange(of: GroupResource, callback: () => void): void;
}

/** The few writes that plugins make on their own behalf. */
export interface ObjectWriter {
  /**
   * Stores `object` where the stored one still is at its resourceVersion, past admission and
   * validation; returns it as stored. Undefined when another write was faster, or it is gone.
   */
  replace<T extends KubeObject>(of: GroupResource, object: T): Promise<T | undefined>;
  /** Creates a namespace as the server itself; one that is there already is left alone. */
  createNamespace(name: string): Promise<void>;
}

/** What a plugin asks the authorizer about a user. */
export interface AccessQuestion {
  readonly user: UserInfo;
  readonly verb: string;
  readonly group: string;
  readonly version?: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Set: the question is about a path, and the resource is "". */
  readonly path?: string | undefined;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}
export interface AccessAnswer {
  /** A rule that says no and one that has no opinion are the same here. */
  readonly allowed: boolean;
  /** Of the authorizer; may be empty. */
  readonly reason: string;
}
export type MayUser = (question: AccessQuestion) => Promise<AccessAnswer>;

/** A resource that serves objects of a kind. */
export interface KindResource extends GroupResource {
  readonly version: string;
  readonly namespaced: boolean;
}
