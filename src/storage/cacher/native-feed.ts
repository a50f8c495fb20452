/** The cache thread's side of the native cache: one resource's writer. */
import { NativeError, native, type ResourceId } from "../../native/binding.ts";
import { customServed } from "../custom-codec.ts";
import { StorageError } from "../errors.ts";
import { cacheName, type Revision, type StorageConfig } from "../interfaces.ts";
import { isOutdated } from "../native-codec.ts";
import type { CacheChange, CacheFeed } from "./view.ts";

/** Opens the resource in the addon, or finds it: every thread gets the same. */
export function openNativeResource(config: StorageConfig): ResourceId {
  const { apiVersion, kind, goName, namespaced, fieldPaths } = config;
  return native.openResource({
    name: cacheName(config),
    apiVersion,
    kind,
    goName,
    namespaced,
    fieldPaths,
  });
}

export interface NativeFeedEvents {
  /** Told when the cache stops or starts to answer reads. */
  readonly onReady: (ready: boolean) => void;
}

export class NativeFeed implements CacheFeed {
  readonly #config: StorageConfig;
  readonly #resource: ResourceId;
  readonly #events: NativeFeedEvents;

  constructor(config: StorageConfig, events: NativeFeedEvents) {
    this.#config = config;
    this.#resource = openNativeResource(config);
    this.#events = events;
  }

  beginFill(): void {
    native.beginFill(this.#resource);
  }

  /** What is outdated waits for the code that reads old versions: few servers ever need it. */
  fill(stored: readonly CacheChange[]): void | Promise<void> {
    const items = this.#served(stored);
    const left = items.findIndex((item) => isOutdated(this.#fillPut(item, true)));
    return left < 0 ? undefined : this.#fillModern(items.slice(left));
  }

  async #fillModern(items: readonly CacheChange[]): Promise<void> {
    const modern = await modernizer(this.#config);
    for (const item of items) {
      if (!isOutdated(this.#fillPut(item, true)) || item.value === undefined) continue;
      const again = { ...item, value: modern(item.value) };
      check(this.#fillPut(again, false), item.name);
    }
  }

  /** 0, or the error of an outdated object. Throws Corrupt. */
  #fillPut({ name, revision, value }: CacheChange, complete: boolean): number {
    if (value === undefined) return 0;
    const result = native.fillPut(this.#resource, name, revision, value, complete);
    if (!isOutdated(result)) check(result, name);
    return result;
  }

  endFill(revision: Revision): void {
    native.commitFill(this.#resource, revision);
    this.#events.onReady(true);
  }

  apply(changes: readonly CacheChange[]): void | Promise<void> {
    return this.#applyFrom(this.#served(changes), 0, undefined, undefined);
  }

  /** Custom resources are brought to their version here, built-in types in the addon. */
  #served(changes: readonly CacheChange[]): readonly CacheChange[] {
    const config = this.#config;
    if (config.custom === undefined) return changes;
    return changes.map((change) => {
      if (change.value === undefined) return change;
      try {
        return { ...change, value: customServed(change.value, config) };
      } catch {
        return { ...change, value: NOTHING }; // which the addon refuses
      }
    });
  }

  /** Applies the changes from `start` on; `bad`: the name of one before that could not be read. */
  #applyFrom(
    changes: readonly CacheChange[],
    start: number,
    bad: string | undefined,
    modern: Modern | undefined,
  ): void | Promise<void> {
    let unreadable = bad;
    for (let i = start; i < changes.length; i++) {
      const { name, revision, value } = changes[i] as CacheChange;
      const more = changes[i + 1]?.revision === revision;
      if (value === undefined) {
        native.applyDelete(this.#resource, name, revision, more);
        continue;
      }
      let result = native.applyPut(this.#resource, name, revision, value, more, true);
      if (isOutdated(result)) {
        if (modern === undefined) return this.#applyModern(changes, i, unreadable);
        result = native.applyPut(this.#resource, name, revision, modern(value), more);
      }
      if (result < 0) unreadable = name;
    }
    if (unreadable !== undefined) check(NativeError.badValue, unreadable);
  }

  async #applyModern(
    changes: readonly CacheChange[],
    start: number,
    bad: string | undefined,
  ): Promise<void> {
    await this.#applyFrom(changes, start, bad, await modernizer(this.#config));
  }

  advance(revision: Revision): void {
    native.applyProgress(this.#resource, revision);
  }

  lost(): void {
    this.#events.onReady(false);
  }

  /** Frees the cache; watches of it end. */
  drop(): void {
    this.#events.onReady(false);
    native.dropResource(this.#resource);
  }
}

const NOTHING = new Uint8Array(0);

type Modern = (value: Uint8Array) => Uint8Array;

/** What can not be modernized goes on as it is: the addon refuses what it can not read. */
async function modernizer(config: StorageConfig): Promise<Modern> {
  const { modernized } = await import("../modernize.ts");
  return (value) => {
    try {
      return modernized(value, config);
    } catch {
      return value;
    }
  };
}

function check(result: number, key: string): void {
  if (result >= 0) return;
  const message = `the value can not be read (${result})`;
  throw new StorageError({ code: "Corrupt", key, message });
}
