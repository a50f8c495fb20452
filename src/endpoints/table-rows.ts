/**
 * A page of a list as Table rows, written one by one: metadata is copied from the cache's own bytes,
 * and the cells of an object's last state are kept as text, with gaps where its ages go.
 */
import { LRUCache } from "lru-cache";
import type { KubeObject } from "../apimachinery/meta/types.ts";
import { decodeStored } from "../registry/generic/object-codec.ts";
import type { ServedResource } from "../registry/generic/served-resource.ts";
import { agesAsOf, DeferredClock, splitAtAges } from "../registry/printers/human.ts";
import { type Printer, printerFor } from "../registry/printers/printers.ts";
import type { Encoding, ListItem, ListPage } from "../storage/interfaces.ts";

/** Rows whose cells each thread keeps: some 300 bytes each. */
const KEPT_ROWS_MAX = 32_768;

const READ_MS = 1;
/** How ListItem.into says how much room it needs. */
const TOO_SMALL = -100;

interface KeptRow {
  readonly revision: number;
  readonly parts: readonly string[];
}
const kept = new LRUCache<string, KeptRow>({ max: KEPT_ROWS_MAX });

/** Numbers a served resource: when a custom resource changes, its rows are other ones. */
const numbers = new WeakMap<ServedResource, number>();
let numbersGiven = 0;
function numberOf(resource: ServedResource): number {
  const known = numbers.get(resource);
  if (known !== undefined) return known;
  numbers.set(resource, ++numbersGiven);
  return numbersGiven;
}

/** What of the object stands in its row: nothing, its metadata, or all of it. */
export type RowObject = undefined | Extract<Encoding, "metadata-json" | "json">;

export class TableRows {
  readonly #resource: ServedResource;
  readonly #printer: Printer;
  readonly #page: ListPage;
  readonly #include: RowObject;
  readonly #now: number;
  readonly #before: string;
  #index = -1;
  /** What did not fit into the last target. */
  #rest: Buffer | undefined;

  /** `before` is the document up to `"rows":[`. The page must have item(). */
  constructor(resource: ServedResource, page: ListPage, include: RowObject, before: string) {
    this.#resource = resource;
    this.#printer = printerFor(resource);
    this.#page = page;
    this.#include = include;
    this.#now = Date.now();
    this.#before = before;
  }

  /**
   * Writes the next bytes of the document into `target`; 0 at the end. Cells that have to be made
   * take their time: after a millisecond it returns with what there is.
   */
  read(target: Uint8Array): number {
    const out = Buffer.from(target.buffer, target.byteOffset, target.length);
    const until = performance.now() + READ_MS;
    let at = this.#takeRest(out);
    while (at < out.length && this.#index <= this.#page.count) {
      if (at > 0 && this.#index % 8 === 0 && performance.now() > until) return at;
      const end = this.#writeNext(out, at);
      if (end < 0 && at > 0) return at;
      if (end < 0) this.#keepNext(-end);
      at = end < 0 ? this.#takeRest(out) : end;
    }
    return at;
  }

  #takeRest(out: Buffer): number {
    const rest = this.#rest;
    if (rest === undefined) return 0;
    const size = rest.copy(out);
    this.#rest = size < rest.length ? rest.subarray(size) : undefined;
    return size;
  }

  /** A part that is longer than the target. */
  #keepNext(needed: number): void {
    let room = Buffer.allocUnsafe(needed);
    let end = this.#writeNext(room, 0);
    while (end < 0) {
      room = Buffer.allocUnsafe(-end);
      end = this.#writeNext(room, 0);
    }
    this.#rest = room.subarray(0, end);
  }

  /** The end of what was written at `at`, or minus the room it needs there. */
  #writeNext(out: Buffer, at: number): number {
    const { count } = this.#page;
    const isRow = this.#index >= 0 && this.#index < count;
    const end = isRow
      ? this.#writeRow(out, at, this.#index)
      : writeText(out, at, this.#index < 0 ? this.#before : "]}\n");
    if (end >= 0) this.#index++;
    return end;
  }

  #writeRow(out: Buffer, at: number, index: number): number {
    const item = this.#page.item?.(index);
    if (item === undefined) throw new Error("a page without items of its own");
    const text = agesAsOf(this.#partsOf(item), this.#now);
    const head = `${index === 0 ? "" : ","}${text},"object":${this.#include === undefined ? "null}" : ""}`;
    const start = writeText(out, at, head);
    if (start < 0 || this.#include === undefined) return start;
    const size = item.into(this.#include, out.subarray(start, -1));
    if (size <= TOO_SMALL) return at - start + (size - TOO_SMALL) - 1;
    if (size <= 0) throw new Error(`${item.name} can not be read`);
    out[start + size] = 0x7d; // }
    return start + size + 1;
  }

  /** The row up to its object, as splitAtAges gives it. */
  #partsOf(item: ListItem): readonly string[] {
    const key = `${numberOf(this.#resource)} ${item.name}`;
    const known = kept.get(key);
    if (known?.revision === item.revision) return known.parts;
    const { name, revision } = item;
    const stored = { name, revision, json: item.json() };
    const object = decodeStored<KubeObject>(stored, this.#resource.storageSchema);
    this.#resource.hooks?.decorate?.(object);
    const served = this.#resource.fromStorage(object);
    const clock = new DeferredClock();
    const parts = splitAtAges(rowText(this.#printer, served, clock), clock);
    if (parts === undefined) return [rowText(this.#printer, served, new Date(this.#now))];
    kept.set(key, { revision, parts });
    return parts;
  }
}

function rowText(printer: Printer, object: KubeObject, now: Date): string {
  const { cells, conditions } = printer.row(object, now);
  const row = conditions === undefined ? { cells } : { cells, conditions };
  return escaped(JSON.stringify(row)).slice(0, -1);
}

/** As Go's encoder leaves it. */
export function escaped(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function writeText(out: Buffer, at: number, text: string): number {
  const most = text.length * 3;
  return most > out.length - at ? -most : at + out.write(text, at);
}
