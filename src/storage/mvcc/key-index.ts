/**
 * Which revisions of which key are kept: an ordered map in memory, rebuilt at start. The values
 * stay in the log. Upstream's counterpart is etcd's treeIndex.
 */
import { createOrderedMap } from "../ordered-map.ts";
import type { RecordMeta } from "./log.ts";

/** All kept writes of one key, oldest first; never empty. */
type History = RecordMeta[];

export class KeyIndex {
  readonly #tree = createOrderedMap<History>();
  /** Keys that hold more than their one live write: what compaction has to look at. */
  readonly #dirty = new Set<string>();
  #live = 0;
  #historyBytes = 0;

  /** Keys that exist now. */
  get liveCount(): number {
    return this.#live;
  }

  /** Bytes of values that only history keeps. */
  get historyBytes(): number {
    return this.#historyBytes;
  }

  /** Adds the newest write of its key. */
  add(meta: RecordMeta): void {
    const history = this.#tree.get(meta.key);
    const before = history?.[history.length - 1];
    const wasLive = before !== undefined && !before.deleted;
    if (before !== undefined) this.#historyBytes += before.size;
    if (history === undefined) this.#tree.set(meta.key, [meta]);
    else history.push(meta);
    if (history !== undefined || meta.deleted) this.#dirty.add(meta.key);
    this.#live += Number(!meta.deleted) - Number(wasLive);
  }

  /** The newest write of `key`, deletions included. */
  newest(key: string): RecordMeta | undefined {
    const history = this.#tree.get(key);
    return history?.[history.length - 1];
  }

  /** Live keys of [start, end) as of `revision` (undefined: now), in order. `end` "\0": all. */
  *range(start: string, end: string, revision: number | undefined): Iterable<RecordMeta> {
    for (const [key, history] of this.#tree.entries(start)) {
      if (end !== "\0" && key >= end) return;
      const meta = revision === undefined ? history[history.length - 1] : at(history, revision);
      if (meta !== undefined && !meta.deleted) yield meta;
    }
  }

  /** Drops what a reader at `revision` or later can not see; returns the writes dropped. */
  compact(revision: number): RecordMeta[] {
    const dropped: RecordMeta[] = [];
    for (const key of this.#dirty) {
      const history = this.#tree.get(key);
      if (history === undefined) continue;
      const kept = compactHistory(history, revision, dropped);
      if (kept.length === 0) this.#tree.delete(key);
      else this.#tree.set(key, kept);
      if (kept.length === 0 || (kept.length === 1 && !kept[0]?.deleted)) this.#dirty.delete(key);
    }
    for (const { size } of dropped) this.#historyBytes -= size;
    return dropped;
  }
}

function at(history: History, revision: number): RecordMeta | undefined {
  for (let i = history.length - 1; i >= 0; i--) {
    const meta = history[i];
    if (meta !== undefined && meta.revision <= revision) return meta;
  }
  return undefined;
}

function compactHistory(history: History, revision: number, dropped: RecordMeta[]): History {
  let keep = 0;
  while (keep + 1 < history.length && (history[keep + 1]?.revision ?? 0) <= revision) keep++;
  const first = history[keep];
  if (first?.deleted && first.revision <= revision) keep++;
  dropped.push(...history.slice(0, keep));
  return keep === 0 ? history : history.slice(keep);
}
