/** A watch of the native cache. The pump in the addon may take it over by its nativeId. */
import {
  EncodingCode,
  NativeError,
  native,
  type ResourceId,
  type WatchId,
  type WatchOptions,
} from "../../native/binding.ts";
import { StorageError } from "../errors.ts";
import {
  asRevision,
  type Revision,
  type StorageConfig,
  type WatchCursor,
  type WatchEvent,
  type WatchEventType,
  type WatchFrom,
  type WatchRead,
  type WatchRequest,
} from "../interfaces.ts";
import { fillScratch } from "../native-codec.ts";

const fromOf = {
  StateThenChanges: "state",
  InitialEvents: "initial",
  After: "after",
  Now: "now",
} as const satisfies Record<WatchFrom["kind"], WatchOptions["from"]>;

/** Indexed as native's EventCode. */
const typeOf: readonly WatchEventType[] = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"];

export class NativeCursor implements WatchCursor {
  readonly nativeId: number | undefined;
  readonly #watch: WatchId | undefined;
  /** The revision asked for had left the ring before the watch began. */
  readonly #expired: string | undefined;
  #closed = false;
  /** How the watch ended, said after the events that came before it. */
  #end: WatchRead | undefined;

  constructor(
    config: StorageConfig,
    resource: ResourceId,
    request: WatchRequest,
    selection: Omit<WatchOptions, "from" | "revision" | "encoding" | "bookmarks">,
  ) {
    const { from, encoding, bookmarks } = request;
    const options: WatchOptions = {
      ...selection,
      from: fromOf[from.kind],
      ...(from.kind === "After" ? { revision: from.revision } : {}),
      encoding: EncodingCode[encoding],
      bookmarks,
    };
    const opened = native.watchOpen(resource, options);
    if (opened >= 0) {
      this.#watch = opened as WatchId;
      this.nativeId = opened;
      return;
    }
    if (opened !== NativeError.expired || from.kind !== "After") {
      const message = `a watch of ${config.resource} can not start (${opened})`;
      throw opened === NativeError.notReady
        ? new StorageError({ code: "NotReady", retryAfterSeconds: 1 })
        : new StorageError({ code: "Refused", message });
    }
    const oldest = native.stats(resource)?.oldestRevision ?? 0;
    this.#expired = `too old resource version: ${from.revision} (${oldest})`;
  }

  get revision(): Revision {
    return asRevision(this.#watch === undefined ? 0 : native.watchRevision(this.#watch));
  }

  read(max: number): WatchRead {
    const watch = this.#watch;
    if (this.#closed) return { kind: "closed" };
    if (watch === undefined) return { kind: "expired", message: this.#expired ?? "" };
    const events: WatchEvent[] = [];
    while (events.length < max && this.#end === undefined) {
      let result = 0;
      const json = fillScratch((target) => {
        result = native.watchNext(watch, target);
        return result;
      });
      if (json === undefined) {
        this.#end = this.#ended(watch, result);
        break;
      }
      if (json.length === 0) break;
      const type = typeOf[native.watchNextType()];
      if (type === undefined) break;
      const revision = asRevision(native.lastRevision());
      events.push({ type, revision, json: Buffer.from(json) });
    }
    if (events.length === 0 && this.#end !== undefined) return this.#end;
    return { kind: "events", events };
  }

  onReadable(callback: () => void): void {
    if (this.#watch !== undefined) native.onReadable(this.#watch, callback);
    else setImmediate(callback);
  }

  bookmark(): void {
    if (this.#watch !== undefined && !this.#closed) native.watchBookmark(this.#watch);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#watch !== undefined) native.watchClose(this.#watch);
  }

  #ended(watch: WatchId, result: number): WatchRead {
    if (result !== NativeError.expired) return { kind: "closed" };
    return { kind: "expired", message: native.watchError(watch) };
  }
}
