/** A serving thread's side of the native cache: one resource's reads. */
import { EncodingCode, type ListOptions, native, type ResourceId } from "../../native/binding.ts";
import { StorageError } from "../errors.ts";
import {
  asRevision,
  type CacheStats,
  type Encoding,
  type ListPage,
  type Revision,
  type Scope,
  type StorageConfig,
  type Stored,
  type WatchCursor,
  type WatchRequest,
} from "../interfaces.ts";
import { fillScratch } from "../native-codec.ts";
import { NativeCursor } from "./native-cursor.ts";
import { openNativeResource } from "./native-feed.ts";
import { NativeListPage } from "./native-list-page.ts";
import type { PageRequest, ResourceView } from "./view.ts";

interface Waiter {
  readonly isMet: () => boolean;
  readonly settle: (met: boolean) => void;
}

export class NativeView implements ResourceView {
  readonly config: StorageConfig;
  #resource: ResourceId;
  readonly #waiters = new Set<Waiter>();
  /** The cache thread has said that this cache may be behind. */
  #lost = false;
  #listening = false;

  constructor(config: StorageConfig) {
    this.config = config;
    this.#resource = openNativeResource(config);
  }

  /** From the cache thread: whether reads may be answered. */
  setReady(ready: boolean): void {
    this.#lost = !ready;
    if (ready) this.#check();
  }

  get ready(): boolean {
    return !this.#lost && this.revision > 0;
  }
  /** 0 before the first fill, and after the resource was dropped: it may be there anew then. */
  get revision(): Revision {
    const revision = native.revision(this.#resource);
    if (revision > 0) return asRevision(revision);
    const again = openNativeResource(this.config);
    if (again !== this.#resource) {
      if (this.#listening) native.onAdvance(this.#resource, undefined);
      this.#resource = again;
      if (this.#listening) native.onAdvance(again, () => this.#check());
    }
    return asRevision(native.revision(again));
  }

  waitReady(timeoutMs: number): Promise<boolean> {
    return this.#wait(() => this.ready, timeoutMs);
  }
  waitFor(revision: Revision, timeoutMs: number): Promise<boolean> {
    return this.#wait(() => this.ready && this.revision >= revision, timeoutMs);
  }

  get(name: string): Stored | undefined {
    const json = fillScratch((target) =>
      native.get(this.#resource, name, EncodingCode.json, target),
    );
    if (json === undefined || json.length === 0) return undefined;
    const revision = asRevision(native.lastRevision());
    return { name, revision, json: Buffer.from(json) };
  }

  /** Straight into the caller's buffer; the result as NativeBinding.get has it. */
  getInto(name: string, encoding: Encoding, target: Uint8Array): number {
    return native.get(this.#resource, name, EncodingCode[encoding], target);
  }

  list(request: PageRequest): ListPage {
    const page = this.#open({ ...selectionOf(request), ...pageOf(request) });
    if (page !== undefined) return page;
    throw new StorageError({ code: "NotReady", retryAfterSeconds: 1 });
  }

  listAt(revision: Revision, request: PageRequest): ListPage | undefined {
    return this.#open({ ...selectionOf(request), ...pageOf(request), revision });
  }

  watch(request: WatchRequest): WatchCursor {
    return new NativeCursor(this.config, this.#resource, request, selectionOf(request));
  }

  count(): number {
    return native.count(this.#resource);
  }
  stats(): CacheStats | undefined {
    const found = native.stats(this.#resource);
    return found && { revision: found.revision, heldEvents: found.ringEvents };
  }

  #open(options: ListOptions): ListPage | undefined {
    const info = native.listOpen(this.#resource, options);
    return typeof info === "number" ? undefined : new NativeListPage(this.config, info);
  }

  #wait(isMet: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isMet()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (met: boolean): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        this.#listen();
        resolve(met);
      };
      const waiter: Waiter = { isMet, settle };
      const timer = setTimeout(() => settle(false), timeoutMs);
      this.#waiters.add(waiter);
      this.#listen();
      // The revision may have moved before the listening started.
      if (isMet()) settle(true);
    });
  }

  /** Wake-ups from the cache thread cost something: they are asked for while somebody waits. */
  #listen(): void {
    const wanted = this.#waiters.size > 0;
    if (wanted === this.#listening) return;
    this.#listening = wanted;
    native.onAdvance(this.#resource, wanted ? () => this.#check() : undefined);
  }

  #check(): void {
    for (const waiter of [...this.#waiters]) if (waiter.isMet()) waiter.settle(true);
  }
}

function pageOf(request: PageRequest): { limit: number; startKey?: string } {
  const { limit, startKey } = request;
  return startKey === undefined ? { limit } : { limit, startKey };
}

/** A scope in the addon's words. */
export function selectionOf(scope: Scope): Omit<ListOptions, "limit" | "startKey" | "revision"> {
  const { namespace, name, labels, fields } = scope;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(labels === undefined ? {} : { labels: labels.requirements }),
    ...(fields === undefined ? {} : { fields: fields.requirements }),
    ...(labels?.nothing === true ? { nothing: true } : {}),
  };
}
