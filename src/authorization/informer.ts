/**
 * Follows all objects of one resource, one change at a time: what authorizers compile their indexes
 * from. Costs what changes, not what exists, and resumes by itself.
 * Upstream: client-go's shared informers.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { Storage, WatchCursor, WatchEventType } from "../storage/interfaces.ts";

const EVENTS_PER_READ = 64;
/** Reading goes on after this long in a later turn: requests are waiting. */
const SLICE_MS = 4;
const RESUME_DELAY_MS = 500;

export interface InformerHandler<T extends KubeObject> {
  /**
   * What is kept of an object, from its JSON: at least its name and namespace. `known` gives what was
   * kept of `namespace/name` before. Default: everything.
   */
  read?(json: Uint8Array, known: (key: string) => T | undefined): T;
  upsert(object: T): void;
  /** The object's last state. */
  remove(object: T): void;
}

export interface Informer {
  /** Resolves once every object that existed at the start has been handed over. */
  readonly synced: Promise<void>;
  close(): void;
}

const decoder = new TextDecoder();

/** Hands every object of `storage` to `handler`, then every change. Never rejects: it tries again. */
export function startInformer<T extends KubeObject>(
  storage: Storage,
  handler: InformerHandler<T>,
  onError: (error: unknown) => void,
): Informer {
  const informer = new StorageInformer<T>(storage, handler, onError);
  informer.start();
  return informer;
}

class StorageInformer<T extends KubeObject> implements Informer {
  readonly synced: Promise<void>;
  readonly #storage: Storage;
  readonly #handler: InformerHandler<T>;
  readonly #onError: (error: unknown) => void;
  #known = new Map<string, T>();
  /** What was known before the current read of everything and has not come by again yet. */
  #missing: Map<string, T> | undefined;
  #cursor: WatchCursor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  /** Reading goes on by itself in a moment. */
  #yielded = false;
  #resolveSynced: () => void = () => {};
  readonly #knownAs = (key: string) => this.#known.get(key) ?? this.#missing?.get(key);

  constructor(storage: Storage, handler: InformerHandler<T>, onError: (error: unknown) => void) {
    this.#storage = storage;
    this.#handler = handler;
    this.#onError = onError;
    this.synced = new Promise<void>((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  start(): void {
    this.#follow().catch((error) => {
      this.#onError(error);
      this.#retry();
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#cursor?.close();
  }

  #retry(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.start(), RESUME_DELAY_MS);
    this.#timer.unref();
  }

  async #follow(): Promise<void> {
    const from = { kind: "InitialEvents", at: { kind: "Any" } } as const;
    const cursor = await this.#storage.watch({ from, bookmarks: true, encoding: "json" });
    if (this.#closed) {
      cursor.close();
      return;
    }
    this.#cursor = cursor;
    this.#missing = this.#known;
    this.#known = new Map();
    cursor.onReadable(() => this.#readAll(cursor));
    this.#readAll(cursor);
  }

  #readAll(cursor: WatchCursor): void {
    if (this.#yielded) return;
    const startedAt = performance.now();
    for (;;) {
      if (performance.now() - startedAt > SLICE_MS) {
        this.#yielded = true;
        setImmediate(() => {
          this.#yielded = false;
          if (!this.#closed) this.#readAll(cursor);
        });
        return;
      }
      const read = cursor.read(EVENTS_PER_READ);
      if (read.kind !== "events") {
        cursor.close();
        // Nothing says that these are gone: the next read of everything will.
        for (const [name, object] of this.#missing ?? []) {
          if (!this.#known.has(name)) this.#known.set(name, object);
        }
        this.#retry();
        return;
      }
      if (read.events.length === 0) return;
      for (const { type, json } of read.events) {
        try {
          this.#take(type, json);
        } catch (error) {
          this.#onError(error);
        }
      }
    }
  }

  #take(type: WatchEventType, json: Uint8Array): void {
    if (type === "BOOKMARK") {
      for (const gone of this.#missing?.values() ?? []) this.#handler.remove(gone);
      this.#missing = undefined;
      this.#resolveSynced();
      return;
    }
    const { read = parse } = this.#handler;
    const object = read(json, this.#knownAs);
    const name = nameOf(object);
    this.#missing?.delete(name);
    if (type === "DELETED") {
      this.#known.delete(name);
      this.#handler.remove(object);
      return;
    }
    this.#known.set(name, object);
    this.#handler.upsert(object);
  }
}

function parse<T>(json: Uint8Array): T {
  return JSON.parse(decoder.decode(json)) as T;
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}
