/** Follows one collection: a list, then its changes, for ever. Upstream: client-go's reflector. */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { ApiClient, WatchEventObject } from "./api-client.ts";
import { ApiError } from "./api-client.ts";

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;
const LIST_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const WATCH_METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

export interface InformerHandlers<T extends KubeObject> {
  /** The object as it is now; also for every object of a new list. */
  onChange(object: T): void;
  /** The object's last known state. */
  onDelete(object: T): void;
}

/** Keeps what it has seen, by uid, so that a new list tells what went missing meanwhile. */
export class Informer<T extends KubeObject> {
  readonly #client: ApiClient;
  readonly #path: string;
  readonly #metadataOnly: boolean;
  readonly #handlers: InformerHandlers<T>;
  readonly #known = new Map<string, T>();
  readonly #signal: AbortSignal;
  readonly synced: Promise<void>;
  #markSynced: () => void = () => undefined;

  /** `metadataOnly`: objects have nothing but metadata, at a fraction of the cost. */
  constructor(
    client: ApiClient,
    path: string,
    handlers: InformerHandlers<T>,
    options: { readonly metadataOnly: boolean; readonly signal: AbortSignal },
  ) {
    this.#client = client;
    this.#path = path;
    this.#handlers = handlers;
    this.#metadataOnly = options.metadataOnly;
    this.#signal = options.signal;
    this.synced = new Promise((resolve) => {
      this.#markSynced = resolve;
    });
    void this.#run();
  }

  async #run(): Promise<void> {
    let delay = RETRY_MIN_MS;
    let version: string | undefined;
    while (!this.#signal.aborted) {
      try {
        version ??= await this.#list();
        this.#markSynced();
        version = await this.#watch(version);
        delay = RETRY_MIN_MS;
      } catch (error) {
        const isExpired = error instanceof ApiError && (error.code === 410 || error.code === 404);
        if (isExpired) version = undefined;
        await new Promise((resolve) => setTimeout(resolve, delay).unref());
        delay = Math.min(delay * 2, RETRY_MAX_MS);
      }
    }
  }

  async #list(): Promise<string> {
    const accept = this.#metadataOnly ? LIST_METADATA : "application/json";
    const list = await this.#client.list<T>(`${this.#path}?resourceVersion=0`, accept);
    const gone = new Map(this.#known);
    for (const object of list.items ?? []) {
      gone.delete(object.metadata?.uid ?? "");
      this.#changed(object);
    }
    for (const object of gone.values()) this.#deleted(object);
    return list.metadata.resourceVersion;
  }

  /** Resolves to the version to go on from when the server ends the watch. */
  async #watch(from: string): Promise<string> {
    let version = from;
    const onEvent = ({ type, object }: WatchEventObject) => {
      if (type === "ERROR") {
        const { code = 0, message = "" } = object as { code?: number; message?: string };
        throw new ApiError(code, "", message);
      }
      version = object.metadata?.resourceVersion ?? version;
      if (type === "ADDED" || type === "MODIFIED") this.#changed(object as T);
      else if (type === "DELETED") this.#deleted(object as T);
    };
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${from}`;
    const accept = this.#metadataOnly ? WATCH_METADATA : "application/json";
    let failure: unknown;
    const guarded = (event: WatchEventObject) => {
      try {
        onEvent(event);
      } catch (error) {
        failure ??= error;
      }
    };
    await this.#client.watch(`${this.#path}?${query}`, guarded, this.#signal, accept);
    if (failure !== undefined) throw failure;
    return version;
  }

  #changed(object: T): void {
    this.#known.set(object.metadata?.uid ?? "", object);
    this.#handlers.onChange(object);
  }
  #deleted(object: T): void {
    this.#known.delete(object.metadata?.uid ?? "");
    this.#handlers.onDelete(object);
  }
}
