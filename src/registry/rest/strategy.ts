/**
 * What one resource decides for itself; everything else is the generic store's. A strategy is a
 * value made of small functions, in src/registry/<group>/<resource>/strategy.ts; it delegates to
 * src/apis/<group>/<version>/{defaults,validation}.ts. Upstream: registry/rest/{create,update,
 * delete}.go and the strategy.go files.
 */
import type { KubeObject } from "../../apimachinery/meta/types.ts";
import type { ErrorList } from "../../apimachinery/validation/field.ts";
import type { UserInfo } from "../../request/user-info.ts";
import type { KvBackend, Storage } from "../../storage/interfaces.ts";

/** What a strategy may know of the request. */
export interface StrategyContext {
  readonly user: UserInfo;
  /** "" for cluster-scoped resources. */
  readonly namespace: string;
  /** The version of the request, e.g. `autoscaling/v1`; objects come in the storage version. */
  readonly requestApiVersion: string;
  readonly subresource: string;
  readonly dryRun: boolean;
  /** Whether a feature gate is on. */
  readonly gate: (name: string) => boolean;
  /** Server options some rules depend on. */
  readonly allowPrivileged: boolean;
  /** Now, in RFC3339 seconds; injected so that tests can stand still. */
  readonly now: () => Date;
  /** A Warning header of the answer, for what a strategy sees only while it prepares an object. */
  addWarning?(text: string): void;
}

/** Says what is wrong with a name (empty: nothing). `prefix` when it is a generateName. */
export type NameRule = (name: string, prefix: boolean) => readonly string[];

export interface Strategy<T extends KubeObject = KubeObject> {
  readonly validateName: NameRule;
  /** Events: upstream's validation has metadata rules of its own; the generic ones are skipped. */
  readonly ownMetadataRules?: boolean;
  /** The rules of metadata that upstream's update validation of the kind repeats. */
  readonly updateMetadataRules?: MetadataRules;
  /** Drops what a client may not set (status), sets generation. Changes `object` in place. */
  prepareForCreate?(context: StrategyContext, object: T): void;
  /**
   * Every error beyond the metadata rules: the generic store runs those for all kinds before this,
   * on create validateObjectMeta with `validateName`, on update those of every kind and then those
   * of `updateMetadataRules`. A strategy does not repeat them.
   */
  validate(context: StrategyContext, object: T): ErrorList;
  warningsOnCreate?(context: StrategyContext, object: T): string[];
  /** Restores what a client may not change, bumps generation. Changes `object` in place. */
  prepareForUpdate?(context: StrategyContext, object: T, old: T): void;
  validateUpdate(context: StrategyContext, object: T, old: T): ErrorList;
  warningsOnUpdate?(context: StrategyContext, object: T, old: T): string[];
  /** Brings a valid object to its stored form; sees no errors. */
  canonicalize?(object: T): void;
  /** PUT on a missing name creates. */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without resourceVersion overwrites. Default true, as for most built-ins. */
  readonly allowUnconditionalUpdate?: boolean;
  /** metadata.generation: upstream's strategies set 1 on create and bump when the spec changes. */
  readonly tracksGeneration?: boolean;
  /** What DELETE without a propagation policy does with dependents. */
  readonly defaultGarbageCollection?: "Background" | "Orphan" | "Unsupported";
  /** DELETE answers with the object instead of a Status. */
  readonly returnsDeletedObject?: boolean;
  /** Graceful deletion (pods): the seconds to wait, 0 for at once; undefined: no grace. */
  gracefulDeleteSeconds?(object: T, asked: number | undefined): number | undefined;
  /** Paths that applying or updating through this endpoint never owns, per API version. */
  readonly resetFields?: readonly string[];
  /** The endpoint `/status` and the like: prepare and validate of their own. */
  readonly subresources?: Readonly<Record<string, SubresourceStrategy<T>>>;
}

export interface SubresourceStrategy<T extends KubeObject = KubeObject> {
  prepareForUpdate(context: StrategyContext, object: T, old: T): void;
  validateUpdate(context: StrategyContext, object: T, old: T): ErrorList;
  warningsOnUpdate?(context: StrategyContext, object: T, old: T): string[];
  readonly resetFields?: readonly string[];
  /** Instead of resetFields: the only paths its writers may own; `*` is any item of a list. */
  readonly ownedFields?: readonly string[];
  readonly allowUnconditionalUpdate?: boolean;
  readonly updateMetadataRules?: MetadataRules;
}

/**
 * Every update passes the rules of new and of changed metadata once; most kinds then repeat those of
 * changed metadata (the default), some those of new metadata, both in an order of theirs, or none:
 * every cause is listed as often as upstream finds it.
 */
export type MetadataRules = readonly ("create" | "update")[];

/** Fills in the defaults of one API version, in place, before conversion and after each change. */
export type Defaulter<T extends KubeObject = KubeObject> = (object: T) => void;

/** Changes an object of one served version to the resource's storage version, and back. */
export interface Converter {
  toStorage(object: KubeObject): KubeObject;
  fromStorage(object: KubeObject): KubeObject;
}

/**
 * Work around the generic store's write that can be undone: allocations. Upstream: Store.BeginCreate
 * and friends. The hook gets objects in the storage version and may change `object` in place.
 */
export interface ResourceHooks<T extends KubeObject = KubeObject> {
  beginCreate?(context: HookContext, object: T): Promise<Transaction>;
  beginUpdate?(context: HookContext, object: T, old: T): Promise<Transaction>;
  /** After the object is gone from storage. */
  afterDelete?(context: HookContext, object: T): Promise<void>;
  /** On every object read or watched, for what is filled in at read time only. */
  decorate?(object: T): void;
  /**
   * Annotations that stand for a field of upstream's internal type: PartialObjectMetadata and the
   * rows of Tables are made from that, and do not have them.
   */
  readonly fieldAnnotations?: readonly string[];
}
export interface Transaction {
  /** The write succeeded. */
  commit(): Promise<void> | void;
  /** The write failed, or was a dry run. */
  revert(): Promise<void> | void;
}
/** Server options that hooks depend on. */
export interface HookSettings {
  /** `--service-cluster-ip-range`, one or two CIDRs. */
  readonly serviceClusterIpRanges: readonly string[];
  /** `--service-node-port-range`: first and last port. */
  readonly serviceNodePortRange: { readonly first: number; readonly last: number };
  /** The store itself, for objects that are no resource (`/registry/ranges/...`). */
  readonly backend: KvBackend;
  /** `--etcd-prefix`. */
  readonly etcdPrefix: string;
}
export interface HookContext extends StrategyContext {
  /** Storage of any resource, e.g. of IPAddress objects. */
  readonly storage: (group: string, resource: string) => Storage | undefined;
}

/** Everything the registry knows of a built-in resource beyond the generated resource table. */
export interface ResourceRegistration<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly resource: string;
  readonly strategy: Strategy<T>;
  /** By served version: `v1`, `v2`. A version without an entry has no defaults. */
  readonly defaults: Readonly<Record<string, Defaulter<T>>>;
  /** Made once, with the server's settings; see ResourceHooks. */
  readonly hooks?: (settings: HookSettings) => ResourceHooks<T>;
  /** By served version other than the storage version; absent: only apiVersion is rewritten. */
  readonly converters?: Readonly<Record<string, Converter>>;
}

/** Erases the object type, for the table of all registrations. */
export function registration<T extends KubeObject>(of: ResourceRegistration<T>) {
  return of as unknown as ResourceRegistration;
}
