/**
 * Follows one collection: what is there, then its changes, for ever, in one watch.
 * Upstream: client-go's reflector.
 */
import type { KubeObject } from "../apimachinery/meta/types.ts";
import type { ApiClient, WatchEventObject } from "./api-client.ts";
import { ApiError } from "./api-client.ts";

const RETRY_MIN_MS = 200;
const RETRY_MAX_MS = 10_000;
const METADATA = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

export interface InformerHandlers<T extends KubeObject> {
  /** The object as it is now; also for every object of a new list. */
  onChange(object: T): void;
  /** The object's last known state. */
  onDelete(object: T): void;
}

/**
 * Keeps what it has seen, by uid, so that it can tell what went missing while it was not watching.
 * With `metadataOnly` no more of an object is kept than its names.
 */
export class Informer<T extends KubeObject> {
  readonly #client: ApiClient;
  readonly #path: string;
  readonly #metadataOnly: boolean;
  readonly #handlers: InformerHandlers<T>;
  readonly #known = new Map<string, T>();
  readonly #signal: AbortSignal;
  /** Every object that there was has been told. */
  readonly synced: Promise<void>;
  #markSynced: () => void = () => undefined;

  /**
   * `metadataOnly`: objects have nothing but metadata, at a fraction of the cost; onDelete gets
   * nothing but uid, namespace and name.
   */
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
        version = await this.#watch(version);
        delay = RETRY_MIN_MS;
        if (version !== undefined) continue;
      } catch (error) {
        const isExpired = error instanceof ApiError && (error.code === 410 || error.code === 404);
        if (isExpired) version = undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, delay).unref());
      delay = Math.min(delay * 2, RETRY_MAX_MS);
    }
  }

  /**
   * From `from` on, or from what there is. Resolves when the server ends the watch, to the version
   * to go on from: undefined when it ended before all that there is had been told.
   */
  async #watch(from: string | undefined): Promise<string | undefined> {
    let version = from;
    /** What has not been told again; undefined once everything has been. */
    let missing = from === undefined ? new Map(this.#known) : undefined;
    const onEvent = ({ type, object }: WatchEventObject) => {
      if (type === "ERROR") {
        const { code = 0, message = "" } = object as { code?: number; message?: string };
        throw new ApiError(code, "", message);
      }
      const { uid = "", resourceVersion, annotations } = object.metadata ?? {};
      if (type === "BOOKMARK") {
        if (missing !== undefined && annotations?.[INITIAL_EVENTS_END] === "true") {
          for (const gone of missing.values()) this.#deleted(gone);
          missing = undefined;
          this.#markSynced();
        }
      } else {
        missing?.delete(uid);
        if (type === "DELETED") this.#deleted(object as T);
        else this.#changed(object as T);
      }
      if (missing === undefined) version = resourceVersion ?? version;
    };
    let failure: unknown;
    const guarded = (event: WatchEventObject) => {
      try {
        if (failure === undefined) onEvent(event);
      } catch (error) {
        failure = error;
      }
    };
    const accept = this.#metadataOnly ? METADATA : "application/json";
    const path = `${this.#path}?${queryOf(from)}`;
    await this.#client.watch(path, guarded, this.#signal, accept);
    if (failure !== undefined) throw failure;
    return version;
  }

  #changed(object: T): void {
    this.#known.set(object.metadata?.uid ?? "", this.#metadataOnly ? namesOf(object) : object);
    this.#handlers.onChange(object);
  }
  #deleted(object: T): void {
    this.#known.delete(object.metadata?.uid ?? "");
    this.#handlers.onDelete(object);
  }
}

/** The first state may be a little old: what follows it is not lost. */
function queryOf(from: string | undefined): string {
  const query = "watch=1&allowWatchBookmarks=true&resourceVersion=";
  if (from !== undefined) return query + from;
  return `${query}0&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;
}

function namesOf<T extends KubeObject>({ metadata = {} }: T): T {
  const { uid, namespace, name } = metadata;
  return { metadata: { uid, namespace, name } } as T; // all that onDelete may use
}
