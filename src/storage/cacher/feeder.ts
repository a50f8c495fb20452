/**
 * Fills every resource's cache from one store: one watch over the whole etcd prefix, handed out by
 * resource. One stream means one position: an event of any resource tells all of them how far they
 * are, so consistent reads hardly ever have to ask for progress.
 * Upstream has a reflector per resource: storage/cacher/lister_watcher.go, client-go's reflector.
 */
import { setMaxListeners } from "node:events";
import { isStorageError } from "../errors.ts";
import {
  asRevision,
  type KvBackend,
  type KvEvent,
  type Revision,
  type StorageConfig,
} from "../interfaces.ts";
import { KeySpace, normalizeEtcdPrefix, prefixEnd } from "../keys.ts";
import { meteredFeed } from "../metrics.ts";
import type { ObjectCodec } from "../object-codec.ts";
import { pause } from "../pause.ts";
import type { CacheChange, CacheFeed } from "./view.ts";

const FILL_PAGE = 1000;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 5000;
/** Events of a resource that is being filled: beyond this the fill starts again. */
const MAX_HELD_EVENTS = 200_000;

export interface FeederOptions {
  readonly backend: KvBackend;
  readonly etcdPrefix: string;
  /** For what an operator should know; nothing secret in it. */
  readonly log?: (message: string) => void;
}

interface Entry {
  readonly config: StorageConfig;
  readonly keys: KeySpace;
  readonly feed: CacheFeed;
  readonly codec: ObjectCodec;
  /** Events that came while the fill ran; undefined when there is no fill. */
  held: KvEvent[] | undefined;
  /** The revision of the last fill. The watch may lag behind it: older events are in already. */
  filledAt: number;
  generation: number;
}

export class Feeder {
  readonly #options: FeederOptions;
  readonly #root: string;
  /** By the first part of the path under the root, the longest prefix wins: see #entryOf. */
  readonly #entries = new Map<string, Entry[]>();
  #depth = 1;
  readonly #stop = new AbortController();
  #streamAbort = new AbortController();
  #running: Promise<void> | undefined;
  /** How far the shared watch has been read. */
  #position = asRevision(0);
  #onPosition: (() => void)[] = [];
  #advancing = false;

  constructor(options: FeederOptions) {
    this.#options = options;
    this.#root = `${normalizeEtcdPrefix(options.etcdPrefix)}/`;
    setMaxListeners(0, this.#stop.signal); // every fill listens to it
  }

  /** Starts feeding `feed`; resources may be added at any time. */
  add(config: StorageConfig, feed: CacheFeed, codec: ObjectCodec): void {
    const keys = new KeySpace(this.#options.etcdPrefix, config);
    const path = keys.prefix.slice(this.#root.length, -1);
    const metered = meteredFeed(feed, config.resource);
    const start = { held: [], filledAt: 0, generation: 0 };
    const entry: Entry = { config, keys, feed: metered, codec, ...start };
    this.#entries.set(path, [...(this.#entries.get(path) ?? []), entry]);
    this.#depth = Math.max(this.#depth, path.split("/").length);
    this.#running ??= this.#run();
    void this.#fill(entry);
  }

  /** Stops feeding the resource; its cache serves no more. */
  remove(config: StorageConfig): void {
    for (const [path, entries] of this.#entries) {
      const entry = entries.find((one) => one.config === config);
      if (entry === undefined) continue;
      entry.generation++;
      entry.feed.lost();
      if (entries.length === 1) this.#entries.delete(path);
      else
        this.#entries.set(
          path,
          entries.filter((one) => one !== entry),
        );
    }
  }

  get position(): Revision {
    return this.#position;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#streamAbort.abort();
    this.#arrived();
    await this.#running;
  }

  // -- the watch ------------------------------------------------------------------------------

  async #run(): Promise<void> {
    let backOff = RETRY_MIN_MS;
    while (!this.#stop.signal.aborted) {
      try {
        if (this.#position === 0) {
          const revision = await this.#options.backend.currentRevision(this.#stop.signal);
          this.#moveTo(revision);
        }
        this.#streamAbort = new AbortController();
        if (this.#stop.signal.aborted) return;
        await this.#follow(this.#streamAbort.signal);
        backOff = RETRY_MIN_MS;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        if (isStorageError(error, "Compacted")) this.#restart();
        this.#options.log?.(`watch of ${this.#root} ended: ${String(error)}`);
        await pause(backOff, this.#stop.signal);
        backOff = Math.min(backOff * 2, RETRY_MAX_MS);
      }
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const from = asRevision(this.#position + 1);
    for await (const message of this.#options.backend.watch(this.#root, from, signal)) {
      if (message.kind === "events") await this.#deliver(message.events);
      else this.#moveTo(message.revision);
    }
  }

  async #deliver(events: readonly KvEvent[]): Promise<void> {
    const batches = new Map<Entry, KvEvent[]>();
    for (const event of events) {
      for (const entry of this.#entriesOf(event.key)) {
        if (entry.held !== undefined) {
          this.#hold(entry, event);
          continue;
        }
        const batch = batches.get(entry);
        if (batch === undefined) batches.set(entry, [event]);
        else batch.push(event);
      }
    }
    for (const [entry, batch] of batches) {
      await this.#applyOrRefill(entry, batch);
    }
    const last = events[events.length - 1];
    if (last !== undefined) this.#moveTo(last.revision);
  }

  /** An object that can not be read takes its resource's cache out of service, and no other. */
  async #applyOrRefill(entry: Entry, batch: readonly KvEvent[]): Promise<void> {
    try {
      const changes = await this.#decrypt(entry, batch);
      if (entry.held !== undefined) for (const event of batch) this.#hold(entry, event);
      else if (changes.length > 0) await entry.feed.apply(changes);
    } catch (error) {
      this.#options.log?.(`watching ${entry.config.resource}: ${String(error)}`);
      entry.feed.lost();
      void this.#fill(entry);
    }
  }

  #hold(entry: Entry, event: KvEvent): void {
    entry.held?.push(event);
    if ((entry.held?.length ?? 0) > MAX_HELD_EVENTS) void this.#fill(entry);
  }

  #moveTo(revision: Revision): void {
    if (revision <= this.#position) return;
    this.#position = revision;
    this.#arrived();
    if (this.#advancing) return;
    this.#advancing = true;
    setImmediate(() => this.#advance());
  }

  /** Once per turn, however many events came in it: it touches every resource. */
  #advance(): void {
    this.#advancing = false;
    for (const entry of [...this.#entries.values()].flat()) {
      if (entry.held !== undefined || this.#position <= entry.filledAt) continue;
      entry.feed.advance(this.#position);
    }
  }

  #arrived(): void {
    const waiting = this.#onPosition;
    this.#onPosition = [];
    for (const go of waiting) go();
  }

  /** History is gone before we had read it: everything is filled anew from the present state. */
  #restart(): void {
    this.#position = asRevision(0);
    for (const entry of [...this.#entries.values()].flat()) {
      entry.feed.lost();
      void this.#fill(entry);
    }
  }

  // -- fills ----------------------------------------------------------------------------------

  async #fill(entry: Entry): Promise<void> {
    const generation = ++entry.generation;
    const stale = (): boolean => generation !== entry.generation || this.#stop.signal.aborted;
    entry.held = [];
    for (let backOff = RETRY_MIN_MS; !stale(); backOff = Math.min(backOff * 2, RETRY_MAX_MS)) {
      try {
        // The events after the listed state must come through the watch: it has to run first.
        while (this.#position === 0 && !stale()) {
          await new Promise<void>((resolve) => this.#onPosition.push(resolve));
        }
        if (stale()) return;
        const revision = await this.#list(entry, stale);
        if (revision === undefined || stale()) return;
        await this.#catchUp(entry, revision, stale);
        return;
      } catch (error) {
        this.#options.log?.(`filling ${entry.config.resource}: ${String(error)}`);
        await pause(backOff, this.#stop.signal);
      }
    }
  }

  /** Hands the state of one revision to the feed, in pages; returns that revision. */
  async #list(entry: Entry, stale: () => boolean): Promise<Revision | undefined> {
    entry.feed.beginFill();
    const end = prefixEnd(entry.keys.prefix);
    let start = entry.keys.prefix;
    let revision: Revision | undefined;
    for (;;) {
      const at = revision === undefined ? {} : { revision };
      const request = { start, end, limit: FILL_PAGE, ...at };
      const page = await this.#options.backend.range(request, this.#stop.signal);
      if (stale()) return undefined;
      revision ??= page.revision;
      const items: CacheChange[] = [];
      for (const kv of page.kvs) {
        const revision = kv.modRevision;
        const opened = entry.codec.decrypt({ key: kv.key, value: kv.value, revision });
        const value = opened instanceof Promise ? await opened : opened;
        items.push({ name: entry.keys.nameOf(kv.key), revision, value });
      }
      await entry.feed.fill(items);
      if (stale()) return undefined;
      const last = page.kvs[page.kvs.length - 1];
      if (!page.more || last === undefined) return revision;
      start = `${last.key}\0`;
    }
  }

  async #catchUp(entry: Entry, revision: Revision, stale: () => boolean): Promise<void> {
    entry.feed.endFill(revision);
    entry.filledAt = revision;
    for (;;) {
      const held = entry.held ?? [];
      if (held.length === 0) break;
      entry.held = [];
      const changes = await this.#decrypt(entry, held);
      if (stale()) return;
      if (changes.length > 0) await entry.feed.apply(changes);
      if (stale()) return;
    }
    entry.held = undefined;
    if (this.#position > revision) entry.feed.advance(this.#position);
  }

  async #decrypt(entry: Entry, events: readonly KvEvent[]): Promise<CacheChange[]> {
    const changes: CacheChange[] = [];
    for (const event of events) {
      const { revision } = event;
      if (revision <= entry.filledAt) continue;
      const name = entry.keys.nameOf(event.key);
      const opened = event.type === "DELETE" ? undefined : entry.codec.decrypt(event);
      changes.push({ name, revision, value: opened instanceof Promise ? await opened : opened });
    }
    return changes;
  }

  /**
   * The entries whose prefix the key has: `services/specs` before `services`. Custom resources have
   * one for each version that is in use.
   */
  #entriesOf(key: string): readonly Entry[] {
    let end = this.#root.length;
    let found: readonly Entry[] | undefined;
    for (let depth = 0; depth < this.#depth; depth++) {
      end = key.indexOf("/", end);
      if (end < 0) break;
      found = this.#entries.get(key.slice(this.#root.length, end)) ?? found;
      end++;
    }
    return found ?? [];
  }
}
