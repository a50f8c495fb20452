/**
 * Follows the CustomResourceDefinitions of the store and keeps a front thread's served resources and
 * discovery in step with them. Every thread has one, and none waits for another.
 * Upstream: apiextensions-apiserver/pkg/apiserver (the handler's and discovery's informers).
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { ServedGroup } from "../endpoints/discovery/resources.ts";
import type { CustomOpenApi } from "../endpoints/openapi/custom.ts";
import { decodeStored } from "../registry/generic/object-codec.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import type { ServedResources } from "../registry/install.ts";
import type { Storage, StorageFactory, WatchCursor } from "../storage/interfaces.ts";
import {
  bare,
  type Definition,
  definitionOf,
  fingerprint,
  isServing,
  isTrue,
} from "./definition.ts";
import { groupsWith } from "./groups.ts";
import { type CustomResource, customResources } from "./served.ts";

const EVENTS_PER_READ = 64;
const RETRY_MS = 250;
/** How long a request that found nothing waits for the newest definitions. */
const FRESH_WAIT_MS = 3000;

export interface CustomResourcesOptions {
  readonly served: ServedResources;
  readonly storage: StorageFactory;
  readonly builtIn: readonly ServedGroup[];
  readonly onError: (error: unknown) => void;
}

interface Known {
  readonly fingerprint: string;
  /** Without schemas, which are the largest part. */
  readonly definition: Definition;
  readonly resources: readonly CustomResource[];
}

export class CustomResources {
  readonly #options: CustomResourcesOptions;
  readonly #known = new Map<string, Known>();
  readonly synced: Promise<void>;
  #markSynced: () => void = () => {};
  #isSynced = false;
  #groups: readonly ServedGroup[] | undefined;
  #openApi: readonly CustomOpenApi[] | undefined;
  #cursor: WatchCursor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
    this.synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
    this.#retry(0);
  }

  /** What discovery shows: another list whenever it changes. */
  groups(): readonly ServedGroup[] {
    if (this.#groups === undefined) {
      const definitions = [...this.#known.values()].map(({ definition }) => definition);
      this.#groups = groupsWith(this.#options.builtIn, definitions);
    }
    return this.#groups;
  }

  /** Every version that OpenAPI speaks of; another list whenever it changes. */
  openApi(): readonly CustomOpenApi[] {
    this.#openApi ??= [...this.#known.values()]
      .filter(({ definition }) => isTrue(definition, "Established"))
      .flatMap(({ resources }) => resources.map((one) => one.openApi));
    return this.#openApi;
  }

  /**
   * Resolves once every definition written before the call is known here, or after a while: a client
   * that has seen its definition established on one thread may come back to another.
   */
  async upToDate(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, FRESH_WAIT_MS);
    });
    try {
      await Promise.race([this.#catchUp(), late]);
    } catch (error) {
      this.#options.onError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#cursor?.close();
  }

  async #catchUp(): Promise<void> {
    if (!this.#isSynced) await this.synced;
    // A consistent read: the cache has everything there was, and so has the cursor.
    await this.#storage()?.get("", { kind: "MostRecent" });
    this.#read();
  }

  #definitions(): ServedResource | undefined {
    return this.#options.served.find("apiextensions.k8s.io", "customresourcedefinitions");
  }
  #storage(): Storage | undefined {
    return this.#definitions()?.storage;
  }

  #retry(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.#follow().catch((error) => {
        this.#options.onError(error);
        this.#retry(RETRY_MS);
      });
    }, delayMs);
    this.#timer.unref();
  }

  /** Reads the present state, then what changes. */
  async #follow(): Promise<void> {
    const storage = this.#storage();
    if (storage === undefined) {
      this.#sync();
      return;
    }
    const page = await storage.list({ at: { kind: "MostRecent" }, limit: 0 });
    try {
      const gone = new Set(this.#known.keys());
      for (const stored of page.items()) {
        gone.delete(stored.name);
        this.#takeJson(stored.name, stored.json);
      }
      for (const name of gone) this.#drop(name);
    } finally {
      page.close();
    }
    const cursor = await storage.watch({
      from: { kind: "After", revision: page.revision },
      bookmarks: false,
      encoding: "json",
    });
    if (this.#isClosed) return cursor.close();
    this.#cursor = cursor;
    cursor.onReadable(() => this.#read());
    this.#read();
    this.#sync();
  }

  #sync(): void {
    this.#isSynced = true;
    this.#markSynced();
  }

  #read(): void {
    const cursor = this.#cursor;
    while (cursor !== undefined && this.#cursor === cursor) {
      const read = cursor.read(EVENTS_PER_READ);
      if (read.kind !== "events") {
        this.#cursor = undefined;
        cursor.close();
        this.#retry(RETRY_MS);
        return;
      }
      if (read.events.length === 0) return;
      for (const { type, json } of read.events) {
        if (type === "BOOKMARK") continue;
        const object = this.#decode(json);
        const name = object.metadata?.name ?? "";
        if (type === "DELETED") this.#drop(name);
        else this.#take(name, object);
      }
    }
  }

  #decode(json: Uint8Array): KubeObject {
    const resource = this.#definitions();
    if (resource === undefined) throw new Error("no definitions are served");
    const stored = { name: "", revision: 0 as never, json };
    return decodeStored(stored, resource.storageSchema);
  }

  #takeJson(name: string, json: Uint8Array): void {
    this.#take(name, this.#decode(json));
  }

  #take(name: string, stored: KubeObject): void {
    const definition = definitionOf(stored);
    const print = fingerprint(definition);
    const before = this.#known.get(name);
    if (before?.fingerprint === print) return;
    this.#drop(name);
    const { served, storage } = this.#options;
    const resources = isServing(definition) ? customResources(definition, storage) : [];
    const free = resources.filter(({ resource: { gvr } }) => {
      return served.lookup(gvr.group, gvr.version, gvr.resource) === undefined;
    });
    for (const { resource } of free) served.add(resource);
    this.#known.set(name, { fingerprint: print, definition: bare(definition), resources: free });
    this.#groups = undefined;
    this.#openApi = undefined;
  }

  #drop(name: string): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    this.#known.delete(name);
    this.#groups = undefined;
    this.#openApi = undefined;
    for (const { resource, close } of known.resources) {
      this.#options.served.remove(resource);
      close();
    }
  }
}
