/** Codec and encryption of one resource together: from the store's value to an object and back. */
import type { StoredCodec } from "./codec.ts";
import { StorageError } from "./errors.ts";
import type { Revision, StorageConfig, Stored } from "./interfaces.ts";
import type { KeySpace } from "./keys.ts";
import type { Decrypted, ValueTransformer } from "./value/transformer.ts";

/** The part of a KeyValue or KvEvent that makes an object. */
export interface RawObject {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: Revision;
}
export interface DecodedObject extends Stored {
  /** The store's value is to be written anew even if the object does not change. */
  readonly stale: boolean;
}

export class ObjectCodec {
  readonly #config: StorageConfig;
  readonly #keys: KeySpace;
  readonly #codec: StoredCodec;
  readonly #transformer: ValueTransformer;

  constructor(
    config: StorageConfig,
    keys: KeySpace,
    codec: StoredCodec,
    transformer: ValueTransformer,
  ) {
    this.#config = config;
    this.#keys = keys;
    this.#codec = codec;
    this.#transformer = transformer;
  }

  /** Throws (or rejects with) Corrupt for a value that can not be read. */
  decode(raw: RawObject): DecodedObject | Promise<DecodedObject> {
    const opened = this.#open(raw);
    if (opened instanceof Promise) return opened.then((plain) => this.#finish(raw, plain));
    return this.#finish(raw, opened);
  }

  /** The store's value without encryption. Throws (or rejects with) Corrupt. */
  decrypt(raw: RawObject): Uint8Array | Promise<Uint8Array> {
    const opened = this.#open(raw);
    return opened instanceof Promise ? opened.then((plain) => plain.value) : opened.value;
  }

  /** JSON as served of a decrypted value; `outdated` as StoredCodec's. Throws Corrupt. */
  served(name: string, plain: Uint8Array, revision: Revision, outdated?: () => void): Uint8Array {
    try {
      return this.#codec.toServed(plain, revision, this.#config, outdated);
    } catch (error) {
      throw corrupt(this.#keys.keyOf(name), error, false);
    }
  }

  /** The bytes for the store of an object's JSON, before encryption. */
  encode(json: Uint8Array): Uint8Array {
    return this.#codec.toStored(json, this.#config);
  }
  /** Throws (or rejects with) Refused when the provider can not encrypt. */
  encrypt(plain: Uint8Array, key: string): Uint8Array | Promise<Uint8Array> {
    try {
      const sealed = this.#transformer.toStorage(plain, key);
      return sealed instanceof Promise ? sealed.catch((e) => Promise.reject(notSealed(e))) : sealed;
    } catch (error) {
      throw notSealed(error);
    }
  }

  #open(raw: RawObject): Decrypted | Promise<Decrypted> {
    try {
      const opened = this.#transformer.fromStorage(raw.value, raw.key);
      if (!(opened instanceof Promise)) return opened;
      return opened.catch((error) => Promise.reject(corrupt(raw.key, error, true)));
    } catch (error) {
      throw corrupt(raw.key, error, true);
    }
  }

  #finish(raw: RawObject, { value, stale }: Decrypted): DecodedObject {
    const name = this.#keys.nameOf(raw.key);
    let isOutdated = false;
    const json = this.served(name, value, raw.revision, () => {
      isOutdated = true;
    });
    return { name, revision: raw.revision, json, stale: stale || isOutdated };
  }
}

function corrupt(key: string, cause: unknown, encrypted: boolean): StorageError {
  if (cause instanceof StorageError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  return new StorageError({ code: "Corrupt", key, message, encrypted }, { cause });
}

function notSealed(cause: unknown): StorageError {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new StorageError({ code: "Refused", message }, { cause });
}
