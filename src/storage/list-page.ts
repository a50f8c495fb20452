/** A ListPage over objects at hand: those of the JavaScript cache, or a page read from the store. */
import { StorageError } from "./errors.ts";
import type {
  Encoding,
  ListDocument,
  ListHead,
  ListPage,
  Revision,
  StorageConfig,
  Stored,
} from "./interfaces.ts";

export interface ListPageInit {
  readonly config: StorageConfig;
  readonly revision: Revision;
  readonly items: readonly Stored[];
  readonly nextKey: string | undefined;
  readonly remaining: number | undefined;
}

/** Documents in JSON only: the other encodings are the native cache's. */
export class ArrayListPage implements ListPage {
  readonly revision: Revision;
  readonly nextKey: string | undefined;
  readonly remaining: number | undefined;
  readonly encodings: readonly Encoding[] = ["json"];
  readonly #config: StorageConfig;
  #items: readonly Stored[];

  constructor(init: ListPageInit) {
    this.revision = init.revision;
    this.nextKey = init.nextKey;
    this.remaining = init.remaining;
    this.#config = init.config;
    this.#items = init.items;
  }
  get count(): number {
    return this.#items.length;
  }
  items(): Iterable<Stored> {
    return this.#items;
  }
  document(encoding: Encoding, head: ListHead): ListDocument {
    if (encoding !== "json") {
      const message = `no ${encoding} lists without the native cache`;
      throw new StorageError({ code: "Refused", message });
    }
    const sorted = this.#config.goName === "";
    const [before, after] = sorted ? this.#sortedFrame(head) : this.#goFrame(head);
    const skip = sorted ? 0 : typeMetaLength(this.#config);
    return new JsonListDocument(Buffer.from(before), this.#items, skip, Buffer.from(after));
  }
  close(): void {
    this.#items = [];
  }

  #goFrame(head: ListHead): [string, string] {
    const cont =
      head.continueToken === "" ? "" : `,"continue":${JSON.stringify(head.continueToken)}`;
    const left = this.remaining ? `,"remainingItemCount":${this.remaining}` : "";
    const meta = `{"resourceVersion":"${this.revision}"${cont}${left}}`;
    const kind = JSON.stringify(head.kind);
    const version = JSON.stringify(head.apiVersion);
    return [`{"kind":${kind},"apiVersion":${version},"metadata":${meta},"items":[`, "]}\n"];
  }

  /** Lists of custom resources are maps to Go, which sorts their keys. */
  #sortedFrame(head: ListHead): [string, string] {
    const left = this.remaining ? `,"remainingItemCount":${this.remaining}` : "";
    const cont = `"continue":${JSON.stringify(head.continueToken)}`;
    const meta = `{${cont}${left},"resourceVersion":"${this.revision}"}`;
    return [
      `{"apiVersion":${JSON.stringify(head.apiVersion)},"items":[`,
      `],"kind":${JSON.stringify(head.kind)},"metadata":${meta}}\n`,
    ];
  }
}

/** Built-in types carry no kind and apiVersion inside a list: how many bytes to leave out. */
function typeMetaLength(config: StorageConfig): number {
  const kind = JSON.stringify(config.kind);
  return `"kind":${kind},"apiVersion":${JSON.stringify(config.apiVersion)},`.length;
}

class JsonListDocument implements ListDocument {
  readonly byteLength: number;
  readonly #pieces: Iterator<Uint8Array>;
  #piece: Uint8Array | undefined;
  #offset = 0;

  constructor(before: Uint8Array, items: readonly Stored[], skip: number, after: Uint8Array) {
    let length = before.length + after.length + Math.max(0, items.length - 1);
    for (const item of items) length += item.json.length - skip;
    this.byteLength = length;
    this.#pieces = pieces(before, items, skip, after);
  }

  read(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      if (this.#piece === undefined) {
        const next = this.#pieces.next();
        if (next.done === true) break;
        this.#piece = next.value;
        this.#offset = 0;
      }
      const part = this.#piece.subarray(this.#offset, this.#offset + target.length - filled);
      target.set(part, filled);
      filled += part.length;
      this.#offset += part.length;
      if (this.#offset === this.#piece.length) this.#piece = undefined;
    }
    return filled;
  }
}

const COMMA = Buffer.from(",");
const BRACE = Buffer.from("{");

function* pieces(
  before: Uint8Array,
  items: readonly Stored[],
  skip: number,
  after: Uint8Array,
): Iterator<Uint8Array> {
  yield before;
  let first = true;
  for (const item of items) {
    if (!first) yield COMMA;
    first = false;
    if (skip > 0) yield BRACE;
    yield skip > 0 ? item.json.subarray(1 + skip) : item.json;
  }
  yield after;
}
