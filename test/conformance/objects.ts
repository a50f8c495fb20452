/** Objects and short ways to use Storage, for the suites. */
import assert from "node:assert/strict";
import {
  asRevision,
  type ListPage,
  type ListRequest,
  type Storage,
  type StorageConfig,
  type Stored,
  type WatchCursor,
  type WatchEvent,
  type WatchRequest,
} from "../../src/storage/interfaces.ts";

let made = 0;
/** A resource of its own for every test, so that tests do not see each other. */
export function freshConfig(more: Partial<StorageConfig> = {}): StorageConfig {
  const plural = `widgets${process.pid}x${made++}`;
  return {
    resource: `${plural}.example.com`,
    prefix: `/example.com/${plural}/`,
    namespaced: true,
    goName: "",
    apiVersion: "example.com/v1",
    kind: "Widget",
    mediaType: "json",
    fieldPaths: ["spec.nodeName"],
    watchCache: true,
    ...more,
  };
}

export interface WidgetInit {
  readonly labels?: Record<string, string>;
  readonly node?: string;
  readonly n?: number;
}
/** JSON as the write path gives it to storage. */
export function widget(name: string, init: WidgetInit = {}): Uint8Array {
  const [namespace, short] = name.includes("/") ? name.split("/") : [undefined, name];
  const metadata = {
    ...(init.labels === undefined ? {} : { labels: init.labels }),
    name: short,
    ...(namespace === undefined ? {} : { namespace }),
    uid: `uid-${short}`,
  };
  const spec = { n: init.n ?? 0, ...(init.node === undefined ? {} : { nodeName: init.node }) };
  const object = { apiVersion: "example.com/v1", kind: "Widget", metadata, spec };
  return Buffer.from(JSON.stringify(object));
}

export interface Widget {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly resourceVersion: string;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: { readonly n: number };
}
export function parse(json: Uint8Array | undefined): Widget {
  assert.ok(json !== undefined);
  return JSON.parse(Buffer.from(json).toString()) as Widget;
}

export const mostRecent = { kind: "MostRecent" } as const;
export const any = { kind: "Any" } as const;
export const notOlder = (revision: number) =>
  ({ kind: "NotOlderThan", revision: asRevision(revision) }) as const;
export const exactly = (revision: number) =>
  ({ kind: "Exact", revision: asRevision(revision) }) as const;

/** Runs `use` on a page and closes it. */
export async function withList<T>(
  storage: Storage,
  request: Partial<ListRequest>,
  use: (page: ListPage, items: readonly Stored[]) => T,
): Promise<T> {
  const page = await storage.list({ at: mostRecent, limit: 0, ...request });
  try {
    return use(page, [...page.items()]);
  } finally {
    page.close();
  }
}
export const namesOf = (items: readonly Stored[]): string[] => items.map((item) => item.name);

/** The whole list document as text, read in small parts. */
export function documentOf(page: ListPage, token = ""): string {
  const head = { kind: "WidgetList", apiVersion: "example.com/v1", continueToken: token };
  const document = page.document("json", head);
  const parts: Buffer[] = [];
  const target = Buffer.alloc(97);
  for (let n = document.read(target); n > 0; n = document.read(target)) {
    parts.push(Buffer.from(target.subarray(0, n)));
  }
  const all = Buffer.concat(parts);
  if (document.byteLength !== undefined) assert.equal(all.length, document.byteLength);
  return all.toString();
}

export function openWatch(storage: Storage, request: Partial<WatchRequest>): Promise<WatchCursor> {
  const from = { kind: "Now" } as const;
  return storage.watch({ from, bookmarks: false, encoding: "json", ...request });
}

/** Reads at least `count` events, or fails after five seconds. */
export async function readEvents(cursor: WatchCursor, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  const deadline = Date.now() + 5000;
  let readable = (): void => {};
  cursor.onReadable(() => readable());
  while (events.length < count) {
    const next = new Promise<void>((resolve) => {
      readable = resolve;
      setTimeout(resolve, 20);
    });
    const read = cursor.read(100);
    assert.equal(read.kind, "events", JSON.stringify(read));
    if (read.kind === "events") events.push(...read.events);
    assert.ok(Date.now() < deadline, `only ${events.length} of ${count} events`);
    if (events.length < count) await next;
  }
  return events;
}
export const typesOf = (events: readonly WatchEvent[]): string[] =>
  events.map((e) =>
    e.type === "BOOKMARK" ? "BOOKMARK" : `${e.type} ${parse(e.json).metadata.name}`,
  );
