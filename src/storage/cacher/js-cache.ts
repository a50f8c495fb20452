/**
 * The watch cache in plain JavaScript: an ordered map of objects and a ring of their changes. The
 * native cache's slow twin: its oracle in tests, and what serves where the addon can not load.
 */

import {
  asRevision,
  type ListPage,
  type Revision,
  type StorageConfig,
  type Stored,
  type WatchCursor,
  type WatchRequest,
} from "../interfaces.ts";
import { ArrayListPage } from "../list-page.ts";
import type { ObjectCodec } from "../object-codec.ts";
import { createOrderedMap, type OrderedMap } from "../ordered-map.ts";
import {
  hasSelector,
  keyInScope,
  matchesSelectors,
  type Selectable,
  selectableOf,
} from "../predicate.ts";
import { JsCursor } from "./js-cursor.ts";
import type { CacheChange, CacheFeed, PageRequest, ResourceView } from "./view.ts";

/** What upstream's ring grows to at most, and a bound in bytes beside it. */
const RING_EVENTS = 102_400;
const RING_BYTES = 64 * 1024 * 1024;

/** An object of the cache; what selectors see of it is read out on first need. */
export class CachedObject implements Stored {
  readonly name: string;
  readonly revision: Revision;
  readonly json: Uint8Array;
  readonly #config: StorageConfig;
  #selectable: Selectable | undefined;

  constructor(name: string, revision: Revision, json: Uint8Array, config: StorageConfig) {
    this.name = name;
    this.revision = revision;
    this.json = json;
    this.#config = config;
  }
  get selectable(): Selectable {
    this.#selectable ??= selectableOf(this.json, this.#config);
    return this.#selectable;
  }
}

/** One change in the ring: the object before and after it. */
export interface RingEvent {
  readonly revision: Revision;
  readonly name: string;
  readonly previous: CachedObject | undefined;
  readonly current: CachedObject | undefined;
}

interface Waiter {
  readonly isMet: () => boolean;
  readonly settle: (met: boolean) => void;
}

export class JsCache implements CacheFeed, ResourceView {
  readonly config: StorageConfig;
  readonly #codec: Pick<ObjectCodec, "served">;
  #items = createOrderedMap<CachedObject>();
  #filling: OrderedMap<CachedObject> | undefined;
  #ready = false;
  #revision = asRevision(0);
  #ring: RingEvent[] = [];
  #ringBytes = 0;
  /** Sequence number of the ring's first event; a cursor holds the number it reads next. */
  #ringStart = 0;
  /** Changes after this revision are all in the ring. */
  #ringAfter = asRevision(0);
  readonly #waiters = new Set<Waiter>();
  readonly #cursors = new Set<JsCursor>();
  #waking = false;

  constructor(config: StorageConfig, codec: Pick<ObjectCodec, "served">) {
    this.config = config;
    this.#codec = codec;
  }

  // -- feed -----------------------------------------------------------------------------------

  beginFill(): void {
    this.#filling = createOrderedMap();
  }

  fill(items: readonly CacheChange[]): void {
    for (const item of items) {
      const object = this.#object(item);
      if (object !== undefined) this.#filling?.set(item.name, object);
    }
  }

  endFill(revision: Revision): void {
    if (this.#filling !== undefined) this.#items = this.#filling;
    this.#filling = undefined;
    // Whoever was watching has lost events: a gap in the numbers expires their cursors.
    this.#ringStart += this.#ring.length + 1;
    this.#ring = [];
    this.#ringBytes = 0;
    this.#ringAfter = revision;
    this.#revision = revision;
    this.#ready = true;
    this.#wake();
  }

  apply(changes: readonly CacheChange[]): void {
    for (const change of changes) {
      const { name, revision } = change;
      const previous = this.#items.get(name);
      const current = this.#object(change);
      if (current === undefined && previous === undefined) continue;
      if (current === undefined) this.#items.delete(name);
      else this.#items.set(name, current);
      this.#ring.push({ revision, name, previous, current });
      this.#ringBytes += ringSize({ previous, current });
      this.#revision = revision;
    }
    this.#trim();
    this.#wake();
  }

  advance(revision: Revision): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    this.#wake();
  }

  lost(): void {
    this.#ready = false;
  }

  // -- view -----------------------------------------------------------------------------------

  get ready(): boolean {
    return this.#ready;
  }
  get revision(): Revision {
    return this.#revision;
  }

  waitReady(timeoutMs: number): Promise<boolean> {
    return this.#wait(() => this.#ready, timeoutMs);
  }
  waitFor(revision: Revision, timeoutMs: number): Promise<boolean> {
    return this.#wait(() => this.#ready && this.#revision >= revision, timeoutMs);
  }

  get(name: string): Stored | undefined {
    return this.#items.get(name);
  }

  list(request: PageRequest): ListPage {
    const selects = hasSelector(request);
    const limit = request.limit === 0 ? Infinity : request.limit;
    const items: CachedObject[] = [];
    let after = 0;
    for (const item of this.#inScope(request)) {
      if (selects && !matchesSelectors(request, item.selectable)) continue;
      if (items.length < limit) items.push(item);
      else {
        after++;
        if (selects) break; // upstream gives no count with selectors
      }
    }
    const last = items[items.length - 1];
    return new ArrayListPage({
      config: this.config,
      revision: this.#revision,
      items,
      nextKey: after > 0 && last !== undefined ? `${last.name}\0` : undefined,
      remaining: after > 0 && !selects ? after : undefined,
    });
  }

  listAt(revision: Revision, request: PageRequest): ListPage | undefined {
    const newest = this.#ring[this.#ring.length - 1]?.revision ?? this.#ringAfter;
    if (revision < newest || revision > this.#revision) return undefined;
    const page = this.list(request);
    return page.revision === revision ? page : withRevision(page, revision, this.config);
  }

  watch(request: WatchRequest): WatchCursor {
    const from = request.from;
    const after = from.kind === "After" ? from.revision : this.#revision;
    const state = from.kind === "StateThenChanges" || from.kind === "InitialEvents";
    const cursor = new JsCursor(this, request, {
      sequence: from.kind === "After" ? this.#sequenceAfter(after) : this.#ringEnd(),
      after,
      state: state ? this.list({ ...request, limit: 0 }).items() : undefined,
      detach: () => this.#cursors.delete(cursor),
    });
    this.#cursors.add(cursor);
    return cursor;
  }

  count(): number {
    return this.#items.size;
  }

  // -- for cursors ----------------------------------------------------------------------------

  /** The event with this number; "wrapped" when the ring has lost it, undefined at the end. */
  eventAt(sequence: number): RingEvent | "wrapped" | undefined {
    if (sequence < this.#ringStart) return "wrapped";
    return this.#ring[sequence - this.#ringStart];
  }
  /** Changes after this revision are all in the ring. */
  get ringAfter(): Revision {
    return this.#ringAfter;
  }

  #object({ name, revision, value }: CacheChange): CachedObject | undefined {
    if (value === undefined) return undefined;
    const json = this.#codec.served(name, value, revision);
    return new CachedObject(name, revision, json, this.config);
  }

  #ringEnd(): number {
    return this.#ringStart + this.#ring.length;
  }

  #sequenceAfter(revision: Revision): number {
    if (revision < this.#ringAfter) return -1;
    let low = 0;
    let high = this.#ring.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ring[middle]?.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#ringStart + low;
  }

  *#inScope(request: PageRequest): Iterable<CachedObject> {
    const { namespace, name, startKey } = request;
    const lowest = namespace === undefined ? "" : `${namespace}/`;
    if (name !== undefined && (namespace !== undefined || !this.config.namespaced)) {
      const item = this.#items.get(`${lowest}${name}`);
      if (item !== undefined && item.name >= (startKey ?? "")) yield item;
      return;
    }
    const start = startKey !== undefined && startKey > lowest ? startKey : lowest;
    for (const [key, item] of this.#items.entries(start)) {
      if (!key.startsWith(lowest)) return;
      if (keyInScope(key, request)) yield item;
    }
  }

  #trim(): void {
    if (this.#ring.length <= RING_EVENTS * 1.25 && this.#ringBytes <= RING_BYTES * 1.25) return;
    let drop = 0;
    while (
      this.#ring.length - drop > RING_EVENTS ||
      (this.#ringBytes > RING_BYTES && drop < this.#ring.length)
    ) {
      const event = this.#ring[drop];
      this.#ringBytes -= event === undefined ? 0 : ringSize(event);
      this.#ringAfter = event?.revision ?? this.#ringAfter;
      drop++;
    }
    this.#ring = this.#ring.slice(drop);
    this.#ringStart += drop;
  }

  #wait(isMet: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isMet()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (met: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve(met);
      };
      const waiter: Waiter = { isMet, settle };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#waiters.add(waiter);
    });
  }

  /** Reads wake at once; cursors once per turn, however many events came in it. */
  #wake(): void {
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.settle(true);
    if (this.#waking || this.#cursors.size === 0) return;
    this.#waking = true;
    setImmediate(() => {
      this.#waking = false;
      for (const cursor of this.#cursors) cursor.wake();
    });
  }
}

function withRevision(page: ListPage, revision: Revision, config: StorageConfig): ListPage {
  const { nextKey, remaining } = page;
  return new ArrayListPage({ config, revision, items: [...page.items()], nextKey, remaining });
}

function ringSize({ previous, current }: Pick<RingEvent, "previous" | "current">): number {
  return 200 + ((current ?? previous)?.json.length ?? 0);
}
