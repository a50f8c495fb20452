/** A page read from the store itself: an old revision, or a cache that is not there yet. */
import {
  asRevision,
  type KeyValue,
  type KvBackend,
  type ListPage,
  type ListRequest,
  type RangeResult,
  type Revision,
  type StorageConfig,
  type Stored,
} from "./interfaces.ts";
import { type KeySpace, prefixEnd } from "./keys.ts";
import { ArrayListPage } from "./list-page.ts";
import type { ObjectCodec } from "./object-codec.ts";
import { hasSelector, keyInScope, matchesSelectors, selectableOf } from "./predicate.ts";

/** Upstream's maxLimit: how far pages grow while a selector rejects most of what they bring. */
const MAX_PAGE = 10_000;

export interface StoreListContext {
  readonly config: StorageConfig;
  readonly keys: KeySpace;
  readonly backend: KvBackend;
  readonly codec: ObjectCodec;
}

/** `revision` undefined: the present state; the page says which revision that was. */
export async function listFromStore(
  context: StoreListContext,
  request: ListRequest,
  revision: Revision | undefined,
): Promise<ListPage> {
  const { backend, keys, config } = context;
  const selects = hasSelector(request) || request.name !== undefined;
  const scopePrefix = request.namespace === undefined ? "" : `${request.namespace}/`;
  const base = keys.keyOf(scopePrefix);
  const end = prefixEnd(base);
  let start: string = base;
  const wanted = keys.keyOf(request.startKey ?? "");
  if (request.startKey !== undefined && wanted > start) start = wanted;

  let at = revision;
  let pageSize = request.limit === 0 ? MAX_PAGE : request.limit;
  const items: Stored[] = [];
  for (;;) {
    const pinned = at === undefined ? {} : { revision: at };
    const page = await backend.range({ start, end, limit: pageSize, ...pinned });
    at ??= page.revision;
    const taken = await take(context, request, page, items);
    const last = page.kvs[taken - 1];
    const more = page.more || taken < page.kvs.length;
    const full = request.limit !== 0 && items.length >= request.limit;
    if (last === undefined || !more || full) {
      const next = more && last !== undefined;
      return new ArrayListPage({
        config,
        revision: asRevision(at),
        items,
        nextKey: next ? `${keys.nameOf(last.key)}\0` : undefined,
        remaining: next && !selects ? page.count - taken : undefined,
      });
    }
    start = `${last.key}\0`;
    pageSize = Math.min(pageSize * 2, MAX_PAGE);
  }
}

/** Adds what matches to `items` until the limit is reached; returns how many keys were looked at. */
async function take(
  context: StoreListContext,
  request: ListRequest,
  page: RangeResult,
  items: Stored[],
): Promise<number> {
  const selects = hasSelector(request);
  let looked = 0;
  for (const kv of page.kvs) {
    if (request.limit !== 0 && items.length >= request.limit) break;
    looked++;
    if (!keyInScope(context.keys.nameOf(kv.key), request)) continue;
    const object = await decode(context.codec, kv);
    if (selects && !matchesSelectors(request, selectableOf(object.json, context.config))) continue;
    items.push(object);
  }
  return looked;
}

async function decode(codec: ObjectCodec, kv: KeyValue): Promise<Stored> {
  return codec.decode({ key: kv.key, value: kv.value, revision: kv.modRevision });
}
