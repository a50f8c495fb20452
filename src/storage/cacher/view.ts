/**
 * The two sides of a watch cache. Feed: what the thread that watches the store does to it. View:
 * what a thread that serves reads sees of one resource. JsCache is both, in one thread; the native
 * cache has the feed in the cache thread and a view in every front thread.
 */
import type {
  CacheStats,
  Encoding,
  ListPage,
  Revision,
  Scope,
  StorageConfig,
  Stored,
  WatchCursor,
  WatchRequest,
} from "../interfaces.ts";

/** One change of one object. */
export interface CacheChange {
  readonly name: string;
  readonly revision: Revision;
  /** The store's bytes without encryption; undefined when the object was deleted. */
  readonly value: Uint8Array | undefined;
}

/**
 * What fills one resource's cache. Called in revision order, never concurrently: a call ends when
 * its promise does. fill and apply throw (or reject with) Corrupt for an object that can not be
 * read: the cache then needs another fill.
 */
export interface CacheFeed {
  /** Starts a fill: what was there is dropped when the fill ends. Old watches expire then. */
  beginFill(): void;
  fill(items: readonly CacheChange[]): void | Promise<void>;
  /** The cache now equals the store at `revision`, and serves. */
  endFill(revision: Revision): void;
  apply(changes: readonly CacheChange[]): void | Promise<void>;
  /** Nothing up to `revision` is missing any more. */
  advance(revision: Revision): void;
  /** The cache may be behind by an unknown amount from now on: reads get NotReady. */
  lost(): void;
}

/** Which objects a page takes: everything in the scope from `startKey` on, up to `limit`. */
export interface PageRequest extends Scope {
  readonly limit: number;
  readonly startKey?: string;
}

/** One resource's cache as a reader sees it. */
export interface ResourceView {
  readonly config: StorageConfig;
  /** False while it is filled: every read then has to go to the store or wait. */
  readonly ready: boolean;
  /** Everything up to here is in the cache. */
  readonly revision: Revision;
  /** Resolves to false when the cache is not ready within the time. */
  waitReady(timeoutMs: number): Promise<boolean>;
  /** Resolves to false when the cache has not seen `revision` within the time. */
  waitFor(revision: Revision, timeoutMs: number): Promise<boolean>;
  get(name: string): Stored | undefined;
  /** Result as Storage.getInto's; absent where there are no encoded objects. */
  getInto?(name: string, encoding: Encoding, target: Uint8Array): number;
  list(request: PageRequest): ListPage;
  /** A page as of an older revision; undefined when the cache does not keep that state. */
  listAt(revision: Revision, request: PageRequest): ListPage | undefined;
  /** The state to start from has been waited for by the caller. */
  watch(request: WatchRequest): WatchCursor;
  count(): number;
  stats?(): CacheStats | undefined;
}
