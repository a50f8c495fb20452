/**
 * Follows all objects of one resource, one change at a time: what authorizers compile their indexes
 * from. Costs what changes, not what exists, and resumes by itself.
 * Upstream: client-go's shared informers.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { Storage, WatchCursor } from "../storage/interfaces.ts";

const EVENTS_PER_READ = 512;
const RESUME_DELAY_MS = 500;

export interface InformerHandler<T extends KubeObject> {
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
  let known = new Map<string, T>();
  let cursor: WatchCursor | undefined;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let resolveSynced: () => void = () => {};
  const synced = new Promise<void>((resolve) => {
    resolveSynced = resolve;
  });
  const retry = () => {
    if (closed) return;
    timer = setTimeout(() => follow().catch(failed), RESUME_DELAY_MS);
    timer.unref();
  };
  const failed = (error: unknown) => {
    onError(error);
    retry();
  };

  const follow = async () => {
    const from = { kind: "InitialEvents", at: { kind: "Any" } } as const;
    const opened = await storage.watch({ from, bookmarks: true, encoding: "json" });
    if (closed) {
      opened.close();
      return;
    }
    cursor = opened;
    let missing: Map<string, T> | undefined = known;
    known = new Map();
    const take = (type: string, json: Uint8Array) => {
      if (type === "BOOKMARK") {
        for (const gone of missing?.values() ?? []) handler.remove(gone);
        missing = undefined;
        resolveSynced();
        return;
      }
      const object = JSON.parse(decoder.decode(json)) as T;
      const name = nameOf(object);
      missing?.delete(name);
      if (type === "DELETED") {
        known.delete(name);
        handler.remove(object);
        return;
      }
      known.set(name, object);
      handler.upsert(object);
    };
    const readAll = () => {
      for (;;) {
        const read = opened.read(EVENTS_PER_READ);
        if (read.kind !== "events") {
          opened.close();
          // What was not seen again yet is kept until the next full read says it is gone.
          for (const [name, object] of missing ?? []) if (!known.has(name)) known.set(name, object);
          retry();
          return;
        }
        if (read.events.length === 0) return;
        for (const { type, json } of read.events) take(type, json);
      }
    };
    opened.onReadable(() => guarded(readAll, onError));
    guarded(readAll, onError);
  };

  follow().catch(failed);
  return {
    synced,
    close() {
      closed = true;
      clearTimeout(timer);
      cursor?.close();
      known.clear();
    },
  };
}

function guarded(run: () => void, onError: (error: unknown) => void): void {
  try {
    run();
  } catch (error) {
    onError(error);
  }
}

function nameOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}
