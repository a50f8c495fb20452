/** The cache thread's side of the native cache: one resource's writer. */
import { NativeError, native, type ResourceId } from "../../native/binding.ts";
import { StorageError } from "../errors.ts";
import type { Revision, StorageConfig } from "../interfaces.ts";
import type { CacheChange, CacheFeed } from "./view.ts";

/** Opens the resource in the addon, or finds it: every thread gets the same. */
export function openNativeResource(config: StorageConfig): ResourceId {
  const { resource: name, apiVersion, kind, goName, namespaced, fieldPaths } = config;
  return native.openResource({ name, apiVersion, kind, goName, namespaced, fieldPaths });
}

export interface NativeFeedEvents {
  /** Told when the cache stops or starts to answer reads. */
  readonly onReady: (ready: boolean) => void;
}

export class NativeFeed implements CacheFeed {
  readonly #resource: ResourceId;
  readonly #events: NativeFeedEvents;

  constructor(config: StorageConfig, events: NativeFeedEvents) {
    this.#resource = openNativeResource(config);
    this.#events = events;
  }

  beginFill(): void {
    native.beginFill(this.#resource);
  }

  fill(items: readonly CacheChange[]): void {
    for (const { name, revision, value } of items) {
      if (value === undefined) continue;
      check(native.fillPut(this.#resource, name, revision, value), name);
    }
  }

  endFill(revision: Revision): void {
    native.commitFill(this.#resource, revision);
    this.#events.onReady(true);
  }

  apply(changes: readonly CacheChange[]): void {
    let bad: string | undefined;
    for (const [i, { name, revision, value }] of changes.entries()) {
      const more = changes[i + 1]?.revision === revision;
      if (value === undefined) {
        native.applyDelete(this.#resource, name, revision, more);
      } else if (native.applyPut(this.#resource, name, revision, value, more) < 0) {
        bad = name;
      }
    }
    if (bad !== undefined) check(NativeError.badValue, bad);
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

function check(result: number, key: string): void {
  if (result >= 0) return;
  const message = `the value can not be read (${result})`;
  throw new StorageError({ code: "Corrupt", key, message });
}
