/** A page of the native cache: a snapshot in the addon, read as items or as a whole document. */
import { EncodingCode, type ListInfo, native } from "../../native/binding.ts";
import { StorageError } from "../errors.ts";
import {
  asRevision,
  type Encoding,
  type ListDocument,
  type ListHead,
  type ListItem,
  type ListPage,
  type Revision,
  type StorageConfig,
  type Stored,
} from "../interfaces.ts";
import { fillScratch } from "../native-codec.ts";

/** Bytes of JSON made into protobuf between two turns of the loop: a millisecond of them. */
const PREPARED_AT_ONCE = 256 * 1024;

const NO_ROOM = Buffer.alloc(0);

export class NativeListPage implements ListPage {
  readonly revision: Revision;
  readonly count: number;
  readonly nextKey: string | undefined;
  readonly remaining: number | undefined;
  readonly #config: StorageConfig;
  readonly #info: ListInfo;
  #closed = false;

  constructor(config: StorageConfig, info: ListInfo) {
    this.#config = config;
    this.#info = info;
    this.revision = asRevision(info.revision);
    this.count = info.count;
    this.nextKey = info.nextKey;
    this.remaining = info.remaining;
  }

  *items(): Iterable<Stored> {
    for (let i = 0; i < this.count; i++) {
      const json = this.#jsonOf(i);
      const revision = asRevision(native.lastRevision());
      const name = native.listItemKey(this.#info.id, i);
      yield { name, revision, json };
    }
  }

  item(index: number): ListItem {
    const { id } = this.#info;
    // Nothing fits into no room: the call only tells the revision.
    native.listItem(id, index, EncodingCode.json, NO_ROOM);
    return {
      name: native.listItemKey(id, index),
      revision: asRevision(native.lastRevision()),
      json: () => this.#jsonOf(index),
      into: (encoding, target) => native.listItem(id, index, EncodingCode[encoding], target),
    };
  }

  #jsonOf(index: number): Buffer {
    const json = fillScratch((target) =>
      native.listItem(this.#info.id, index, EncodingCode.json, target),
    );
    if (json === undefined) throw this.#gone();
    return Buffer.from(json);
  }

  document(encoding: Encoding, head: ListHead): ListDocument {
    const { kind, apiVersion, continueToken } = head;
    const code = EncodingCode[encoding];
    const length = native.listDocument(this.#info.id, code, kind, apiVersion, continueToken);
    if (length < 0) throw this.#gone();
    return {
      byteLength: length,
      read: (target) => {
        const read = native.listRead(this.#info.id, target);
        if (read < 0) throw this.#gone();
        return read;
      },
    };
  }

  prepare(encoding: Encoding, signal: AbortSignal): Promise<void> | undefined {
    const left = native.listPrepare(this.#info.id, EncodingCode[encoding], PREPARED_AT_ONCE);
    return left > 0 ? this.#prepareRest(encoding, signal) : undefined;
  }

  async #prepareRest(encoding: Encoding, signal: AbortSignal): Promise<void> {
    const code = EncodingCode[encoding];
    do {
      await new Promise((resolve) => setImmediate(resolve));
    } while (!signal.aborted && native.listPrepare(this.#info.id, code, PREPARED_AT_ONCE) > 0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native.listClose(this.#info.id);
  }

  #gone(): StorageError {
    const message = `the list of ${this.#config.resource} can not be read`;
    return new StorageError({ code: "Refused", message });
  }
}
