/** A watch on the JavaScript cache: the state to start with, then the ring from a number on. */
import { setResourceVersion } from "../codec.ts";
import {
  asRevision,
  type Revision,
  type Stored,
  type WatchCursor,
  type WatchEvent,
  type WatchEventType,
  type WatchRead,
  type WatchRequest,
} from "../interfaces.ts";
import { hasSelector, keyInScope, matchesSelectors } from "../predicate.ts";
import { bookmark, initialEventsEnd } from "./bookmark.ts";
import type { CachedObject, JsCache, RingEvent } from "./js-cache.ts";

export interface CursorStart {
  /** The number of the first event to read; negative when the ring has lost it. */
  readonly sequence: number;
  readonly after: Revision;
  readonly state: Iterable<Stored> | undefined;
  readonly detach: () => void;
}

export class JsCursor implements WatchCursor {
  readonly nativeId = undefined;
  readonly #cache: JsCache;
  readonly #request: WatchRequest;
  readonly #selects: boolean;
  readonly #start: CursorStart;
  #state: Iterator<Stored> | undefined;
  #sequence: number;
  #seen: Revision;
  #callback: (() => void) | undefined;
  #wantsBookmark = false;
  #closed = false;

  constructor(cache: JsCache, request: WatchRequest, start: CursorStart) {
    this.#cache = cache;
    this.#request = request;
    this.#selects = hasSelector(request);
    this.#start = start;
    this.#state = start.state?.[Symbol.iterator]();
    this.#sequence = start.sequence;
    this.#seen = start.state === undefined ? start.after : asRevision(0);
  }

  /** 0 until the state to start with has been read. */
  get revision(): Revision {
    if (this.#state !== undefined || this.#sequence < 0) return this.#seen;
    const atEnd = this.#cache.eventAt(this.#sequence) === undefined;
    return atEnd && this.#cache.revision > this.#seen ? this.#cache.revision : this.#seen;
  }

  read(max: number): WatchRead {
    if (this.#closed) return { kind: "closed" };
    const events: WatchEvent[] = [];
    this.#readState(events, max);
    while (events.length < max && this.#state === undefined) {
      const event = this.#cache.eventAt(this.#sequence);
      if (event === undefined) {
        this.#readBookmark(events);
        break;
      }
      if (event === "wrapped") {
        if (events.length > 0) break;
        return { kind: "expired", message: this.#expiredMessage() };
      }
      this.#sequence++;
      this.#seen = event.revision;
      const seen = this.#translate(event);
      if (seen !== undefined) events.push(seen);
    }
    return { kind: "events", events };
  }

  onReadable(callback: () => void): void {
    this.#callback = callback;
  }

  /** For the cache: there may be something to read. */
  wake(): void {
    if (!this.#closed) this.#callback?.();
  }

  bookmark(): void {
    if (!this.#request.bookmarks) return;
    this.#wantsBookmark = true;
    this.wake();
  }

  close(): void {
    this.#closed = true;
    this.#state = undefined;
    this.#start.detach();
  }

  #readBookmark(events: WatchEvent[]): void {
    if (!this.#wantsBookmark) return;
    this.#wantsBookmark = false;
    const { revision } = this;
    events.push({ type: "BOOKMARK", revision, json: bookmark(this.#cache.config, revision) });
  }

  #readState(events: WatchEvent[], max: number): void {
    while (this.#state !== undefined && events.length < max) {
      const next = this.#state.next();
      if (next.done !== true) {
        const { revision, json } = next.value;
        events.push({ type: "ADDED", revision, json });
        continue;
      }
      this.#state = undefined;
      this.#seen = this.#start.after;
      if (this.#request.from.kind !== "InitialEvents") continue;
      const revision = this.#seen;
      const json = initialEventsEnd(this.#cache.config, revision);
      events.push({ type: "BOOKMARK", revision, json });
    }
  }

  #expiredMessage(): string {
    return `too old resource version: ${this.#seen} (${this.#cache.ringAfter})`;
  }

  /** What this watch's filter makes of a change; upstream: cache_watcher.go, convertToWatchEvent. */
  #translate({ revision, name, previous, current }: RingEvent): WatchEvent | undefined {
    if (revision <= this.#start.after || !keyInScope(name, this.#request)) return undefined;
    const was = this.#matches(previous);
    const is = this.#matches(current);
    if (!was && !is) return undefined;
    const type: WatchEventType = is ? (was ? "MODIFIED" : "ADDED") : "DELETED";
    if (is && current !== undefined) return { type, revision, json: current.json };
    if (previous === undefined) return undefined;
    const json = setResourceVersion(previous.json, revision, this.#cache.config);
    return { type, revision, json };
  }

  #matches(object: CachedObject | undefined): boolean {
    if (object === undefined) return false;
    return !this.#selects || matchesSelectors(this.#request, object.selectable);
  }
}
