/**
 * What the rest of the server may ask of storage. Two levels, as upstream: KvBackend is the few
 * calls a Kubernetes store needs of etcd (an etcd cluster, or the embedded store); Storage is one
 * resource's view of it, with Kubernetes' semantics, reads answered from the watch cache.
 * Upstream: apiserver/pkg/storage/interfaces.go; kine's Backend for the lower level.
 * test/conformance/ holds every implementation to the promises written here.
 */
import type { Brand } from "../apimachinery/brand.ts";
import type { FieldSelector } from "../apimachinery/fields/selector.ts";
import type { LabelSelector } from "../apimachinery/labels/selector.ts";

/** etcd's mod_revision: a total order over all writes. Exact below 2^53. */
export type Revision = Brand<number, "Revision">;
/** A whole key in the store: `/registry/pods/default/web-0`. */
export type StorageKey = Brand<string, "StorageKey">;

export const asRevision = (value: number): Revision => value as Revision;
export const asStorageKey = (value: string): StorageKey => value as StorageKey;

// ---------------------------------------------------------------------------------------------
// The lower level: keys, bytes and revisions.

export interface KeyValue {
  readonly key: StorageKey;
  readonly value: Uint8Array;
  readonly modRevision: Revision;
  readonly createRevision: Revision;
  /** Writes since creation, 1 for the first. */
  readonly version: number;
  /** 0n when the key has no lease. */
  readonly lease: bigint;
}

export interface RangeRequest {
  /** First key of the range, inclusive. */
  readonly start: string;
  /** End of the range, exclusive. */
  readonly end: string;
  /** 0 or absent: no limit. */
  readonly limit?: number;
  /** Absent: the current state, linearizable. Compacted when the store no longer has it. */
  readonly revision?: Revision;
  readonly keysOnly?: boolean;
  readonly countOnly?: boolean;
}
export interface RangeResult {
  /** The store's revision when it answered (not the revision read at). */
  readonly revision: Revision;
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  /** Keys in the whole range, whatever the limit. */
  readonly count: number;
}

/** One guarded write. `expected` 0 means: the key must not exist. `value` absent means: delete. */
export interface CasRequest {
  readonly key: StorageKey;
  readonly expected: Revision;
  readonly value?: Uint8Array;
  readonly lease?: bigint;
}
export type CasResult =
  | { readonly ok: true; readonly revision: Revision }
  /** The guard failed: what stands there now, undefined when nothing does. */
  | { readonly ok: false; readonly revision: Revision; readonly current: KeyValue | undefined };

export interface KvEvent {
  readonly type: "PUT" | "DELETE";
  readonly key: StorageKey;
  /** The revision of this write. */
  readonly revision: Revision;
  /** Empty for DELETE. */
  readonly value: Uint8Array;
  readonly createRevision: Revision;
  /**
   * The value before this write; undefined when there was none, it is compacted, or the backend
   * was opened without previous values.
   */
  readonly previous: Uint8Array | undefined;
}
export type KvWatchMessage =
  /** All events of a revision come in one message; revisions never go backwards. */
  | { readonly kind: "events"; readonly events: readonly KvEvent[] }
  /** Nothing under the prefix is missing up to and including `revision`. */
  | { readonly kind: "progress"; readonly revision: Revision };

/** Every method rejects with StorageError; none retries a write whose outcome is unknown. */
export interface KvBackend {
  range(request: RangeRequest, signal?: AbortSignal): Promise<RangeResult>;
  cas(request: CasRequest, signal?: AbortSignal): Promise<CasResult>;
  /** The store's current revision, linearizable. */
  currentRevision(signal?: AbortSignal): Promise<Revision>;
  /**
   * Every event under `prefix` from revision `from` on, in order, none missing, none twice. Fails
   * with Compacted when `from` has left the history; resumes by itself over lost connections.
   */
  watch(prefix: string, from: Revision, signal: AbortSignal): AsyncIterable<KvWatchMessage>;
  /** Asks that every open watch gets a progress message soon. */
  requestProgress(): void;
  grantLease(ttlSeconds: number): Promise<bigint>;
  revokeLease(lease: bigint): Promise<void>;
  /** Forgets history before `revision`. */
  compact(revision: Revision): Promise<void>;
  /** Rejects when the store can not serve; for /readyz and /livez. */
  health(timeoutMs: number): Promise<void>;
  sizeBytes(): Promise<number>;
  close(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// The upper level: one resource, with Kubernetes' semantics.

/**
 * Which state a read may answer from. The edge parses resourceVersion, resourceVersionMatch, limit
 * and continue into this once, so a contradiction can not reach storage.
 */
export type ReadAt =
  | { readonly kind: "MostRecent" }
  | { readonly kind: "Any" }
  | { readonly kind: "NotOlderThan"; readonly revision: Revision }
  | { readonly kind: "Exact"; readonly revision: Revision };

/** The forms in which the cache holds or makes objects, each built once and shared by all. */
export type Encoding = "json" | "protobuf" | "metadata-json" | "metadata-protobuf";

/** A record as the cache serves it: JSON in Go's field order, resourceVersion in place. */
export interface Stored {
  /** Relative to the resource's prefix: `default/web-0`, or `node-1` for cluster scope. */
  readonly name: string;
  readonly revision: Revision;
  /** JSON bytes of the object in its storage version, `kind` and `apiVersion` first. */
  readonly json: Uint8Array;
}

/** What identifies one stored resource to storage. Made once per resource by the registry. */
export interface StorageConfig {
  /** `pods`, `deployments.apps`: for messages and metrics. */
  readonly resource: string;
  /** Key prefix without the etcd prefix: `/pods/`, `/services/specs/`. */
  readonly prefix: string;
  readonly namespaced: boolean;
  /** The Go name of the stored type, for the transcoder; "" for custom resources (JSON). */
  readonly goName: string;
  readonly apiVersion: string;
  readonly kind: string;
  /** Whether the store's bytes are protobuf (built-ins) or JSON (CRDs, APIServices, customs). */
  readonly mediaType: "protobuf" | "json";
  /** JSON paths behind the selectable fields beyond metadata.name/namespace: `spec.nodeName`. */
  readonly fieldPaths: readonly string[];
  /** False for events: lists and watches go to the store itself. */
  readonly watchCache: boolean;
  /** Of a version of a custom resource: how the store's objects become that version's. */
  readonly custom?: CustomResourceCodec;
}

/**
 * Custom resources have a Storage, and a cache, for each served version that somebody asked for, as
 * upstream: what is cached is what is served, whatever version and schema an object was stored by.
 */
export interface CustomResourceCodec {
  /** Names this cache among those of the resource: changes whenever anything here does. */
  readonly cache: string;
  /** `<group>/<version>` that new values are stored in. */
  readonly storedAs: string;
  /** JSON of each version's schema, by apiVersion; undefined: everything is kept. */
  readonly schemas: Readonly<Record<string, string | undefined>>;
  /** Converts between versions; undefined: only apiVersion differs. */
  readonly webhook: CustomConversion | undefined;
}

/** A conversion webhook, as the CustomResourceDefinition has it, with the URL resolved. */
export interface CustomConversion {
  readonly url: string;
  /** Of the server's certificate; undefined: that of the URL. */
  readonly serverName: string | undefined;
  /** PEM; "": the system's authorities. */
  readonly caBundle: string;
  readonly reviewVersions: readonly string[];
}

/** What a cache goes by: the resource's name, or that of one version of a custom resource. */
export function cacheName({ resource, custom }: StorageConfig): string {
  return custom?.cache ?? resource;
}

export interface Scope {
  /** Undefined: all namespaces, or a cluster-scoped resource. */
  readonly namespace?: string;
  /** metadata.name=x of a field selector: a single key. */
  readonly name?: string;
  readonly labels?: LabelSelector;
  readonly fields?: FieldSelector;
}

export interface ListRequest extends Scope {
  readonly at: ReadAt;
  /** 0: everything. */
  readonly limit: number;
  /** From a continue token: the first key of this page, relative to the resource's prefix. */
  readonly startKey?: string;
}

export interface ListPage {
  /** The list's resourceVersion. */
  readonly revision: Revision;
  /** Items on this page. */
  readonly count: number;
  /** Where the next page starts (goes into the continue token); undefined when this is the last. */
  readonly nextKey: string | undefined;
  /** Matching items after this page; undefined with selectors. */
  readonly remaining: number | undefined;
  /** Each item's JSON, `kind` and `apiVersion` included. Lazily, from an immutable snapshot. */
  items(): Iterable<Stored>;
  /** The item at `index` without copying it; absent where items() is all there is. */
  item?(index: number): ListItem;
  /** What document() can make, where that is not everything (a page from the store itself). */
  readonly encodings?: readonly Encoding[];
  /**
   * The whole list document in `encoding`, as upstream encodes it, in chunks: writes the next part
   * into `target` and returns its length, 0 at the end. `head` gives what only the handler knows.
   * Memory is bounded by the chunk, however long the list.
   */
  document(encoding: Encoding, head: ListHead): ListDocument;
  /**
   * Makes what document() needs and nobody has wanted yet, in steps that let others in; undefined
   * when nothing is missing. Without it document() makes it at once.
   */
  prepare?(encoding: Encoding, signal: AbortSignal): Promise<void> | undefined;
  /** Frees the snapshot. Called exactly once, whatever happened. */
  close(): void;
}
/** One item of a page. Not to be used after another one was asked for. */
export interface ListItem {
  readonly name: string;
  readonly revision: Revision;
  json(): Uint8Array;
  /** Writes it as GET answers it, as Storage.getInto does. */
  into(encoding: Encoding, target: Uint8Array): number;
}
export interface ListHead {
  /** `PodList` and `v1`: kind and apiVersion of the list. */
  readonly kind: string;
  readonly apiVersion: string;
  readonly continueToken: string;
}
export interface ListDocument {
  /** Bytes in the whole document when known beforehand, for Content-Length. */
  readonly byteLength: number | undefined;
  read(target: Uint8Array): number;
}

export type WatchFrom =
  /** resourceVersion "" or "0" without sendInitialEvents: ADDED for what exists, then changes. */
  | { readonly kind: "StateThenChanges"; readonly at: ReadAt }
  /** sendInitialEvents=true: ADDED for what exists, the initial-events-end bookmark, changes. */
  | { readonly kind: "InitialEvents"; readonly at: ReadAt }
  /** Changes after this revision only. */
  | { readonly kind: "After"; readonly revision: Revision }
  /** Changes from now on (sendInitialEvents=false without a revision). */
  | { readonly kind: "Now" };

export interface WatchRequest extends Scope {
  readonly from: WatchFrom;
  readonly bookmarks: boolean;
  readonly encoding: Encoding;
}

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
export interface WatchEvent {
  readonly type: WatchEventType;
  readonly revision: Revision;
  /** JSON of the object (for DELETED: its last state under the deletion's revision). */
  readonly json: Uint8Array;
}
/** Events that are ready now. `expired` ends the watch: the client gets 410 as an ERROR event. */
export type WatchRead =
  | { readonly kind: "events"; readonly events: readonly WatchEvent[] }
  | { readonly kind: "expired"; readonly message: string }
  | { readonly kind: "closed" };

/** A cursor into the resource's event ring. Costs nothing while nobody reads it. */
export interface WatchCursor {
  /** The native watcher's id, for the pump in the addon; undefined where there is no pump. */
  readonly nativeId: number | undefined;
  /** Takes up to `max` ready events; an empty list means: wait for onReadable. */
  read(max: number): WatchRead;
  /** Calls back (on this thread, at most once per wake-up) when read() has something again. */
  onReadable(callback: () => void): void;
  /** The revision up to which this cursor has seen everything. */
  readonly revision: Revision;
  /** Makes a BOOKMARK event if the request asked for them and the cursor has seen everything. */
  bookmark(): void;
  close(): void;
}

export interface UpdateOptions {
  /** tryUpdate gets undefined for a missing object instead of NotFound being thrown. */
  readonly ignoreNotFound?: boolean;
  readonly ttlSeconds?: number;
  /** Skip the first try on cached data. */
  readonly fresh?: boolean;
  /** Takes the write back where that is still possible; it rejects with Timeout. */
  readonly signal?: AbortSignal;
}
/**
 * Makes the new object's JSON bytes (storage version, Go's encoding) of the current one. It is
 * called again, with newer data, whenever another writer got in between, so it may use nothing but
 * its argument. Returning bytes equal to the current object (resourceVersion aside) writes nothing.
 * Returning "delete" removes the object.
 */
export type TryUpdate = (current: Stored | undefined) => TryUpdateResult | Promise<TryUpdateResult>;
export type TryUpdateResult = { readonly json: Uint8Array } | "delete";

export interface CacheStats {
  readonly revision: number;
  /** Events that watches may still start from. */
  readonly heldEvents: number;
}

export interface Storage {
  readonly config: StorageConfig;
  /** Undefined when there is no such object. NotOlderThan waits as list does. */
  get(name: string, at: ReadAt): Promise<Stored | undefined>;
  /**
   * The fast path of GET: writes the object as served into `target`. Returns its bytes, 0 when
   * there is no such object, -needed - 100 when `target` is too small; undefined when only get()
   * can answer. Answers at once whenever the cache is as new as `at` asks for.
   */
  getInto?(
    name: string,
    at: ReadAt,
    encoding: Encoding,
    target: Uint8Array,
  ): number | undefined | Promise<number | undefined>;
  list(request: ListRequest): Promise<ListPage>;
  watch(request: WatchRequest): Promise<WatchCursor>;
  /** Rejects with KeyExists. `json` has no resourceVersion. `signal` as in UpdateOptions. */
  create(
    name: string,
    json: Uint8Array,
    ttlSeconds?: number,
    signal?: AbortSignal,
  ): Promise<Stored>;
  guaranteedUpdate(name: string, options: UpdateOptions, tryUpdate: TryUpdate): Promise<Stored>;
  /**
   * Removes the object. `check` sees the current state and throws to refuse; it is called again on
   * fresh data after a conflict. Resolves to the last state under the deletion's revision. `signal`
   * as in UpdateOptions.
   */
  delete(
    name: string,
    check: (current: Stored) => void | Promise<void>,
    signal?: AbortSignal,
  ): Promise<Stored>;
  /** Removes what is there without reading it; rejects with KeyNotFound or Conflict. */
  deleteUnread(name: string, signal?: AbortSignal): Promise<void>;
  /** Objects stored, from the cache: for metrics. */
  count(): number;
  /** True when the cache serves and holds nothing: a list of "any" state would be empty. */
  knownEmpty?(): boolean;
  /** How far the cache is and how much history it holds: for metrics. */
  cacheStats?(): CacheStats | undefined;
}

/** Gives every thread its Storage of a resource; the same config gives the same Storage. */
export interface StorageFactory {
  for(config: StorageConfig): Storage;
  /** Nobody here needs the resource's cache any more. */
  remove?(config: StorageConfig): void;
  readonly backend: KvBackend;
}
